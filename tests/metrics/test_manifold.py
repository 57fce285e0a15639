"""Do precision, recall, density and coverage count what their papers say?"""

import numpy as np
import pytest

from dcgan.metrics.manifold import manifold_estimates


def shares(real, fake):
    return {f.name: f.value for f in manifold_estimates(np.asarray(real), np.asarray(fake))}


def points(*values):
    return np.array(values, float)[:, None]


def test_counted_by_hand():
    real = points(0, 1, 2, 3, 4, 5, 6)
    fake = points(0, 3.5, 20, 21, 22, 23, 24)
    found = shares(real, fake)
    # Radii of the real balls for k = 3: 3, 2, 2, 2, 2, 2, 3; for k = 5: 5, 4, 3, 3, 3, 4, 5.
    assert found["precision"] == pytest.approx(2 / 7)
    # Fake radii for k = 3: 21, 17.5, 3, 2, 2, 2, 3: the balls of 0 and 3.5 hold all real points.
    assert found["recall"] == 1
    # 0 lies in the balls of 0, 1, 2, 3 (at their edge); 3.5 in those of all: 11 / (5 * 7).
    assert found["density"] == pytest.approx(11 / 35)
    assert found["coverage"] == 1


def test_a_set_against_itself_is_perfect():
    real = np.random.default_rng(0).standard_normal((100, 8))
    found = shares(real, real)
    assert (found["precision"], found["recall"], found["coverage"]) == (1, 1, 1)


def test_equal_images_count_as_alike():
    assert shares(np.ones((20, 4)), np.ones((20, 4)))["coverage"] == 1


def test_sets_far_apart_share_nothing():
    real = np.random.default_rng(0).standard_normal((50, 8))
    assert set(shares(real, real + 100).values()) == {0}


def test_same_source_has_the_density_and_coverage_of_the_paper():
    random = np.random.default_rng(0)
    trials = [shares(*random.standard_normal((2, 200, 64))) for _ in range(20)]
    # 1 - product over i of (n - i) / (2n - i), i = 1 to 5 (Naeem et al. 2020, section 4).
    expected = 1 - np.prod([(200 - i) / (400 - i) for i in range(1, 6)])
    coverage = [trial["coverage"] for trial in trials]
    density = [trial["density"] for trial in trials]
    # Within four standard errors of the 20 trials.
    assert abs(np.mean(coverage) - expected) < 4 * np.std(coverage) / np.sqrt(20)
    assert abs(np.mean(density) - 1) < 4 * np.std(density) / np.sqrt(20)


def test_ten_samples_over_and_over_are_precise_but_do_not_cover():
    random = np.random.default_rng(0)
    real, fake = random.standard_normal((2, 200, 4))
    found, collapsed = shares(real, fake), shares(real, fake[np.arange(200) % 10])
    assert collapsed["precision"] > 0.6 * found["precision"]
    assert collapsed["coverage"] < 0.4 * found["coverage"]


def test_rows_at_a_time_do_not_matter(monkeypatch):
    real, fake = np.random.default_rng(0).standard_normal((2, 40, 4))
    whole = shares(real, fake)
    monkeypatch.setattr("dcgan.metrics.manifold.ROWS", 7)
    assert shares(real, fake) == whole


def test_too_few_images_withhold_all_four():
    estimates = manifold_estimates(np.zeros((5, 2)), np.zeros((50, 2)))
    assert [estimate.value for estimate in estimates] == [None] * 4


def test_intervals_lie_around_their_estimates():
    for estimate in manifold_estimates(*np.random.default_rng(0).standard_normal((2, 60, 8))):
        assert estimate.low <= estimate.value <= estimate.high
