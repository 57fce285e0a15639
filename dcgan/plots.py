"""Plots of a training's log."""

import io

from dcgan.images import RUN_IMAGE


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
