"""Leaking augmentation: the share of samples that look augmented."""

from collections.abc import Callable

import numpy as np

from dcgan.images import chunks, premultiply

MIN_IMAGES = 20  # images of each kind: fewer do not describe a distribution
CHANCE = 0.05  # of real images count as looking augmented: where the line is drawn
TOLD = 0.4  # of the augmented ones must be beyond the line: weak augmentation cannot be told
RIDGE = 1e-3  # added to variances, as a share of the real ones: some sets have no color at all
LEAST_WIDTH = 0.02  # below, what varies is rounding: some sets are gray, saved as color


def leaked(samples: np.ndarray, real: np.ndarray, augmented: np.ndarray) -> float | None:
    """The share of samples that look augmented, where 5 % of the real images do.

    Looked at are the colors (brightness, contrast, saturation) and the edges (a shift repeats
    them, so that they are flat); the larger share counts. For each a normal distribution is fitted
    to `real` and to `augmented`, and an image looks augmented if the ratio of the two densities
    is larger than for 95 % of the real ones, and its density under the augmented ones is above
    their lowest 5 %: an image that is unlike both is no sign of augmentation.

    Args:
        samples: generated images, uint8 (n, H, W, C).
        real: at least 20 real ones.
        augmented: real ones as the discriminator sees them, at least 20.

    Returns:
        in [0, 1]; None where the augmentation is too weak to be told at all.
    """
    kinds = zip(_statistics(samples), _statistics(real), _statistics(augmented), strict=True)
    shares = [share for kind in kinds if (share := _share(*kind)) is not None]
    return max(shares, default=None)


def _share(samples: np.ndarray, real: np.ndarray, augmented: np.ndarray) -> float | None:
    """The share of samples that look augmented by these statistics, if those can tell at all."""
    center, width = real.mean(0), np.maximum(real.std(0), LEAST_WIDTH)
    samples, real, augmented = ((kind - center) / width for kind in (samples, real, augmented))
    as_augmented, as_real = _density(augmented), _density(real)
    line = np.quantile(as_augmented(real) - as_real(real), 1 - CHANCE)
    strange = np.quantile(as_augmented(augmented), CHANCE)

    def look_augmented(kind: np.ndarray) -> float:
        density = as_augmented(kind)
        return float(((density - as_real(kind) > line) & (density >= strange)).mean())

    return look_augmented(samples) if look_augmented(augmented) >= TOLD else None


def _statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the colors (n, 3) and of the edges (n, 2), float64; logarithms of what is multiplied."""
    parts = chunks(len(images), images.shape[1:])
    kinds = zip(*(_statistics_at_once(images[part]) for part in parts), strict=True)
    colors, edges = (np.concatenate(kind) for kind in kinds)
    return colors, edges


def _statistics_at_once(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if images.shape[-1] == 4:  # what cannot be seen has no color
        images = premultiply(images)
    colors = images[..., :3].astype(np.float32) / 255
    gray = colors.mean(-1)
    contrast, saturation = gray.std((1, 2)), (colors - gray[..., None]).std((1, 2, 3))
    edges = []
    for axis in (1, 2):
        steps = np.abs(np.diff(gray, axis=axis)).mean(3 - axis)  # how much neighbours differ
        edges.append(np.minimum(steps[:, 0], steps[:, -1]) / (steps.mean(1) + 1e-3))
    of_colors = [gray.mean((1, 2)), np.log(contrast + 0.01), np.log(saturation + 0.01)]
    of_edges = [np.log(edge + 0.01) for edge in edges]
    return np.stack(of_colors, 1).astype(np.float64), np.stack(of_edges, 1).astype(np.float64)


def _density(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The logarithm of the density (but for a constant) of a normal distribution fitted to them."""
    center = values.mean(0)
    covariance = np.cov(values.T) + RIDGE * np.eye(values.shape[1])
    inverse, scale = np.linalg.inv(covariance), np.linalg.slogdet(covariance)[1]

    def logarithm(at: np.ndarray) -> np.ndarray:
        away = at - center
        return -0.5 * (np.einsum("ni,ij,nj->n", away, inverse, away) + scale)

    return logarithm
