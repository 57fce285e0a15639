"""FID and KID: what the formulas say, on numbers worked out by hand."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from dcgan.metrics.distances import FID_LEAST, fid, kid, kid_difference
from dcgan.metrics.estimate import Estimate, mean_interval, share_interval

pytestmark = pytest.mark.once


def normals(count, width=4, seed=0, shift=0.0, scale=1.0):
    return shift + scale * np.random.default_rng(seed).standard_normal((count, width))


def test_fid_of_a_set_with_itself_is_zero():
    points = normals(FID_LEAST)
    # Rounding only: square roots of eigenvalues of order 1, in float64.
    assert fid(points, points).value == pytest.approx(0, abs=1e-10)


def test_fid_is_symmetric():
    first, second = normals(FID_LEAST), normals(FID_LEAST, seed=1, shift=0.3, scale=1.5)
    assert fid(first, second).value == pytest.approx(fid(second, first).value, rel=1e-9)


def test_fid_of_a_shifted_copy_is_the_squared_shift():
    points, shift = normals(FID_LEAST), np.array([3.0, 0.0, -4.0, 0.0])
    # Exact: the covariances are the same, so only |shift|^2 = 9 + 16 is left.
    assert fid(points, points + shift).value == pytest.approx(25, rel=1e-9)


def test_fid_of_a_stretched_copy_is_the_closed_form():
    points = normals(FID_LEAST)
    points -= points.mean(0)
    # Exact: tr(C + 9 C - 2 * 3 C) = 4 tr(C).
    expected = 4 * np.trace(np.cov(points, rowvar=False))
    assert fid(points, 3 * points).value == pytest.approx(expected, rel=1e-9)


def test_fid_of_two_gaussians_is_near_the_distance_of_the_distributions():
    first, second = normals(20_000, 2), normals(20_000, 2, seed=1, shift=1.0, scale=2.0)
    # |shift|^2 + d (2 - 1)^2 = 2 + 2. Means err by sqrt(5 / 20,000) = 0.016 per axis, which twice
    # the shift of 1 doubles: 0.032 per axis, 0.045 together; the scales add 0.02. Four of those.
    assert fid(first, second).value == pytest.approx(4, abs=4 * 0.05)


def test_fid_of_distributions_that_do_not_commute():
    a, b = np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([[1.0, -0.5], [-0.5, 3.0]])
    white = normals(FID_LEAST, 2)
    white = (white - white.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T))).T
    first, second = (white @ np.linalg.cholesky(c).T for c in (a, b))
    # For 2 x 2: tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)), with M = A B.
    root = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    assert fid(first, second).value == pytest.approx(np.trace(a + b) - 2 * root, rel=1e-9)


def test_fid_is_withheld_below_2048_images_with_the_reason():
    estimate = fid(normals(FID_LEAST - 1), normals(FID_LEAST))
    assert estimate.value is None
    assert "2,048" in estimate.reason and "2,047" in estimate.text()


def test_kid_equals_the_sum_written_out():
    real, fake = np.array([[1.0], [2.0], [0.0], [1.0]]), np.array([[0.0], [3.0], [1.0], [-1.0]])

    def kernel(x, y):
        return (x[0] * y[0] / 1 + 1) ** 3

    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    expected = sum(kernel(real[i], real[j]) + kernel(fake[i], fake[j]) for i, j in pairs) / 12
    expected -= 2 * sum(kernel(x, y) for x in real for y in fake) / 16
    assert kid(real, fake).value == pytest.approx(expected, rel=1e-12)


def test_kid_is_symmetric():
    first, second = normals(50), normals(70, seed=1, shift=0.5)
    assert kid(first, second).value == pytest.approx(kid(second, first).value, rel=1e-12)


def test_kid_does_not_depend_on_the_rows_at_a_time(monkeypatch):
    first, second = normals(50), normals(70, seed=1, shift=0.5)
    whole = kid(first, second)
    monkeypatch.setattr("dcgan.metrics.distances.ROWS", 7)
    parts = kid(first, second)
    assert (parts.value, parts.low) == pytest.approx((whole.value, whole.low), rel=1e-12)


def test_kid_of_shifted_gaussians_is_the_closed_form():
    real, fake = normals(4_000, 1), normals(4_000, 1, seed=1, shift=0.5)
    # k(x, y) = 1 + 3xy + 3x^2y^2 + x^3y^3, so MMD^2 = 3 (dm1)^2 + 3 (dm2)^2 + (dm3)^2 with the
    # differences of the raw moments: 0.5, 0.25 and 0.5^3 + 3 * 0.5.
    expected = 3 * 0.5**2 + 3 * 0.25**2 + 1.625**2
    estimate = kid(real, fake)
    assert estimate.low < expected < estimate.high
    assert estimate.high - estimate.low < expected  # and the interval says something


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_kid_interval_holds_the_truth_as_often_as_it_says(shift):
    random, held = np.random.default_rng(0), 0
    # Raw moments of numbers evenly spread over [shift, shift + 1].
    m1, m2, m3 = (((shift + 1) ** (k + 1) - shift ** (k + 1)) / (k + 1) for k in (1, 2, 3))
    truth = 3 * (m1 - 1 / 2) ** 2 + 3 * (m2 - 1 / 3) ** 2 + (m3 - 1 / 4) ** 2
    for _ in range(100):
        estimate = kid(random.random((200, 1)), shift + random.random((200, 1)))
        held += estimate.low <= truth <= estimate.high
    # 95 expected; four standard errors of 2.2 below.
    assert held >= 86


def test_kid_of_the_same_source_is_not_far_from_zero_in_the_mean():
    values = [kid(normals(20, 2, seed=s), normals(30, 2, seed=s + 500)).value for s in range(200)]
    # Unbiased: the mean is zero within four standard errors.
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))


def test_difference_of_kids_is_the_difference():
    real, first, second = normals(60), normals(50, seed=1, shift=0.2), normals(40, seed=2)
    expected = kid(real, first).value - kid(real, second).value
    assert kid_difference(real, first, second).value == pytest.approx(expected, rel=1e-9)


def test_difference_is_surer_than_two_kids_apart():
    real = normals(100, seed=3)
    fake = normals(2_000, seed=1, shift=0.5)
    first, second = kid(real, fake[:1_000]), kid(real, fake[1_000:] + 0.1)
    both = kid_difference(real, fake[:1_000], fake[1_000:] + 0.1)
    assert both.high < 0
    assert both.high - both.low < first.high - first.low + second.high - second.low


def test_too_few_images_withhold_kid():
    assert kid(normals(3), normals(30)).value is None
    assert kid_difference(normals(30), normals(3), normals(30)).value is None


def test_estimate_becomes_json():
    estimate = Estimate("KID", 0.5, 0.4, 0.6, 10, 20, "random")
    assert json.loads(json.dumps(asdict(estimate)))["n_fake"] == 20
    assert estimate.text() == "0.5 [0.4, 0.6]"


def test_interval_of_a_share_is_wilsons():
    low, high = share_interval(np.array([True] * 8 + [False] * 2))
    # Wilson's center and half width for 8 of 10 and z = 1.96: 0.7166 +- 0.2268.
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share_interval(np.ones(10, bool))[0] == pytest.approx(0.7225, abs=1e-4)


def test_interval_of_a_share_of_nothing_or_all_ends_there():
    assert share_interval(np.zeros(1000, bool))[0] == 0.0
    assert share_interval(np.ones(1000, bool))[1] == 1.0


def test_equal_values_tell_nothing_of_their_spread():
    assert mean_interval(np.zeros(5)) == (None, None)
