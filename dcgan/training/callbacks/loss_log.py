"""The log of losses and scores, a line every hundred steps, and their plot."""

from dcgan.atomic import write_atomically
from dcgan.plots import plot_losses
from dcgan.storage.run_folder import RunFolder
from dcgan.training.callbacks.schedule import Task, keep_training
from dcgan.training.numbers import StepNumbers
from dcgan.training.state import TrainingState

LOG_STEPS = 100  # between two lines
PLOT_SECONDS = 60  # between two plots: a plot takes about a fifth of a second


class LossLog(Task):
    """Writes means to `log.jsonl` and `log.csv`, and `losses.png` now and then.

    Each line has the means over the steps since the line before.

    Args:
        numbers: the losses and scores since the last line.
    """

    by_clock = False

    def __init__(self, run: RunFolder, state: TrainingState, numbers: StepNumbers):
        super().__init__(LOG_STEPS)
        self.run = run
        self.state = state
        self.numbers = numbers
        self._plotted = 0.0  # seconds of the run

    def act(self, epoch, logs):
        """Write a line, and from time to time the plot."""
        self._write(epoch)
        self.numbers.reset_sums()
        if self.state.seconds - self._plotted > PLOT_SECONDS:
            self._plotted = self.state.seconds
            self._plot()

    def finish(self, epoch, logs):
        """Write the last line and plot; the sums stay, for a resumed run counts on."""
        if epoch and self.state.step % LOG_STEPS:
            self._write(epoch)
        self._plot()

    def _write(self, epoch: int) -> None:
        steps, means = self.numbers.read_sums()
        seconds = round(self.state.seconds, 3)
        line = {"step": self.state.step, "epoch": epoch, "seconds": seconds, "of_steps": steps}
        with keep_training("the log"):
            self.run.restore()
            self.run.log.write(line | means)

    def _plot(self) -> None:
        records = [record for record in self.run.log.records() if "d_loss" in record]
        if records:
            with keep_training("losses.png"):
                write_atomically(self.run.path / "losses.png", plot_losses(records))
