"""The gallery: trains an entry, and writes its page and images.

    python -m benchmarks gallery sea --images path/to/images --minutes 60

Trains in Results/<entry> as `python main.py` would, or resumes there. Then Results/gallery/<entry>
gets the last contact sheet, a few moments, the losses, the animation, a walk from seed to seed, the
run's page without real images, a web page that makes new images (where a browser verifies it), and
a page with the commands, the time, the machine and the metrics. Flags that this verb does not know
are passed to training.
"""

import argparse
import contextlib
import datetime
import io
import json
import math
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from benchmarks.rounds import ROOT
from dcgan.images import RUN_IMAGE

RESULTS = ROOT / "Results"
CALLS = "calls.json"  # in the run folder: the commands that have trained it
SHOWN = ("samples.png", "epochs.png", "losses.png", "animation.gif", "walk.webp")
WALK = {"seeds": [3, 17, 41], "seconds": 4.0, "fps": 12.0}
RUN_PAGE = "run.html"
PAGE_GRIDS, PAGE_PIXELS = 8, 400  # of the run's page: grids of samples, and their longer side
MAX_IMAGE_BYTES, MAX_ANIMATION_BYTES = 300_000, 300_000  # the repository keeps every version
JPEG_QUALITY = 85
MAX_FRAMES, COLORS = 18, 128  # of an animation that is too large as it is
FRAME_MILLISECONDS, LAST_MILLISECONDS = 240, 2_000
MARK = RUN_IMAGE["Software"]  # so that these images are never trained on
SHRINK = 0.9  # of both sides, until the file is small enough

ENTRIES = {
    "mnist": "--img-size 28 28 1 --depth 3 --batch-size 64 --optimizer 8e-4",
    "sea": "--img-size 64 64 3",
    "portraits": "--img-size 64 64 3",
}


def main(argv: list[str] | None = None) -> int:
    """Train, measure, and fill the gallery; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks gallery", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("entry", choices=ENTRIES)
    parser.add_argument("--images", required=True, help="a folder of images, or MNIST's files")
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        help="folder of the runs and of the gallery (default: Results)",
    )
    given, flags = parser.parse_known_args(argv)
    if "--new" in flags:
        parser.error(
            f"--new would train elsewhere: move {given.results / given.entry} away instead"
        )

    run = given.results / given.entry
    before = _steps(run)
    command = [given.images, *shlex.split(ENTRIES[given.entry]), *flags]
    if training := _run(*command, "--save-path", str(run)).returncode:
        return training
    metrics = _run("evaluate", str(run / "last.dcgan"), given.images, stdout=subprocess.PIPE)

    gallery = given.results / "gallery" / given.entry
    gallery.mkdir(parents=True, exist_ok=True)
    _walk(run)
    show(run, gallery)
    (gallery / RUN_PAGE).write_text(_run_page(run, given.images), encoding="utf-8")
    new_images = _new_images(gallery)
    new_images.unlink(missing_ok=True)
    _run("export", str(run / "last.dcgan"), "--out", str(new_images))
    shown_command = shlex.join(
        ["python", "-m", "benchmarks", "gallery", given.entry]
        + ["--images", _public(given.images), *flags]
    )
    calls = _note_call(run, before, f"`{shown_command}`: {_describe(run)}")
    _write_page(gallery, calls, "" if metrics.returncode else metrics.stdout)
    print(f"Shown in {gallery}")
    return 0


def _walk(run: Path) -> None:
    """Write `walk.webp` into the run's folder: what `dcgan walk` makes of a few seeds."""
    from dcgan import DCGAN

    DCGAN.load(run / "last.dcgan").walk(**WALK).save(run / "walk.webp")


def show(run: Path, gallery: Path) -> None:
    """Put a run's images and animation into its folder of the gallery, as small files."""
    for name in SHOWN:
        for earlier in gallery.glob(f"{Path(name).stem}.*"):
            earlier.unlink()  # it may show another run
        path = run / name
        if not path.exists():  # a run of a few steps has no animation yet
            continue
        if path.suffix == ".gif" and path.stat().st_size > MAX_ANIMATION_BYTES:
            (gallery / name).write_bytes(_small_animation(path))
        elif path.suffix == ".png" and path.stat().st_size > MAX_IMAGE_BYTES:
            (gallery / name).with_suffix(".jpg").write_bytes(_small_image(path))
        else:
            shutil.copyfile(path, gallery / name)


def _run_page(run: Path, images: str) -> str:
    """The run's page, small and without real images, which are not ours to show.

    It is that of a copy of the run, which names no folder of this machine.
    """
    from dcgan.pages.development import find_previews
    from dcgan.pages.run import run_page

    run, count = run.resolve(), PAGE_GRIDS
    description = json.loads((run / "options.json").read_text(encoding="utf-8"))
    description["source"] = _public(images)
    previews = find_previews(run / "samples")
    while True:
        shown = np.unique(np.linspace(0, len(previews) - 1, count).round().astype(int))
        with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
            copy = Path("Results", run.name)
            (copy / "samples").mkdir(parents=True)
            (copy / "options.json").write_text(json.dumps(description), encoding="utf-8")
            shutil.copyfile(run / "log.jsonl", copy / "log.jsonl")
            for number in shown:
                with Image.open(previews[number]) as grid:
                    grid.thumbnail((PAGE_PIXELS, PAGE_PIXELS), Image.Resampling.LANCZOS)
                    grid.save(copy / "samples" / previews[number].name)
            page = run_page(copy)
        if len(page.encode()) <= MAX_IMAGE_BYTES or count == 1:
            return page
        count -= 1


