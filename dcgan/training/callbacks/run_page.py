"""The page of the run, written anew while it trains."""

import time

from dcgan.pages.run import write_run_page
from dcgan.storage.run_folder import RunFolder
from dcgan.training.callbacks.schedule import Task, keep_training

TIME_SHARE = 0.005  # of training that writing the page may take


class RunPage(Task):
    """Writes `index.html` when samples are written, unless that would cost too much time.

    Args:
        every_steps: training steps between two pages, at least.
    """

    def __init__(self, run: RunFolder, every_steps: int):
        super().__init__(every_steps)
        self.run = run
        self._pause = 0.0

    def is_due(self, step, now):
        """Every so many steps, but not more often than its share of the time allows."""
        return super().is_due(step, now) and now - self.last_moment >= self._pause

    def act(self, epoch, logs):
        """Write the page, which reloads itself."""
        self._write(live=True)

    def finish(self, epoch, logs):
        """Write the page as it stays."""
        self._write(live=False)

    def _write(self, live: bool) -> None:
        began = time.monotonic()
        with keep_training("index.html"):
            self.run.restore()
            write_run_page(self.run.path, live)
        self._pause = (time.monotonic() - began) / TIME_SHARE
