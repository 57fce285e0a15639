"""What were the losses? A line per epoch or hundred steps in the run's log, and their plot."""

import io

from dcgan.atomic import write_atomically
from dcgan.images import RUN_IMAGE
from dcgan.training.callbacks import going_on
from dcgan.training.callbacks.schedule import EverySteps

LOG_STEPS = 100  # between two lines within an epoch
PLOT_SECONDS = 60  # between two plots: a plot takes about a fifth of a second


class Log(EverySteps):
    """Writes the epoch's means to `log.jsonl` and `log.csv`, and `losses.png` now and then.

    Args:
        run: the run folder.
        steps_per_epoch: an epoch that was stopped in its middle is logged when it is finished.
    """

    def __init__(self, run, steps_per_epoch: int | None):
        super().__init__(LOG_STEPS)
        self.run = run
        self.steps_per_epoch = steps_per_epoch
        self._plotted = 0.0

    def on_epoch_end(self, epoch, logs=None):
        """Write the line of the epoch, unless it was stopped in its middle."""
        step = self.model.record["step"]
        whole = not self.steps_per_epoch or step % self.steps_per_epoch == 0
        if whole and step % LOG_STEPS:
            self.act(logs)

    def act(self, logs: dict) -> None:
        """Write a line: the means of the epoch so far."""
        record = self.model.record
        line = {
            "step": record["step"],
            "epoch": self.epoch,
            "seconds": round(record["seconds"], 3),
            "of_steps": int(self.model.means[0].count),  # that the means are of
        }
        with going_on("the log"):
            self.run.log.write(line | {name: float(value) for name, value in logs.items()})
        if record["seconds"] - self._plotted > PLOT_SECONDS:
            self._plotted = record["seconds"]
            self._plot()

    def on_train_end(self, logs=None):
        """Draw the last plot."""
        self._plot()

    def _plot(self) -> None:
        records = [record for record in self.run.log.records() if "d_loss" in record]
        if records:
            with going_on("losses.png"):
                write_atomically(self.run.path / "losses.png", plot_losses(records))


def _curve(records: list[dict], key: str, least: int) -> tuple[list[int], list[float]]:
    """At which steps, and the mean since the step before, which is of `least` steps or more.

    A line tells the mean of the epoch so far, and of how many steps that is.
    """
    steps, means = [], []
    before = done = total = count = 0
    for record in records:
        mean, of_steps = record.get(key), record.get("of_steps", least)
        if mean is None or of_steps == 0:  # the means have just been thrown away
            continue
        if not done < of_steps:  # the means began anew
            before = done = 0
        total, count = total + mean * of_steps - before * done, count + of_steps - done
        before, done = mean, of_steps
        if count >= least or (record is records[-1] and not steps):
            steps.append(record["step"])
            means.append(total / count)
            total = count = 0
    return steps, means


def plot_losses(records: list[dict]) -> bytes:
    """Draw both losses and D's scores over the steps.

    Args:
        records: lines of the log, each with step, and d_loss, g_loss, d_real and d_fake as means of
            `of_steps` steps, those of the epoch so far; drawn are means of a hundred steps.

    Returns:
        A PNG file's bytes.
    """
    from matplotlib.figure import Figure  # slow to import, and `generate` has no need of it

    figure = Figure(figsize=(8, 6), layout="constrained")
    losses, scores = figure.subplots(2, 1, sharex=True)
    least = max(1, min(LOG_STEPS, records[-1]["step"] // 20))  # a mean of two steps is noise
    lines = [
        (losses, "d_loss", "discriminator"),
        (losses, "g_loss", "generator"),
        (scores, "d_real", "on real images"),
        (scores, "d_fake", "on generated images"),
    ]
    for axes, key, label in lines:
        axes.plot(*_curve(records, key, least), label=label)
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
