"""How far the training is: a bar in a terminal, an area in a notebook, or a line now and then."""

import logging
import os
import sys
import time

from tqdm import tqdm

from dcgan.backend.devices import process_id
from dcgan.training.callbacks.schedule import Task
from dcgan.training.state import TrainingState

REFRESH_SECONDS = 0.5  # each refresh waits for the device and writes to the terminal
LINE_SECONDS = 30  # between two lines where nothing can be overwritten

logger = logging.getLogger("dcgan")


class Progress(Task):
    """A bar on stderr: the share of the steps or of the time that is done, whichever ends first.

    Where stderr is no terminal, or one without a width, it is a line each half minute.

    Args:
        batch_size: images per step.
        total: steps at which the run ends, or None where only the clock decides.
        deadline: `time.monotonic()` at which training ends, or None.
    """

    def __init__(
        self, state: TrainingState, batch_size: int, total: int | None, deadline: float | None
    ):
        first = process_id() == 0  # of several processes, one alone draws
        self.overwrites = first and sys.stderr is not None and _is_terminal(sys.stderr)
        super().__init__(every_seconds=REFRESH_SECONDS if self.overwrites else LINE_SECONDS)
        self.state = state
        self.batch_size = batch_size
        self.total = total
        self.deadline = deadline
        self.known = total is not None or deadline is not None
        self.share = 0.0  # of the way, so far

    def begin(self, step):
        """Show where training starts."""
        super().begin(step)
        self._began = time.monotonic()
        self._phase, self._pace = self.state.phase, (step, self._began)
        if self.overwrites:
            self._bar = tqdm(
                total=1.0,
                file=sys.stderr,
                dynamic_ncols=True,
                bar_format="{percentage:3.0f}%|{bar}| {desc}",
            )
            logger.addFilter(self._make_room)

    def act(self, epoch, logs):
        """Move on."""
        self.show(self.line(epoch), self.share)

    def finish(self, epoch, logs):
        """Leave the last state on the screen."""
        self.show(self.line(epoch), self.share)
        if self.overwrites:
            logger.removeFilter(self._make_room)
            self._bar.close()

    def _make_room(self, record: logging.LogRecord) -> bool:
        """Take the bar away before a message is written where it stands."""
        self._bar.clear()
        return True

    def show(self, line: str, share: float) -> None:
        """Put a line of text and the share that is done where the user sees them."""
        try:
            if self.overwrites:
                self._bar.n = share
                self._bar.set_description_str(line)
            elif sys.stderr is not None:
                sys.stderr.write(f"{share:4.0%}  {line}\n" if self.known else f"{line}\n")
                sys.stderr.flush()
        except (OSError, ValueError):  # nobody reads it any more
            self.show = lambda line, share: None  # type: ignore[method-assign]

    def line(self, epoch: int) -> str:
        """The state in a line: status, estimates, speed and the time left."""
        step, now = self.state.step, time.monotonic()
        if self.state.phase != self._phase:  # larger networks are slower
            self._phase, self._pace = self.state.phase, (step, now)
        first, since = self._pace
        rate = (step - first) / max(now - since, 1e-9)
        words = [f"step {step:,}, epoch {epoch}", self.state.status]
        if kids := self._kids():
            words.append("rKID " + " > ".join(f"{kid:.3g}" for kid in kids))
        if step > first:
            words.append(f"{rate * self.batch_size:.0f} images/s")
        shares, seconds = [self.share], []  # a share never runs backwards
        if self.total is not None:
            shares.append(step / self.total)
            if rate:
                seconds.append(max(0, self.total - step) / rate)
        if self.deadline is not None:
            shares.append((now - self._began) / (self.deadline - self._began))
            seconds.append(max(0.0, self.deadline - now))
        self.share = min(1.0, max(shares))
        if seconds:
            words.append(f"{tqdm.format_interval(min(seconds))} left")
        return ", ".join(words)

    def _kids(self) -> list[float]:
        """The first KID of the run, and the latest one where it is another."""
        health = self.state.health
        kids = [health.first_kid, health.recent[-1].kid if health.recent else None]
        return [kid for kid in dict.fromkeys(kids) if kid is not None]


def _is_terminal(stream) -> bool:
    """Whether a bar can be drawn over and over on a stream."""
    try:
        return stream.isatty() and 0 not in os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):  # it is closed, or is no file
        return False
