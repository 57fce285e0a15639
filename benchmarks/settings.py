"""What is a row of the table, and how large is what is measured?"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

PRECISIONS = ("float32", "mixed_bfloat16")
TINY = {"img_size": [16, 16, 3], "depth": 2, "increment": 4, "input_size": 8, "batch_size": 4}


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what, figure: what was measured, and the ratio or share that came out.
        target: what the figure should be, or nothing.
        source: the measurements that the figure was made from.
    """

    what: str
    figure: str
    target: str = ""
    source: str = ""


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        quick: tiny networks, to see that it works.
        gpu: large batches, mixed_bfloat16 alone, short steps.
        rounds: how often each thing is measured, in turns.
        plot: file of the cost's plot.
        precisions: of the models, those worth measuring.
    """

    quick: bool
    gpu: bool
    rounds: int
    plot: Path
    precisions: tuple[str, ...] = PRECISIONS

    @property
    def scale(self) -> float:
        """Of the shapes that the peak is measured on."""
        return 1 / 32 if self.quick else 32 if self.gpu else 1

    def network(self, **options) -> dict:
        """Options of a model; tiny ones for a quick run."""
        if self.quick:
            shaping = ("preset", "img_size", "network_plan")
            options = {n: v for n, v in options.items() if n not in shaping} | TINY
        return options

    def count(self, seconds_per_step: float, seconds: float = 2.5) -> int:
        """How many steps fill so many seconds, at least two."""
        return 2 if self.quick else max(2, round(seconds / seconds_per_step))


def torch_is_installed() -> bool:
    """Whether there is a reference to compare with."""
    return importlib.util.find_spec("torch") is not None
