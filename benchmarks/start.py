"""How long a user waits: from a command to its first images, and to its first step."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.rounds import ROOT, Worker, alternate, median_ratio, seconds_of
from benchmarks.settings import Row, Settings
from dcgan.data.sample_set import draw_seascapes
from dcgan.images import save_png


def cold_start(settings: Settings) -> list[Row]:
    """`generate` and a training's first step, as a user types them, against importing Keras."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, images = folder / "model.dcgan", folder / "images"
        with Worker("benchmarks.ours") as ours:
            ours("build", key="network", **settings.network(preset="dcgan-64"))
            ours("save", key="network", path=str(model))
        images.mkdir()
        for number, image in enumerate(draw_seascapes(200, (64, 64, 3))):
            save_png(images / f"{number}.png", image)
        generate = [str(ROOT / "main.py"), "generate", str(model), "-n", "16", "--out"]
        jobs = {
            "import keras": lambda: _seconds_of(["-c", "import keras"]),
            "generate": lambda: _seconds_of([*generate, str(folder / "out")]),
            "the first step": lambda: _seconds_to_first_step(images, folder / "cache"),
        }
        alternate(jobs, 1)  # brings files into the disk's cache, and decoded images into ours
        times = alternate(jobs, settings.rounds)
    seconds = {name: f"{name} {median(found):.2f} s" for name, found in times.items()}
    return [
        Row(
            f"{what} against `import keras`, both from cold",
            f"{median_ratio(times[job], times['import keras']):.2f} times",
            target,
            f"{seconds['import keras']}, {seconds[job]}",
        )
        for what, job, target in (
            ("`python main.py generate` of 16 images", "generate", "1.3"),
            ("`python main.py images` to the first step and its grid", "the first step", "1.5"),
        )
    ]


def _seconds_of(command: list[str]) -> float:
    call = [sys.executable, *command]
    return seconds_of(lambda: subprocess.run(call, check=True, capture_output=True))


def _seconds_to_first_step(images: Path, cache: Path) -> float:
    """Seconds until a training has shown samples of its first step, after which it is ended."""
    environment = os.environ | {"DCGAN_CACHE": str(cache)}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run, said = Path(folder, "run"), Path(folder, "stderr.txt")
        start = time.perf_counter()
        with (
            open(said, "w") as stderr,
            subprocess.Popen(
                _training(images, run), env=environment, stdout=subprocess.DEVNULL, stderr=stderr
            ) as process,
        ):
            while not list(run.glob("samples/step_*.png")):
                if process.poll() is not None:
                    last = said.read_text().strip()[-300:]
                    raise RuntimeError(f"The training ended before its first step: {last}")
                time.sleep(0.01)
            seconds = time.perf_counter() - start
            process.kill()
    return seconds


def _training(images: Path, run: Path) -> list[str]:
    """The command of a training that shows samples of its first step."""
    sizes = ["--img-size", "64", "64", "3", "--sample-steps", "1", "--quiet"]
    return [sys.executable, str(ROOT / "main.py"), str(images), "--save-path", str(run), *sizes]
