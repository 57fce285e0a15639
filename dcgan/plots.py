"""Plots of a training's log."""

import html
import io
import math
from collections.abc import Callable, Mapping

from dcgan.images import RUN_IMAGE

GRAY = "#808080"  # is seen on a light page and on a dark one


def plot_losses(records: list[dict]) -> bytes:
    """Plot both losses and D's scores over the steps.

    Args:
        records: lines of the log, each with step, and d_loss, g_loss, d_real and d_fake as means
            over the steps since the line before.

    Returns:
        A PNG file's bytes.
    """
    from matplotlib.figure import Figure  # slow to import, and `generate` has no need of it

    figure = Figure(figsize=(8, 6), layout="constrained")
    losses, scores = figure.subplots(2, 1, sharex=True)
    steps = [record["step"] for record in records]
    lines = [
        (losses, "d_loss", "discriminator"),
        (losses, "g_loss", "generator"),
        (scores, "d_real", "on real images"),
        (scores, "d_fake", "on generated images"),
    ]
    for axes, key, label in lines:
        axes.plot(steps, [record[key] for record in records], label=label)
    losses.set_ylabel("loss")
    scores.set_ylabel("discriminator's score (1: real)")
    scores.set_ylim(0, 1)
    scores.set_xlabel("training step")
    for axes in (losses, scores):
        axes.legend()
        axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata=RUN_IMAGE)
    return buffer.getvalue()


def plot_svg(
    series: dict[str, list[tuple[int, float]]],
    words: str,
    band: tuple[float, float] | None = None,
    best: tuple[int, float] | None = None,
) -> str:
    """Draw lines over the training steps for a page, as SVG that takes its colors.

    Args:
        series: points (step, value) by label.
        words: what the plot shows, for those who do not see it.
        band: healthy range of the values, shaded.
        best: a point to mark.
    """

    def draw(axes) -> None:
        for label, points in series.items():
            axes.plot([step for step, _ in points], [value for _, value in points], label=label)
        if band:
            axes.axhspan(*band, color="#2a9d4a", alpha=0.12, linewidth=0)
        if best:
            axes.plot(*best, "o", color="#b35c00")
        axes.set_xlabel("training step")
        axes.legend(
            framealpha=0, loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, borderaxespad=0
        )

    return _svg(draw, words)


def sizes_svg(sizes: Mapping[tuple[int, int], int], words: str) -> str:
    """Draw a dot for each (width, height) in pixels, larger where more images have it, as SVG."""

    def draw(axes) -> None:
        widths, heights = zip(*sizes, strict=True)
        most = max(sizes.values())
        areas = [20 + 180 * count / most for count in sizes.values()]
        axes.scatter(widths, heights, areas, alpha=0.5, linewidths=0)
        axes.set(xlabel="width in pixels", ylabel="height in pixels", xlim=0, ylim=0)

    return _svg(draw, words)


def shapes_svg(sizes: Mapping[tuple[int, int], int], words: str) -> str:
    """Draw how many images are how wide for their height, in quarters of an octave, as SVG."""

    def draw(axes) -> None:
        steps = [max(-8, min(8, round(4 * math.log2(w / h)))) / 4 for w, h in sizes]
        axes.hist(
            steps, bins=[step / 4 - 1 / 8 for step in range(-8, 10)], weights=[*sizes.values()]
        )
        axes.set(xlabel="width to height", ylabel="images")
        axes.set_xticks([-2, -1, 0, 1, 2], ["1:4", "1:2", "1:1", "2:1", "4:1"])

    return _svg(draw, words)


def _svg(draw: Callable, words: str) -> str:
    """What `draw` puts into axes, as SVG for a page; `words` for those who do not see it."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": words, "font.size": 11}):
        figure = Figure(figsize=(5, 3))
        figure.subplots_adjust(0.15, 0.17, 0.98, 0.9)  # a layout engine takes as long as the rest
        axes = figure.subplots()
        draw(axes)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GRAY)
        axes.tick_params(color=GRAY)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    drawn = buffer.getvalue()
    named = f'<svg role="img" aria-label="{html.escape(words)}" '
    return drawn[drawn.index("<svg") :].replace("<svg ", named, 1)
