"""Grids of samples from the same latents, every so many steps."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from dcgan.images import RUN_IMAGE, enlarged_grid, save_png
from dcgan.pages.development import write_animation
from dcgan.storage.run_folder import RunFolder
from dcgan.training.callbacks.schedule import Task, keep_training
from dcgan.training.state import Learner

SAMPLE_COUNT = 36


class Previews(Task):
    """Writes `samples/step_0000500_epoch_0012.png`, and at the end `samples.png` too.

    Every grid shows the same latents, those of seed 0, so that one can watch an image develop.

    Args:
        callbacks: the user's; a `keras.callbacks.TensorBoard` among them gets every grid too.
    """

    by_clock = False

    def __init__(self, run: RunFolder, learner: Learner, callbacks: Sequence = ()):
        super().__init__(learner.options.sample_steps)
        self.run = run
        self.learner = learner
        self.boards = [c for c in callbacks if isinstance(c, keras.callbacks.TensorBoard)]

    def act(self, epoch, logs):
        """Write a grid."""
        step = self.learner.state.step
        samples = self._write(self.run.samples_path / f"step_{step:07d}_epoch_{epoch:04d}.png")
        for board in self.boards:
            folder = str(Path(board.log_dir) / "train")
            writer = board.summary.create_file_writer(folder, filename_suffix=f".samples-{step}")
            with writer.as_default(), board.summary.record_if(True):
                board.summary.image("samples", samples[None], step=step)
            writer.close()

    def finish(self, epoch, logs):
        """Write the last grid, and the animation of all grids."""
        if epoch and self.learner.state.step % self.every_steps:  # not where nothing was trained
            self.act(epoch, logs)
        self._write(self.run.path / "samples.png")
        write_animation(self.run.path, self.learner.options.img_size)

    def _write(self, path: Path) -> np.ndarray:
        """Write a grid, and return it: uint8 `(height, width, C)`."""
        samples = enlarged_grid(self.learner.generate(SAMPLE_COUNT))
        with keep_training(str(path)):
            self.run.restore()
            save_png(path, samples, RUN_IMAGE)
        return samples
