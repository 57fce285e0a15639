"""Latents: the same for a seed, on every machine."""

import numpy as np
import pytest

from dcgan.errors import ArgumentError
from dcgan.latents import draw_latents, latents_for, slerp, turn

pytestmark = pytest.mark.once


def test_a_row_belongs_to_its_seed_and_number_whatever_the_count():
    many = draw_latents(50, 7, seed=3)
    assert (draw_latents(5, 7, seed=3) == many[:5]).all()
    assert (draw_latents(4, 7, seed=3, first=20) == many[20:24]).all()
    assert draw_latents(0, 7).shape == (0, 7)


def test_seeds_differ():
    assert (draw_latents(2, 8, seed=0) != draw_latents(2, 8, seed=1)).all()


def test_latents_are_standard_normal():
    values = draw_latents(2000, 50, seed=5).ravel().astype(np.float64)
    n = len(values)
    # five standard errors of the mean, variance, skewness and kurtosis of n normal values
    assert abs(values.mean()) < 5 / np.sqrt(n)
    assert abs(values.var() - 1) < 5 * np.sqrt(2 / n)
    assert abs((values**3).mean()) < 5 * np.sqrt(15 / n)
    assert abs((values**4).mean() - 3) < 5 * np.sqrt(96 / n)


def test_neighbouring_numbers_are_independent():
    rows = draw_latents(5000, 4, seed=1)
    correlation = np.corrcoef(rows.T)
    assert np.abs(correlation - np.eye(4)).max() < 5 / np.sqrt(5000)


def test_an_address_written_down_long_ago_still_holds():
    # If this fails, every seed that anybody noted has lost its image.
    noted = [0.0861292, -1.7204043, -0.1449071, -0.3631186]
    assert draw_latents(1, 4, seed=7, first=2)[0] == pytest.approx(noted, abs=1e-6)


def test_an_arc_starts_at_its_first_latent_and_keeps_to_the_sphere():
    first, second = np.eye(2, dtype=np.float32) * 3
    assert np.array_equal(slerp(first, second, 0), first)
    np.testing.assert_allclose(slerp(first, second, 0.5), np.full(2, 3 / np.sqrt(2)), rtol=1e-6)
    np.testing.assert_allclose(slerp(first, second, 1), second, atol=1e-6)
    assert np.array_equal(slerp(first, first, 0.3), first)


def test_a_latent_turns_by_a_share_of_a_right_angle_and_keeps_its_length():
    latent, direction = draw_latents(2, 64)
    assert np.array_equal(turn(latent, direction, 0), latent)
    for distance in (0.3, 1.0):
        turned = turn(latent, direction, distance)
        cosine = latent @ turned / (latent @ latent)
        assert cosine == pytest.approx(np.cos(distance * np.pi / 2), abs=1e-5)
        assert turned @ turned == pytest.approx(latent @ latent, rel=1e-5)


def test_truncation_draws_latents_towards_their_mean():
    whole = latents_for(3, 5, None, 1.0, 1, 8, (4, 4, 3))
    assert np.array_equal(latents_for(3, 5, None, 0.5, 1, 8, (4, 4, 3)), whole / 2)
    assert np.array_equal(latents_for(None, 0, whole, 0.5, 1, 8, (4, 4, 3)), whole / 2)
    with pytest.raises(ArgumentError, match="truncation"):
        latents_for(3, 5, None, 1.5, 1, 8, (4, 4, 3))
