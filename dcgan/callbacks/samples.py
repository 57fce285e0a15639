"""What does it look like so far? Grids of samples from the same latents, every so many steps."""

import keras

from dcgan.callbacks import going_on
from dcgan.callbacks.clock import passed
from dcgan.images import RUN_PICTURE, grid, save_png

SAMPLE_COUNT = 36
SAMPLE_STEPS = 200


class SampleGrids(keras.callbacks.Callback):
    """Writes `samples/image_at_epoch_0012_step_0000500.png`, and `samples.png` at the end.

    Every grid shows the same latents (those of seed 0), so that one can watch a picture grow.

    Args:
        run: the run folder.
        every: steps between two grids.
    """

    def __init__(self, run, every: int = SAMPLE_STEPS):
        super().__init__()
        self.run = run
        self.every = every

    def on_train_begin(self, logs=None):
        """Remember which grid was the last, when training goes on."""
        self._last = self.model.record["step"]

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the epoch for the file names."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        """Write a grid when `every` steps have passed."""
        step = self.model.record["step"]
        if passed(step, self._last, self.every):
            name = f"image_at_epoch_{self._epoch:04d}_step_{step:07d}.png"
            self._write(self.run.samples / name)
        self._last = step

    def on_train_end(self, logs=None):
        """Write the last grid."""
        self._write(self.run.path / "samples.png")

    def _write(self, path) -> None:
        with going_on(str(path)):
            save_png(path, grid(self.model.generate(SAMPLE_COUNT)), RUN_PICTURE)
