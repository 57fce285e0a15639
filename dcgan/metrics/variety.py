"""The variety of samples as a share of the real images' variety."""

import math

import numpy as np

from dcgan.images import evenly, thumbnails
from dcgan.metrics.manifold import squared_distances

SIDE = 16  # pixels: noise on top of one and the same image is no variety, and averages out here
MOST = 500  # images of each kind: bounds the time
# Below it, samples are all alike. Ten images over and over, slightly noisy, have 5 % of the variety
# of 200 photographs or digits; blurred draws from a Gaussian fitted to the real pixels over 40 %.
MIN_VARIETY = 0.25


def variety(samples: np.ndarray, real: np.ndarray) -> float:
    """The samples' variety as a share of the real images'; about 1 for a healthy model.

    Where there are more of one kind, its groups of as many as there are of the other are averaged.

    The smaller of two ratios at 16 x 16 pixels: of the total variance (low where all samples are
    alike), and of the mean distance to the nearest other one (low where there are a few kinds,
    each made again and again).

    Args:
        samples, real: uint8 (n, H, W, C), at least 2 of each. Equal counts are compared.
    """
    count = min(len(samples), len(real), MOST)
    (variance, gap), (real_variance, real_gap) = (_spread(p, count) for p in (samples, real))
    if real_variance == 0:  # equal images: nothing to be varied about
        return 1.0
    of_gaps = gap / real_gap if real_gap else math.inf  # every real image is there twice
    return min(variance / real_variance, of_gaps)


def variance_share(samples: np.ndarray, real: np.ndarray) -> float:
    """The samples' total variance at 16 x 16 pixels as a share of the real images'.

    Near 0 where all samples are alike; unlike `variety`, not low where there are a few kinds.

    Args:
        samples, real: uint8 (n, H, W, C).
    """
    of_samples, of_real = (float(thumbnails(i, SIDE).var(0).sum()) for i in (samples, real))
    return of_samples / of_real if of_real else 1.0


def _spread(images: np.ndarray, count: int) -> tuple[float, float]:
    """Total variance, and mean distance to the nearest other image, in groups of `count`."""
    groups = min(len(images), MOST) // count
    chosen = images[evenly(len(images), groups * count)]
    flat = thumbnails(chosen, SIDE).reshape(groups, count, -1).astype(np.float64)
    gaps = []
    for group in flat:
        distance = squared_distances(group, group)
        np.fill_diagonal(distance, np.inf)
        gaps.append(np.sqrt(distance.min(1)).mean())
    return float(flat.var(1).sum(1).mean()), float(np.mean(gaps))
