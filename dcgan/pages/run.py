"""The page of a run: its status, samples, numbers, options, and the commands to go on with."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from dcgan.atomic import write_atomically
from dcgan.errors import counted, printable
from dcgan.images import shrink
from dcgan.options import table
from dcgan.pages.templating import data_uri, render
from dcgan.plots import plot_svg
from dcgan.storage.run_folder import read_run
from dcgan.storage.run_log import RunLog

PAGE = "index.html"
MAX_GRIDS = 12  # on the slider: the first, the newest, and others between them
MAX_PIXELS = 720  # of the longer side of a grid
MAX_POINTS = 400  # of a line in a plot
ADVICE = {
    "learning": "Nothing needs to be done.",
    "discriminator winning": "Lower discriminator_optimizer to a quarter, or add images.",
    "collapsing": "Training is rolled back by itself; if it comes back, lower the optimizer's "
    "learning rate, or add images.",
    "memorizing": "Add images, use stronger augmentation, or stop at best.dcgan.",
    "leaking augmentation": "Lower augmentation to half of its value.",
    "stalled": "More steps may not help: look at the samples, and change one option at a time.",
    "done": "Use best.dcgan: more training is not expected to improve the samples.",
}
PLOTS = (
    ("Losses. Neither says how good the images are.", {"d_loss": "discriminator",
     "g_loss": "generator"}, None),
    ("Mean scores by the discriminator (1: real). Healthy is the band: both away from 0 and 1.",
     {"d_real": "real images", "d_fake": "generated"}, (0.05, 0.95)),
    ("rKID: distance of samples from real images, by random features. Lower is better; the dot "
     "is best.dcgan.", {"measured_kid": "rKID"}, None),
    ("Variety of the samples, as a share of that of the real images (healthy: above 0.25), and "
     "the share of samples that look like copies (chance: 0.05).",
     {"measured_variety": "variety", "measured_memorized": "copies"}, None),
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """An image on the page: its data URI, its size in pixels, and what it is."""

    source: str
    width: int
    height: int
    words: str = ""
    step: int = 0


def write_run_page(path: Path, live: bool = False) -> Path:
    """Write `index.html` of the run in a folder, from what the folder holds.

    Args:
        path: the run folder.
        live: whether training is under way; the page then reloads itself twice a minute.

    Returns:
        the page's path.

    Raises:
        RunError: the folder's options are damaged.
        OSError: the page cannot be written.
    """
    write_atomically(path / PAGE, run_page(path, live))
    return path / PAGE


def run_page(path: Path, live: bool = False) -> str:
    """The page as HTML that needs no network and no other file; see `write_run_page`."""
    records = RunLog(path).records()
    losses = [record for record in records if "d_loss" in record]
    measured = [record for record in records if "status" in record]
    latest = measured[-1] if measured else {"status": "learning", "sentence": "not measured yet."}
    run = read_run(path) or {"options": {}, "data": {}, "source": None}
    status = latest["status"]
    return render(
        "run.html",
        name=printable(path.name),
        live=live,
        status=status,
        problem=status not in ("learning", "done"),
        sentence=latest["sentence"],
        advice=ADVICE.get(status, ""),
        progress=_progress(losses),
        grids=_grids(path),
        pairs=_pairs(path),
        plots=_plots(losses, measured),
        facts=_facts(path, run),
        commands=_commands(path, run),
    )


def _progress(losses: list[dict[str, Any]]) -> str:
    if not losses:
        return "No step has been logged yet."
    last = losses[-1]
    minutes = counted(round(last["seconds"] / 60), "minute")
    return f"Step {last['step']:,}, epoch {last['epoch']:,}, after {minutes} of training."


def _grids(path: Path) -> list[Shown]:
    """The grids of samples, evenly thinned, oldest first."""
    found = sorted((path / "samples").glob("step_*.png"))
    chosen = np.unique(np.linspace(0, len(found) - 1, min(MAX_GRIDS, len(found))).astype(int))
    grids = []
    for number in chosen:
        digits = re.match(r"step_(\d+)", found[number].name)
        grids.append(_shown(found[number], "", int(digits[1]) if digits else 0))
    return grids


def _pairs(path: Path) -> list[Shown]:
    """Real images, samples, and samples beside the nearest training images."""
    named = {
        "real.png": "Real images, as the networks see them",
        "samples.png": "Samples at the end",
        "nearest.png": "Samples most like a training image (left), each with the nearest ones",
    }
    return [_shown(path / name, words) for name, words in named.items() if (path / name).exists()]


def _shown(path: Path, words: str, step: int = 0) -> Shown:
    with Image.open(path) as image:
        pixels = shrink(np.asarray(image.convert("RGB")), MAX_PIXELS)
    height, width = pixels.shape[:2]
    return Shown(data_uri(pixels, 80), width, height, words, step)


def _plots(losses: list[dict], measured: list[dict]) -> list[dict[str, Any]]:
    plots = []
    for words, lines, band in PLOTS:
        records = measured if next(iter(lines)).startswith("measured") else losses
        records = records[:: max(1, len(records) // MAX_POINTS)]
        series = {
            label: [(r["step"], r[key]) for r in records if r.get(key) is not None]
            for key, label in lines.items()
        }
        if all(len(points) < 2 for points in series.values()):
            continue
        best = min(series["rKID"], key=lambda point: point[1]) if "rKID" in series else None
        plots.append({"svg": Markup(plot_svg(series, words, band, best)), "words": words})
    return plots


def _facts(path: Path, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the images are, and every option that is not the default."""
    data, options = run["data"], run["options"]
    facts = [("images", printable(str(run["source"] or "given as arrays or a dataset")))]
    if "count" in data:
        facts.append(("number", f"{data['count']:,}, of which {data['held_out']:,} are held out"))
    skipped = path / "skipped.txt"
    lines = skipped.read_text(errors="replace").splitlines() if skipped.exists() else []
    if count := sum(": " in line for line in lines):
        facts.append(("skipped", f"{counted(count, 'file')}, listed in skipped.txt"))
    for name, row in table().items():
        if name not in options or name == "network_plan":
            continue
        value, default = options[name], json.loads(json.dumps(row.default, default=str))
        if isinstance(value, dict):
            value = f"{value['class']}, learning rate {value['config']['learning_rate']:g}"
        if value != default:
            shown = " x ".join(map(str, value)) if isinstance(value, list) else str(value)
            facts.append((name, shown))
    return facts


def _commands(path: Path, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    folder = shlex.quote(str(path))
    commands = [
        ("Continue training", f"dcgan {folder} --minutes 30"),
        ("Generate images", f"dcgan generate {folder} -n 64"),
        ("Browse seeds", f"dcgan browse {folder}"),
        ("Make an animation", f"dcgan walk {folder} --seeds 3,17,41"),
        ("Export", f"dcgan export {folder} --to onnx --out generator.onnx"),
    ]
    if run["source"] and Path(run["source"]).exists():
        measure = f"dcgan evaluate {folder} {shlex.quote(run['source'])}"
        commands.insert(2, ("Measure", measure))
    return commands
