"""What does it look like so far? Grids of samples from the same latents, every so many steps."""

from dcgan.images import RUN_IMAGE, grid, save_png
from dcgan.training.callbacks import going_on
from dcgan.training.callbacks.schedule import EverySteps

SAMPLE_COUNT = 36
SAMPLE_STEPS = 200


class SampleGrids(EverySteps):
    """Writes `samples/image_at_epoch_0012_step_0000500.png`, and at the end `samples.png` too.

    Every grid shows the same latents (those of seed 0), so that one can watch a image grow.

    Args:
        run: the run folder.
        every: steps between two grids.
    """

    def __init__(self, run, every: int = SAMPLE_STEPS):
        super().__init__(every)
        self.run = run

    def act(self, logs: dict) -> None:
        """Write a grid."""
        step = self.model.record["step"]
        self._write(self.run.samples / f"image_at_epoch_{self.epoch:04d}_step_{step:07d}.png")

    def on_train_end(self, logs=None):
        """Write the last grid, which ends the film too."""
        if self.epoch and self.model.record["step"] % self.every:  # not where nothing was trained
            self.act({})
        self._write(self.run.path / "samples.png")

    def _write(self, path) -> None:
        with going_on(str(path)):
            save_png(path, grid(self.model.generate(SAMPLE_COUNT)), RUN_IMAGE)
