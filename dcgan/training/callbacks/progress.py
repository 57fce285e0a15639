"""The progress bar: losses, images per second and the time left."""

import sys
import time

from tqdm import tqdm

from dcgan.training.callbacks.schedule import Task
from dcgan.training.state import TrainingState

REFRESH_SECONDS = 0.5  # each refresh waits for the device and writes to the terminal


class Progress(Task):
    """A tqdm bar on stderr over all steps of the run.

    Args:
        state: the training state.
        batch_size: images per step.
        total: steps at which the run ends, or None where only the clock decides.
        deadline: `time.monotonic()` at which training ends, or None.
    """

    def __init__(
        self, state: TrainingState, batch_size: int, total: int | None, deadline: float | None
    ):
        super().__init__(every_seconds=REFRESH_SECONDS)
        self.state = state
        self.batch_size = batch_size
        self.total = total
        self.deadline = deadline

    def begin(self, step):
        """Show the bar where training starts."""
        super().begin(step)
        options = {"total": self.total, "initial": step, "unit": "step", "file": sys.stderr}
        try:
            self._bar = tqdm(**options, disable=sys.stderr is None)
        except (OSError, ValueError):  # nobody reads it
            self._bar = tqdm(**options, disable=True)
        self._bar.bar_format = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {postfix}"
        self._start = (step, time.monotonic())

    def act(self, epoch, logs):
        """Move the bar."""
        self._show(epoch, logs)

    def finish(self, epoch, logs):
        """Leave the last state on the screen."""
        self._show(epoch, logs, ended=True)
        self._bar.close()

    def _show(self, epoch: int, logs, ended: bool = False) -> None:
        step, now = self.state.step, time.monotonic()
        first, began = self._start
        rate = (step - first) / max(now - began, 1e-9)
        left = self._steps_left(step, now, rate)
        numbers = [self.state.status, *(f"{name} {value:.2f}" for name, value in logs.items())]
        numbers.append(f"{rate * self.batch_size:.0f} images/s")
        if left is not None:
            numbers.append(f"{tqdm.format_interval(left / rate) if rate else '?'} left")
        self._bar.set_description_str(f"epoch {epoch}", refresh=False)
        self._bar.total = step if ended else None if left is None else step + round(left)
        self._bar.n = step
        self._bar.set_postfix_str(", ".join(numbers), refresh=False)
        try:
            self._bar.refresh()
        except (OSError, ValueError):  # nobody reads it any more
            self._bar.disable = True

    def _steps_left(self, step: int, now: float, rate: float) -> float | None:
        """Steps until the end, or None where nobody knows."""
        limits: list[float] = []
        if self.total is not None:
            limits.append(max(0, self.total - step))
        if self.deadline is not None:
            limits.append(max(0.0, self.deadline - now) * rate)
        return min(limits, default=None)
