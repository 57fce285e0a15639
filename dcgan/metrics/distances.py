"""FID and KID: distances between generated and real images, from their features."""

import numpy as np

from dcgan.metrics.estimate import NORMAL_95, Estimate, withheld

# Below this the covariance of Inception's 2,048 features is singular and FID mostly measures the
# number of images (README of the TTUR repository, Heusel et al. 2017).
FID_LEAST = 2_048
KID_LEAST = 4  # two halves of two: fewer have no spread
ROWS = 1_024  # of a kernel matrix at a time: bounds the memory


def fid(real: np.ndarray, fake: np.ndarray, network: str = "") -> Estimate:
    """Frechet distance between Gaussians fitted to both sets (Heusel et al. 2017, section 2).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). Biased upwards for few images, so it is withheld
    below 2,048 of either kind. It has no interval.

    Takes features, float64 (n, d) and (m, d), and the name of their network for the record.
    """
    n, m = len(real), len(fake)
    if min(n, m) < FID_LEAST:
        what = "Use KID" if n < FID_LEAST else f"Ask for n={FID_LEAST}"
        reason = f"FID needs {FID_LEAST:,} images of each kind; there are {n:,} and {m:,}. {what}"
        return withheld("FID", n, m, network, reason)
    shift = real.mean(0) - fake.mean(0)
    real_covariance, fake_covariance = (
        np.atleast_2d(np.cov(x, rowvar=False)) for x in (real, fake)
    )
    values, vectors = np.linalg.eigh(real_covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    # C1 C2 and root C2 root have the same eigenvalues, and the latter is symmetric.
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ fake_covariance @ root), 0)).sum()
    value = shift @ shift + np.trace(real_covariance) + np.trace(fake_covariance) - 2 * cross
    return Estimate("FID", float(value), None, None, n, m, network)


def kid(real: np.ndarray, fake: np.ndarray, network: str = "") -> Estimate:
    """Unbiased squared MMD under the kernel (x.y / d + 1)^3 (Binkowski et al. 2018, section 4).

    All pairs are used, so the value does not depend on random blocks. The interval comes from each
    image's influence on the value (the delta method for U-statistics); a plain bootstrap would
    draw images twice and count their likeness to themselves. Where both sets come from the same
    source it is somewhat too wide. The value may be below zero: its mean is zero where there is no
    difference.

    Takes features, float64 (n, d) and (m, d), and the name of their network for the record.
    """
    n, m = len(real), len(fake)
    if min(n, m) < KID_LEAST:
        return withheld("KID", n, m, network, f"KID needs {KID_LEAST} images of each kind")
    within_real, within_fake = _mean_kernel(real), _mean_kernel(fake)
    to_fake, to_real = _mean_kernel(real, fake), _mean_kernel(fake, real)
    value = within_real.mean() + within_fake.mean() - 2 * to_fake.mean()
    spread = _standard_error(2 * (within_real - to_fake), 2 * (within_fake - to_real))
    return _with_error("KID", value, spread, n, m, network)


def kid_difference(
    real: np.ndarray, first: np.ndarray, second: np.ndarray, network: str = ""
) -> Estimate:
    """KID of `first` less KID of `second`, both against the same real images.

    Below zero, `first` is nearer to the real ones. The real images' own spread, which both KIDs
    share, mostly cancels, so this tells apart what two separate intervals do not.

    Takes features, float64 (n, d), (m, d) and (l, d), and what else `kid` does.
    """
    n, m = len(real), min(len(first), len(second))
    name = "KID difference"
    if min(n, m) < KID_LEAST:
        return withheld(name, n, m, network, f"KID needs {KID_LEAST} images of each kind")
    to_first, to_second = _mean_kernel(real, first), _mean_kernel(real, second)
    within_first, within_second = _mean_kernel(first), _mean_kernel(second)
    value = within_first.mean() - within_second.mean() - 2 * (to_first.mean() - to_second.mean())
    spread = _standard_error(
        2 * (to_second - to_first),  # of the real images, which both have in common
        2 * (within_first - _mean_kernel(first, real)),
        2 * (within_second - _mean_kernel(second, real)),
    )
    return _with_error(name, value, spread, n, m, network)


def _mean_kernel(rows: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
    """Mean kernel of each row with all `columns`; None: with all rows but itself. Float (rows,)."""
    others = rows if columns is None else columns
    means = np.empty(len(rows))
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        kernel = (part @ others.T / rows.shape[1] + 1) ** 3
        if columns is None:
            here = np.arange(len(part))
            kernel[here, start + here] = 0
        means[start : start + ROWS] = kernel.sum(1)
    return means / (len(others) - (columns is None))


def _standard_error(*influences: np.ndarray) -> float:
    """Standard error of a statistic from the influence of each image, per independent set."""
    return float(np.sqrt(sum(np.var(values, ddof=1) / len(values) for values in influences)))


def _with_error(name: str, value: float, error: float, n: int, m: int, network: str) -> Estimate:
    half = NORMAL_95 * error
    return Estimate(name, float(value), float(value - half), float(value + half), n, m, network)
