"""An estimate: a number with its interval, its counts and the feature network behind it."""

import math
from dataclasses import dataclass

import numpy as np

NORMAL_95 = 1.959964  # the standard normal lies within +- this in 95 % of cases


@dataclass(frozen=True)
class Estimate:
    """One measured number; or, where none can be given, the reason why.

    Args:
        name: what was measured, such as "KID".
        value: the number, or None where it is withheld.
        low, high: its 95 % interval, or None where none is known.
        n_real, n_fake: from how many real and generated images.
        network: name of the feature network; estimates of different networks cannot be compared.
        reason: why `value` is withheld.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n_real: int
    n_fake: int
    network: str
    reason: str = ""

    def text(self) -> str:
        """`0.0123 [0.0101, 0.0145]`, or `withheld: ` and the reason."""
        if self.value is None:
            return f"withheld: {self.reason}"
        interval = "" if self.low is None else f" [{self.low:.3g}, {self.high:.3g}]"
        return f"{self.value:.3g}{interval}"


def withheld(name: str, n_real: int, n_fake: int, network: str, reason: str) -> Estimate:
    """An estimate that is not given, for a reason."""
    return Estimate(name, None, None, None, n_real, n_fake, network, reason)


def mean_interval(values: np.ndarray) -> tuple[float | None, float | None]:
    """95 % interval of a mean, from the spread of the values: float (n,), n at least 2.

    None, None where all are equal, for then nothing is known of their spread.
    """
    if values.min() == values.max():
        return None, None
    half = NORMAL_95 * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    mean = float(np.mean(values))
    return mean - half, mean + half


def share_interval(hits: np.ndarray) -> tuple[float, float]:
    """95 % interval of a share, from bool (n,) (Wilson 1927: also sound near 0 and 1)."""
    n, share, z = len(hits), float(np.mean(hits)), NORMAL_95
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # at the ends the interval is one-sided, which rounding would hide
    return center - half if share > 0 else 0.0, center + half if share < 1 else 1.0
