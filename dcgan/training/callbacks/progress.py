"""How far is it? A bar with losses, images per second and the time left."""

import sys
import time

import keras
from tqdm import tqdm

REFRESH_SECONDS = 0.5  # often enough to look alive; more would cost time for nothing


class Progress(keras.callbacks.Callback):
    """A tqdm bar on stderr over all steps of the run.

    Args:
        total: steps at which the run ends, or None where only the clock says.
        clock: the run's `Clock`.
        watch: the run's `HealthWatch`, whose word is shown, or None.
    """

    def __init__(self, total: int | None, clock, watch):
        super().__init__()
        self.total = total
        self.clock = clock
        self.watch = watch
        self._bar = None

    def on_train_begin(self, logs=None):
        """Show the bar where training starts."""
        start = self.model.record["step"]
        self._bar = tqdm(total=self.total, initial=start, unit="step", file=sys.stderr)
        self._bar.bar_format = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {postfix}"
        self._start = (start, time.monotonic())
        self._shown = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        """Name the epoch."""
        self._bar.set_description_str(f"epoch {epoch + 1}", refresh=False)

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar, now and then."""
        now = time.monotonic()
        if now - self._shown >= REFRESH_SECONDS:
            self._shown = now
            self._show(now, logs)

    def on_train_end(self, logs=None):
        """Leave the last state on the screen."""
        self._show(time.monotonic(), logs, ended=True)
        self._bar.close()

    def _show(self, now: float, logs, ended: bool = False) -> None:
        step = self.model.record["step"]
        first, began = self._start
        rate = (step - first) / max(now - began, 1e-9)
        left = self._steps_left(step, rate)
        numbers = [f"{name} {float(value):.2f}" for name, value in (logs or {}).items()]
        if self.watch is not None:
            numbers.insert(0, self.watch.word)
        numbers.append(f"{rate * self.model.batch_size:.0f} images/s")
        numbers.append(f"{tqdm.format_interval(left / rate) if rate else '?'} left")
        self._bar.total = step + round(left) if left or self.total or ended else None
        self._bar.n = step
        self._bar.set_postfix_str(", ".join(numbers), refresh=False)
        self._bar.refresh()

    def _steps_left(self, step: int, rate: float) -> float:
        limits = []
        if self.total is not None:
            limits.append(max(0, self.total - step))
        if self.clock.seconds_left is not None:
            limits.append(self.clock.seconds_left * rate)
        return min(limits, default=0)
