"""What `DCGAN.fit` was asked to do: its arguments, checked, and how long to train."""

from dataclasses import dataclass
from typing import Any

from dcgan.errors import ArgumentError, real, refuse, whole
from dcgan.inspection.advice import USUAL_STEPS

NO_LIMIT = 10**9  # epochs, where only the clock ends a run


@dataclass(frozen=True)
class Request:
    """The arguments of `DCGAN.fit` that say how to train, checked."""

    epochs: int | None
    minutes: float | None
    steps_per_epoch: int | None
    initial_epoch: int
    callbacks: object
    validation_data: object
    verbose: int | str
    resume: bool

    def __post_init__(self) -> None:
        if self.epochs is not None:
            whole("epochs", self.epochs, 1, NO_LIMIT)
        if self.minutes is not None:
            real("minutes", self.minutes, 1e-6, 1e6)
        if self.steps_per_epoch is not None:
            whole("steps_per_epoch", self.steps_per_epoch, 1, NO_LIMIT)
        whole("initial_epoch", self.initial_epoch, 0, NO_LIMIT)
        if self.verbose not in (0, 1, 2, "auto"):
            refuse("verbose", "0, 1, 2 or 'auto'", self.verbose)

    def last_epoch(self, steps: int | None) -> int:
        """The epoch after which to end, where an epoch has `steps` steps."""
        if self.epochs is not None:
            return self.epochs
        if self.minutes is not None:
            return NO_LIMIT
        if steps is None:
            raise ArgumentError(
                "epochs or minutes must be given, since the dataset does not say how many batches "
                "make an epoch."
            )
        return max(1, round(USUAL_STEPS / steps))

    def user_callbacks(self) -> list:
        """The user's callbacks as a list."""
        if self.callbacks is None:
            return []
        given = self.callbacks
        callbacks: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
        for callback in callbacks:  # Keras knows of its own metrics alone which way is better
            if getattr(callback, "mode", None) == "auto":
                ways = {"rkid": "min", "variety": "max"}
                callback.mode = ways.get(getattr(callback, "monitor", ""), "auto")
        return callbacks


@dataclass(frozen=True)
class Length:
    """How long to train: the steps of an epoch (None: unknown), and the last epoch."""

    steps: int | None
    last_epoch: int

    @property
    def total(self) -> int | None:
        """Steps at which the run ends, or None where only the clock ends it."""
        return self.steps * self.last_epoch if self.steps and self.last_epoch < NO_LIMIT else None
