"""How was a gallery image made? By this: python Results/make.py sea --images path/to/images

Trains one entry of the gallery in Results/<entry>, as `python main.py` would, or goes on with it;
then puts what is shown into Results/gallery/<entry>: the last grid, a few moments, the losses, the
film, and a page with the command, the time it took, the machine and the figures. Flags that this
script does not know are handed to the training, such as --minutes 60.
"""

import argparse
import datetime
import json
import math
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

RESULTS = Path(__file__).resolve().parent
MAIN = RESULTS.parent / "main.py"
sys.path.insert(0, str(MAIN.parent))  # dcgan is this clone's, installed or not
CALLS = "calls.json"  # in the run folder: what has trained it
SHOWN = ("samples.png", "epochs.png", "losses.png", "film.gif")

ENTRIES = {
    "sea": "--img-size 150 150 3",
    "portraits": "--img-size 200 180 3 --depth 5 --batch-size 8",
    "mnist": "--img-size 28 28 1 --depth 3",
    "mnist-paper": "--preset mnist-paper",
    "mnist-upsample": "--preset mnist-upsample",
    "mnist-tutorial": "--preset mnist-tutorial",
    "mnist-small": "--preset mnist-small",
}


def main(arguments: list[str] | None = None) -> int:
    """Train, measure, and fill the gallery."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("entry", choices=ENTRIES)
    parser.add_argument("--images", required=True, help="a folder of images, or MNIST's files")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where (default: Results)")
    given, flags = parser.parse_known_args(arguments)
    if "--new" in flags:
        parser.error(
            f"--new would train elsewhere: move {given.results / given.entry} away instead"
        )

    run = given.results / given.entry
    before = _steps(run)
    command = [given.images, *shlex.split(ENTRIES[given.entry]), *flags]
    if training := _run(*command, "--save-path", str(run)).returncode:
        return training
    figures = _run("evaluate", str(run / "last.dcgan"), given.images, stdout=subprocess.PIPE)

    gallery = given.results / "gallery" / given.entry
    gallery.mkdir(parents=True, exist_ok=True)
    for name in SHOWN:
        (gallery / name).unlink(missing_ok=True)  # it may show another run
        if (run / name).exists():  # a run of a few steps has no film yet
            shutil.copyfile(run / name, gallery / name)
    shown_command = shlex.join(
        ["python", "Results/make.py", given.entry, "--images", _public(given.images), *flags]
    )
    calls = _note_call(run, before, f"`{shown_command}`: {_said_of(run)}")
    said = figures.stdout if not figures.returncode else ""
    _write_page(gallery, calls, said)
    print(f"Shown in {gallery}")
    return 0


def _run(*arguments: str, **options) -> subprocess.CompletedProcess:
    """One command of the program, in a process of its own, as a person would type it."""
    return subprocess.run([sys.executable, str(MAIN), *arguments], text=True, **options)


def _public(path: str) -> str:
    """A path that tells nothing of the machine."""
    return f"path/to/{Path(path).resolve().name}"


def _said_of(run: Path) -> str:
    """How long the run has trained, on what."""
    from dcgan import DCGAN

    gan = DCGAN.load(run / "last.dcgan")
    step, minutes = gan.record["step"], gan.record["seconds"] / 60
    images = gan.data["images"]
    epochs = step / math.ceil((images - gan.data["held_out"]) / gan.batch_size)
    return (
        f"{step:,} steps of {gan.batch_size} ({epochs:,.1f} epochs of {images:,} images) in "
        f"{minutes:,.1f} minutes of training; {_machine()}"
    )


def _machine() -> str:
    """Processor, cores, and the device that the framework computes on."""
    import keras

    from dcgan.data.workers import available_cores
    from dcgan.errors import counted

    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():  # Linux, where Python knows the architecture only
        lines = information.read_text(encoding="utf-8").splitlines()
        cpu = next((ln.split(":")[1].strip() for ln in lines if ln.startswith("model name")), cpu)
    device = str(keras.ops.ones(1).device).split("/")[-1]  # where this framework puts its numbers
    if "cpu" not in device.lower() and (program := shutil.which("nvidia-smi")):
        query = [program, "--query-gpu=name", "--format=csv,noheader"]
        device = subprocess.run(query, text=True, capture_output=True, check=True).stdout.strip()
    backend = f"Keras {keras.__version__} on {keras.backend.backend()}"
    cores = counted(available_cores(), "core")
    return f"{cores} of {cpu}, computing on {device}, {backend}"


def _steps(run: Path) -> int:
    """How many steps the run has made; 0 where there is none."""
    states = run.glob("checkpoints/*/state.json")
    return max((json.loads(state.read_bytes())["record"]["step"] for state in states), default=0)


def _note_call(run: Path, before: int, told: str) -> str:
    """Add this call to those that the run folder lists, and return the list, as Markdown.

    What the run had `before`, but for the calls listed, is said too: it may have been begun by
    `main.py`, or a call may have been stopped.
    """
    file = run / CALLS
    calls = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    if before != (calls[-1]["step"] if calls else 0):
        calls.append({"step": before, "told": f"other calls, up to {before:,} steps"})
    told = f"{told}, {datetime.date.today()}"
    calls.append({"step": _steps(run), "told": told})
    file.write_text(json.dumps(calls, indent=2) + "\n", encoding="utf-8")
    return "\n".join(f"- {call['told']}" for call in calls)


def _write_page(gallery: Path, calls: str, figures: str) -> None:
    """The entry's page: the calls that made it, and the figures and images as they are now."""
    parts = [f"# {gallery.name}", "Made by, one call after the other:", calls]
    if figures:
        parts += ["Figures of `python main.py evaluate`:", f"```\n{figures.rstrip()}\n```"]
    parts += [f"![{name}]({name})" for name in SHOWN if (gallery / name).exists()]
    (gallery / "README.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
