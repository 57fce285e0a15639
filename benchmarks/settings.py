"""The rows of the table, and the size of what is measured."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

PRECISIONS = ("float32", "mixed_bfloat16")
TINY = {"img_size": [16, 16, 3], "depth": 2, "increment": 4, "input_size": 8, "batch_size": 4}


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        what, result: what was measured, and the ratio, share or time.
        target: what the result should be, or nothing.
        source: the measurements that the result was computed from.
    """

    what: str
    result: str
    target: str = ""
    source: str = ""


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        quick: tiny networks, to see that it works.
        gpu: large batches, only mixed_bfloat16, short steps.
        rounds: how often each job is measured, in turns.
        plot: file of the plot of the cost.
        precisions: those of the models that are worth measuring.
    """

    quick: bool
    gpu: bool
    rounds: int
    plot: Path
    precisions: tuple[str, ...] = PRECISIONS

    @property
    def scale(self) -> float:
        """Factor of the shapes that the peak is measured on."""
        return 1 / 32 if self.quick else 32 if self.gpu else 1

    def network(self, **options) -> dict:
        """Options of a model; tiny ones for a quick run."""
        if self.quick:
            shaping = ("preset", "img_size", "network_plan")
            options = {n: v for n, v in options.items() if n not in shaping} | TINY
        return options

    def count(self, seconds_per_step: float, seconds: float = 2.5) -> int:
        """Number of steps that fill so many seconds, or one on a GPU; at least two."""
        seconds = 1.0 if self.gpu else seconds
        return 2 if self.quick else max(2, round(seconds / seconds_per_step))


def torch_is_installed() -> bool:
    """Whether PyTorch is installed, so that there is a reference to compare with."""
    return importlib.util.find_spec("torch") is not None
