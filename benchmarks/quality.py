"""Quality of a recipe: trains on a folder, samples, measures, and appends a row to a table.

    python -m benchmarks quality sea --seeds 0 1 2 --img-size 64 64 3 --minutes 4
    python -m benchmarks quality sea --judge "python judge.py score net.npz {images} {samples}" \\
        --cores 0 --img-size 64 64 3 --epochs 30 --upsampling antialiased

All other flags are those of the training, which is the program itself in a process of its own,
bound to the cores. Each seed is one row of `quality.csv`: what was trained, for how long, at which
commit, this package's KID and variety at the last measurement, the energy of the finest detail, and
what an external judge says of 1,000 samples: all numbers of the last line that it prints, as they
are. Compare rows of the same images, size and number of steps only, or of the same minutes on a
machine where nothing else runs.
"""

import argparse
import csv
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.rounds import ROOT

SAMPLES = 1000
COLUMNS = (
    "commit", "images", "flags", "seed", "cores", "steps", "images_seen", "seconds", "status",
    "kid", "variety", "across", "down", "judge",
)  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Train once for each seed, and print and append the rows."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks quality",
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", help="what to train on")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="a training for each")
    parser.add_argument("--cores", type=int, nargs="+", help="bind the training to these cores")
    parser.add_argument("--judge", help="a command with {images} and {samples}, a .npy of uint8")
    parser.add_argument("--results", type=Path, default=Path("quality"), help="folder to write to")
    given, flags = parser.parse_known_args(argv)
    given.results.mkdir(parents=True, exist_ok=True)
    for seed in given.seeds:
        run = Path(tempfile.mkdtemp(prefix=f"seed{seed}-", dir=given.results))
        train(given.images, run, seed, flags, given.cores)
        row = measure(run, given.images, given.judge)
        row |= {"images": given.images, "flags": " ".join(flags), "seed": seed}
        row["cores"] = given.cores or "all"
        append(given.results / "quality.csv", row)
        print("  ".join(f"{name} {row[name]}" for name in COLUMNS), flush=True)
    return 0


def train(images: str, run: Path, seed: int, flags: list[str], cores: list[int] | None) -> None:
    """Train into the folder `run` with the command line of the package."""
    command = [sys.executable, str(ROOT / "main.py"), images, "--save-path", str(run)]
    bind = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    command += ["--seed", str(seed), "--quiet", *flags]
    subprocess.run(command, check=True, preexec_fn=bind, stdout=subprocess.DEVNULL)


def measure(run: Path, images: str, judge: str | None) -> dict[str, object]:
    """The columns of a row that say what a training gave."""
    from dcgan import DCGAN, open_images

    gan = DCGAN.load(run / "last.dcgan")
    path = run / "samples.npy"
    samples = gan.generate(SAMPLES)
    np.save(path, samples)
    real = open_images(images, gan.img_size, resize=gan.resize, background=gan.background)
    shown = np.stack([real.pixels[index] for index in range(min(SAMPLES, len(real)))])
    across, down = fine_energy(samples) / fine_energy(shown)
    health = gan.state.health
    latest = health.recent[-1] if health.recent else None
    return {
        "commit": subprocess.run(
            ["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        ).stdout.strip(),
        "steps": gan.state.step,
        "images_seen": gan.state.images_seen,
        "seconds": round(gan.state.seconds, 1),
        "status": gan.state.status,
        "kid": latest and latest.kid,
        "variety": latest and latest.variety,
        "across": round(float(across), 3),
        "down": round(float(down), 3),
        "judge": "" if judge is None else ask(judge, images, path),
    }


def ask(judge: str, images: str, samples: Path) -> str:
    """The numbers in the last line that a judge's command prints."""
    words = [word.format(images=images, samples=samples) for word in shlex.split(judge)]
    printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    last = printed.strip().splitlines()[-1]
    return " ".join(re.findall(r"\w+=[-+.\w]+", last)) or last


def fine_energy(images: np.ndarray) -> np.ndarray:
    """Energy at a period of two pixels, across and down: mean over images under a Hann window.

    A grid that upsampling leaves shows here as more than real images have, softness as less.

    Args:
        images: uint8 `(n, H, W, C)`.
    """
    gray = images.astype(np.float32).mean(-1)
    height, width = gray.shape[1:]
    window = np.outer(np.hanning(height), np.hanning(width))
    spectrum = np.fft.fft2((gray - gray.mean((1, 2), keepdims=True)) * window)
    energy = (np.abs(spectrum) ** 2).mean(0)
    return np.array([energy[:, width // 2].mean(), energy[height // 2].mean()])


def append(path: Path, row: dict[str, object]) -> None:
    """Add a row to the table, with its header where it is new."""
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow(row)
