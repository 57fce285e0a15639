"""The methods of `DCGAN` that begin from something there is: a preset, a run or a trained model."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Self

from dcgan.errors import RunError
from dcgan.networks.build import build_discriminator, build_generator
from dcgan.networks.presets import preset_options
from dcgan.storage.checkpoints import CheckpointStore
from dcgan.training.resume import run_options
from dcgan.training.state import restore
from dcgan.training.transfer import start_from


class Starting:
    """Ways to begin, besides the constructor and `load`."""

    _learner: Callable
    build_generator = staticmethod(build_generator)  # a subclass may build its own networks
    build_discriminator = staticmethod(build_discriminator)

    @classmethod
    def has_own_networks(cls) -> bool:
        """Whether a subclass builds other networks than those of the plan."""
        own = (cls.build_generator, cls.build_discriminator)
        return own != (Starting.build_generator, Starting.build_discriminator)

    @classmethod
    def resume(cls, path: str | PathLike) -> Self:
        """The newest state of the run in a folder; `fit()` continues with the run's own images.

        Raises `RunError` where there is no run, or its options are damaged.
        """
        options = run_options(Path(path))
        if not options:
            raise RunError(
                f"There is no run in {str(path)!r}: it holds no options.json. Give the folder that "
                "a training has filled."
            )
        gan = cls(**{**options, "save_path": path})  # type: ignore[call-arg]
        if checkpoint := CheckpointStore(Path(path, "checkpoints")).newest():
            restore(gan._learner(), checkpoint.document["training"], checkpoint.arrays)
        return gan

    def start_from(self, path: str | PathLike) -> tuple[int, int]:
        """Take over the weights of a `.dcgan` file where layers fit, to train on other images.

        The model may have another image size or depth. Returns the number of layers taken over
        and of all layers; raises `ArgumentError` if none fits.
        """
        return start_from(self._learner(), path)

    @classmethod
    def from_preset(cls, preset: str, *, recipe: str = "original", **changes: Any) -> Self:
        """A new DCGAN with the networks of a known system (see `dcgan.list_presets`).

        The recipe "original" trains as its authors did, but for `changes`; "own" does not.
        """
        return cls(**preset_options(preset, recipe, changes))  # type: ignore[call-arg]