def _small_image(path: Path) -> bytes:
    """An image as a JPEG file of at most `MAX_IMAGE_BYTES`, on white where it is transparent."""
    with Image.open(path) as opened:
        image = Image.new("RGBA", opened.size, "white")
        image.alpha_composite(opened.convert("RGBA"))
    image = image.convert("RGB")
    while True:
        buffer = io.BytesIO()
        image.save(buffer, "jpeg", quality=JPEG_QUALITY, optimize=True, comment=MARK)
        if buffer.tell() <= MAX_IMAGE_BYTES:
            return buffer.getvalue()
        image = _shrink(image)


def _small_animation(path: Path) -> bytes:
    """An animation with fewer and smaller frames: a GIF of at most `MAX_ANIMATION_BYTES`."""
    with Image.open(path) as opened:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(opened)]
    every = math.ceil(len(frames) / MAX_FRAMES)
    frames = frames[::-every][::-1]  # from the back: the last one stays
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    while True:
        first, *rest = [frame.quantize(COLORS, dither=Image.Dither.NONE) for frame in frames]
        buffer = io.BytesIO()
        options = {"append_images": rest, "duration": durations, "loop": 0, "comment": MARK}
        first.save(buffer, "gif", save_all=True, **options)
        if buffer.tell() <= MAX_ANIMATION_BYTES:
            return buffer.getvalue()
        frames = [_shrink(frame) for frame in frames]


def _shrink(image: Image.Image) -> Image.Image:
    size = [math.floor(side * SHRINK) for side in image.size]
    return image.resize(size, Image.Resampling.LANCZOS)


def _run(*arguments: str, **options) -> subprocess.CompletedProcess:
    """One command of the program, in a process of its own, as a user would type it."""
    command = [sys.executable, str(ROOT / "main.py"), *arguments]
    return subprocess.run(command, text=True, **options)


def _public(path: str) -> str:
    """The path without the folders of this machine."""
    return f"path/to/{Path(path).resolve().name}"


def _describe(run: Path) -> str:
    """How long the run has trained, on how many images, on which machine."""
    from dcgan import DCGAN

    gan = DCGAN.load(run / "last.dcgan")
    step, data = gan.state.step, gan.state.data
    epochs = gan.state.images_seen / (data.count - data.held_out)
    return (
        f"{step:,} steps of {gan.batch_size} ({epochs:,.1f} epochs of {data.count:,} images) in "
        f"{gan.state.seconds / 60:,.1f} minutes of training; {_machine()}"
    )


def _machine() -> str:
    """Processor, cores, and the device that the framework computes on."""
    import keras

    from dcgan.data.workers import available_cores
    from dcgan.errors import counted

    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():  # Linux, where Python knows only the architecture
        lines = information.read_text(encoding="utf-8").splitlines()
        cpu = next((ln.split(":")[1].strip() for ln in lines if ln.startswith("model name")), cpu)
    device = str(keras.ops.ones(1).device).split("/")[-1]  # where this framework computes
    if "cpu" not in device.lower() and (program := shutil.which("nvidia-smi")):
        query = [program, "--query-gpu=name", "--format=csv,noheader"]
        device = subprocess.run(query, text=True, capture_output=True, check=True).stdout.strip()
    backend = f"Keras {keras.__version__} on {keras.backend.backend()}"
    cores = counted(available_cores(), "core")
    return f"{cores} of {cpu}, computing on {device}, {backend}"


def _steps(run: Path) -> int:
    """Training steps of the run by the names of its checkpoints; 0 where there are none."""
    names = [path.stem for path in run.glob("checkpoints/*-step-*.dcgan")]
    return max((int(name.split("-")[-1]) for name in names), default=0)


def _note_call(run: Path, before: int, line: str) -> str:
    """Add this call to those listed in the run folder; returns the list as Markdown.

    Steps that no listed call has made are listed too: `main.py` may have begun the run, or a call
    may have been stopped.
    """
    file = run / CALLS
    calls = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    if before != (calls[-1]["step"] if calls else 0):
        calls.append({"step": before, "line": f"other calls, up to {before:,} steps"})
    calls.append({"step": _steps(run), "line": f"{line}, {datetime.date.today()}"})
    file.write_text(json.dumps(calls, indent=2) + "\n", encoding="utf-8")
    return "\n".join(f"- {call['line']}" for call in calls)


def _new_images(gallery: Path) -> Path:
    """The page that makes new images; its name is its heading."""
    return gallery / f"{gallery.name}.html"


def _write_page(gallery: Path, calls: str, metrics: str) -> None:
    """Write the entry's page: the calls that made it, its metrics and its images."""
    parts = [f"# {gallery.name}", "Made by these calls, in this order:", calls]
    if metrics:
        parts += ["Output of `python main.py evaluate`:", f"```\n{metrics.rstrip()}\n```"]
    pages = [f"[the page of the run]({RUN_PAGE})"]
    if (new_images := _new_images(gallery)).exists():
        pages.append(f"[a page that makes new images]({new_images.name})")
    parts.append(f"To download and open in a browser: {' and '.join(pages)}.")
    for name in SHOWN:
        parts += [f"![{file.name}]({file.name})" for file in gallery.glob(f"{Path(name).stem}.*")]
    (gallery / "README.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
