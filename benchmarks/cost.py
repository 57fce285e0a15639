"""Growth of the time per step with the batch size, the image's side, the depth and the widths."""

from itertools import pairwise
from pathlib import Path
from statistics import median

from benchmarks.rounds import Worker, alternate
from benchmarks.settings import Row, Settings

BASE = {"batch_size": 16, "side": 64, "depth": 4, "increment": 32}
AXES = {
    "batch_size": (4, 8, 16, 32, 64),
    "side": (32, 48, 63, 64, 65, 96, 128),  # odd sides would show a cliff
    "depth": (2, 3, 4, 5),
    "increment": (8, 16, 32, 48, 64),
}
TINY_BASE = {"batch_size": 2, "side": 12, "depth": 2, "increment": 2}
TINY_AXES = {"batch_size": (2, 4), "side": (12, 13), "depth": (1, 2), "increment": (2, 3)}
LABELS = {"batch_size": "images per step", "side": "side of the image, pixels"}
SECONDS = 0.3  # of steps, per model and round


def growth(settings: Settings) -> list[Row]:
    """Time every model along each axis in turns, and draw the plot; returns the rows."""
    base, axes = (TINY_BASE, TINY_AXES) if settings.quick else (BASE, AXES)
    points = {name: _points(base, name, values) for name, values in axes.items()}
    models = {_key(point): point for line in points.values() for point in line}
    jobs, work = {}, {}
    with Worker("benchmarks.ours") as ours:
        for key, point in models.items():
            options = {n: v for n, v in point.items() if n != "side"}
            options["img_size"] = [point["side"], point["side"], 3]
            work[key] = ours("build", key=key, **options)["flops"]
            count = settings.count(ours("steps", key=key, count=2), SECONDS)
            jobs[key] = lambda k=key, c=count: ours("steps", key=k, count=c)
        times = alternate(jobs, settings.rounds)
    seconds = {key: median(found) for key, found in times.items()}
    draw(settings.plot, points, seconds, work)
    rows = []
    for name, line in points.items():
        rows += [_row(name, point, seconds, work) for point in line]
        rows.append(_cliff(name, line, seconds, work))
    return rows


def _points(base: dict, name: str, values: tuple[int, ...]) -> list[dict]:
    return [base | {name: value} for value in values]


def _key(point: dict) -> str:
    return " ".join(map(str, point.values()))


def _row(name: str, point: dict, seconds: dict, work: dict) -> Row:
    key = _key(point)
    rate = work[key] / seconds[key] / 1e9
    per_image = 1000 * seconds[key] / point["batch_size"]
    source = f"{work[key] / 1e9:,.2f} GFLOP, {rate:,.1f} GFLOP/s, {per_image:.2f} ms per image"
    return Row(f"{name}={point[name]}", f"{1000 * seconds[key]:,.1f} ms per step", "", source)


def _cliff(name: str, line: list[dict], seconds: dict, work: dict) -> Row:
    """The neighbors between which time grows fastest relative to the work."""
    steepest = max(
        (seconds[after] / seconds[before] / (work[after] / work[before]), before, after)
        for before, after in pairwise(map(_key, line))
    )
    excess, before, after = steepest
    source = (
        f"time {seconds[after] / seconds[before]:.2f} times for {work[after] / work[before]:.2f} "
        f"times the work, between {_value(name, line, before)} and {_value(name, line, after)}"
    )
    result = f"{excess:.2f} times"
    return Row(f"{name}: growth of time over growth of work, steepest", result, "near 1", source)


def _value(name: str, line: list[dict], key: str) -> int:
    return next(point[name] for point in line if _key(point) == key)


def draw(path: Path, points: dict, seconds: dict, work: dict) -> None:
    """Plot the measured times, and the times of the counted work at one speed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    for axes, (name, line) in zip(figure.subplots(2, 2).flat, points.items(), strict=True):
        keys = [_key(point) for point in line]
        values = [point[name] for point in line]
        heaviest = max(keys, key=work.get)
        speed = work[heaviest] / seconds[heaviest]
        axes.plot(values, [1000 * seconds[key] for key in keys], "o-", label="measured")
        expected = [1000 * work[key] / speed for key in keys]
        axes.plot(values, expected, "--", color="gray", label="work at the speed of the heaviest")
        axes.set_xlabel(LABELS.get(name, name))
        axes.set_ylabel("ms per step")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.axes[0].legend()
    figure.savefig(path, dpi=100)
