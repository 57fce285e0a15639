"""The page of a run: its status, samples, numbers, options, and the commands to go on with."""

import json
import math
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from dcgan.atomic import write_atomically
from dcgan.errors import counted, printable
from dcgan.images import shrink
from dcgan.inspection.advice import expectation
from dcgan.options import table
from dcgan.pages.development import find_previews, step_of
from dcgan.pages.templating import data_uri, render
from dcgan.plots import plot_svg
from dcgan.storage.run_folder import read_run
from dcgan.storage.run_log import RunLog

PAGE = "index.html"
MAX_GRIDS = 16  # on the slider: the first, the newest, and others between them
MAX_PIXELS = 800  # of the longer side of a grid
MAX_TEXT = 220_000  # characters of an image, so that the page stays below 5 MB
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
USUAL_OPTIMIZER = "Adam, learning rate 0.0002, beta_1 0.5"  # of dcgan.optimizers
SCORES = (0.05, 0.95)  # the discriminator's mean scores where both networks can learn
LOSSES = (-2 * math.log(SCORES[1]), -math.log(SCORES[0]))  # the losses at such scores
PLOTS = (
    ("Losses. Neither says how good the images are; the band is where both networks can learn.",
     {"d_loss": "discriminator", "g_loss": "generator"}, LOSSES),
    ("Mean scores by the discriminator (1: real). In the band both networks can learn.",
     {"d_real": "real images", "d_fake": "generated"}, SCORES),
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


def write_run_page(path: Path, live: bool = False) -> None:
    """Write `index.html` of the run in a folder, from what the folder holds.

    Args:
        path: the run folder.
        live: whether training is under way; the page then reloads itself twice a minute.

    Raises:
        RunError: the folder's options are damaged.
        OSError: the page cannot be written.
    """
    write_atomically(path / PAGE, run_page(path, live))


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
        written=time.strftime("%Y-%m-%d %H:%M"),
        grids=_grids(path),
        real=_image(path / "real.png", "Real images, as the networks see them"),
        nearest=_image(
            path / "nearest.png",
            "The samples (left), each beside the training image that is nearest to it; those that "
            "are most like a copy first",
        ),
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
    """The grids of samples, evenly thinned, oldest first; of more, half of the earlier remain."""
    found = find_previews(path / "samples")
    stride = 1
    while len(found) >= stride * MAX_GRIDS:
        stride *= 2
    chosen = found[:-1][::stride] + found[-1:]
    return [_shown(grid, f"Samples at step {step_of(grid):,}", step_of(grid)) for grid in chosen]


def _image(path: Path, words: str) -> Shown | None:
    return _shown(path, words) if path.exists() else None


def _shown(path: Path, words: str, step: int = 0) -> Shown:
    return Shown(*encoded(path, path.stat().st_mtime_ns), words, step)


@lru_cache(MAX_GRIDS + 4)
def encoded(path: Path, written: int) -> tuple[str, int, int]:
    """An image file last `written` then, as `src`, width and height; kept, as it is shown often."""
    with Image.open(path) as image:
        pixels = shrink(np.asarray(image.convert("RGB")), MAX_PIXELS)
    height, width = pixels.shape[:2]
    for quality in (80, 40, 0):  # noise takes several times as much as images do
        if len(source := data_uri(pixels, quality)) <= MAX_TEXT:
            break
    return source, width, height


def _plots(losses: list[dict], measured: list[dict]) -> list[dict[str, Any]]:
    plots = []
    best = _best(measured)
    for words, lines, band in PLOTS:
        records = measured if next(iter(lines)).startswith("measured") else losses
        records = records[:: min(-1, -len(records) // MAX_POINTS)][::-1]  # the newest one always
        series = {
            label: [(r["step"], r[key]) for r in records if r.get(key) is not None]
            for key, label in lines.items()
        }
        if all(len(points) < 2 for points in series.values()):
            continue
        plots.append(
            {
                "svg": Markup(plot_svg(series, words, band, best if "rKID" in series else None)),
                "words": words,
            }
        )
    return plots


def _best(measured: list[dict]) -> tuple[int, float] | None:
    """The step and the KID of best.dcgan, if the log has them."""
    kids = {record["step"]: record.get("measured_kid") for record in measured}
    step = measured[-1].get("best_step") if measured else None
    kid = kids.get(step) if step is not None else None
    return None if step is None or kid is None else (step, kid)


def _facts(path: Path, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the images are, and every option that is not the default."""
    data, options = run["data"], run["options"]
    facts = [("images", printable(str(run["source"] or "given as arrays or a dataset")))]
    if "count" in data:
        facts.append(("number", f"{data['count']:,}, of which {data['held_out']:,} are held out"))
        facts.append(("to expect", expectation(data["count"])))
    if "sizes" in data:
        facts.append(("sizes", data["sizes"]))
    skipped = path / "skipped.txt"
    lines = skipped.read_text(errors="replace").splitlines() if skipped.exists() else []
    if count := sum(": " in line for line in lines):
        facts.append(("skipped", f"{counted(count, 'file')}, listed in skipped.txt"))
    usual = USUAL_OPTIMIZER
    for name, row in table().items():
        if name not in options or name == "network_plan":
            continue
        value, default = options[name], json.loads(json.dumps(row.default, default=str))
        if isinstance(value, dict):
            value, default = _in_words(value), usual
            usual = value  # of the discriminator's, which comes second
        if value != default:
            shown = " x ".join(map(str, value)) if isinstance(value, list) else str(value)
            facts.append((name, shown))
    return facts


def _in_words(optimizer: Mapping[str, Any]) -> str:
    """An optimizer as a run keeps it, in words."""
    settings = optimizer["config"]
    momentum = f", beta_1 {settings['beta_1']:g}" if "beta_1" in settings else ""
    return f"{optimizer['class']}, learning rate {settings['learning_rate']:g}{momentum}"


def _commands(path: Path, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    folder = shlex.quote(str(path))
    commands = [
        ("Continue training", f"dcgan {folder} --minutes 30"),
        ("Generate images", f"dcgan generate {folder} -n 64"),
        ("Browse seeds", f"dcgan browse {folder}"),
        ("Walk from seed to seed", f"dcgan walk {folder} --seeds 3,17,41"),
        ("Animate the training", f"dcgan animate {folder}"),
        ("Export", f"dcgan export {folder} --out generator.onnx"),
    ]
    if run["source"] and Path(run["source"]).exists():
        measure = f"dcgan evaluate {folder} {shlex.quote(run['source'])}"
        commands.insert(2, ("Measure", measure))
        commands.append(("Look at the images", f"dcgan inspect {shlex.quote(run['source'])}"))
    return commands
