"""Precision, recall, density and coverage, from features."""

from collections.abc import Iterator

import numpy as np

from dcgan.metrics.estimate import Estimate, mean_interval, share_interval, withheld

PRECISION_NEIGHBOURS = 3  # Kynkaanniemi et al. 2019, section 3
COVERAGE_NEIGHBOURS = 5  # Naeem et al. 2020, section 5 and its code
ROWS = 1_024  # of a distance matrix at a time: bounds the memory


def manifold_estimates(real: np.ndarray, fake: np.ndarray, network: str = "") -> list[Estimate]:
    """Precision and recall, density and coverage, as four estimates in this order.

    Around each image lies a ball that just reaches its k-th nearest neighbour of its own kind.
    Precision is the share of fakes within a ball of a real image, recall the share of real ones
    within a ball of a fake (Kynkaanniemi et al. 2019, arXiv 1904.06991, k = 3). Density is by how
    many real balls a fake is covered, divided by k, coverage the share of real balls that hold a
    fake (Naeem et al. 2020, arXiv 2002.09797, k = 5). Density may exceed 1. Where both kinds come
    from one source and n = m, density is 1 on average and coverage 1 - 2^-5 or a little more.
    All four change with the counts: compare only estimates with equal ones. Each interval is over
    the images that are counted, taking the others as given.

    Takes features, float64 (n, d) and (m, d), and the name of their network for the record.
    """
    n, m = len(real), len(fake)
    names = ("precision", "recall", "density", "coverage")
    if min(n, m) <= COVERAGE_NEIGHBOURS:
        reason = f"more than {COVERAGE_NEIGHBOURS} images of each kind are needed"
        return [withheld(name, n, m, network, reason) for name in names]
    small, large = _radii(real, (PRECISION_NEIGHBOURS, COVERAGE_NEIGHBOURS))
    (fake_radii,) = _radii(fake, (PRECISION_NEIGHBOURS,))
    precise, recalled, covered = np.zeros(m, bool), np.zeros(n, bool), np.zeros(n, bool)
    balls = np.zeros(m)
    for start, distance in _distances(real, fake):
        here = slice(start, start + len(distance))
        precise |= (distance <= small[here, None]).any(0)
        recalled[here] = (distance <= fake_radii).any(1)
        inside = distance <= large[here, None]
        balls += inside.sum(0)
        covered[here] = inside.any(1)
    density = balls / COVERAGE_NEIGHBOURS
    counted = ((precise, share_interval), (recalled, share_interval), (density, mean_interval))
    return [
        Estimate(name, float(values.mean()), *interval(values), n, m, network)
        for name, (values, interval) in zip(
            names, (*counted, (covered, share_interval)), strict=True
        )
    ]


def squared_distances(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Squared Euclidean distance of each row to each column: (n, d), (m, d) to (n, m)."""
    squares = (rows**2).sum(1)[:, None] + (columns**2).sum(1)
    return np.maximum(squares - 2 * rows @ columns.T, 0)


def _distances(rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (number of the first row, squared distances of some rows to all columns)."""
    for start in range(0, len(rows), ROWS):
        yield start, squared_distances(rows[start : start + ROWS], columns)


def _radii(points: np.ndarray, neighbours: tuple[int, ...]) -> list[np.ndarray]:
    """Squared distance of each point to its k-th nearest other one, for each k; float (n,) each."""
    radii = np.empty((len(neighbours), len(points)))
    for start, distance in _distances(points, points):
        here = np.arange(len(distance))
        distance[here, start + here] = 0  # rounding may have moved it; itself is the 0-th nearest
        nearest = np.partition(distance, neighbours, axis=1)
        radii[:, start : start + len(distance)] = nearest[:, neighbours].T
    return list(radii)
