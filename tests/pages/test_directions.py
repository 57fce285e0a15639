"""Directions: principal components of a first layer's output, as steps in the latents."""

import numpy as np
import pytest

from dcgan.latents import draw_latents
from dcgan.pages.directions import find_directions, first_layer

STRENGTHS = np.array([5, 3, 2, 0.5, 0.5, 0.5, 0.5, 0.5], np.float32)


def linear(latents):
    """A first layer that changes most along the latents' first number, then the second, ..."""
    turned, _ = np.linalg.qr(draw_latents(40, 8))
    return latents * STRENGTHS @ turned.T + 7


@pytest.mark.once
def test_directions_of_a_linear_layer_are_its_singular_vectors():
    found = find_directions(linear, 8, 3)
    # 10,000 latents: a variance is off by a few percent
    np.testing.assert_allclose(found.steps, np.eye(8)[:3], atol=0.05)
    np.testing.assert_allclose(found.shares, (STRENGTHS**2 / sum(STRENGTHS**2))[:3], rtol=0.05)


@pytest.mark.once
def test_a_step_moves_the_output_by_a_standard_deviation():
    for step, strength in zip(find_directions(linear, 8, 3).steps, STRENGTHS, strict=False):
        move = linear(step[None]) - linear(0 * step[None])
        assert np.linalg.norm(move) == pytest.approx(strength, rel=0.05)


@pytest.mark.once
def test_all_components_together_explain_everything():
    assert find_directions(linear, 8, 99).shares.sum() == pytest.approx(1, rel=1e-4)


@pytest.mark.once
def test_a_layer_that_never_changes_has_directions_that_explain_nothing():
    found = find_directions(lambda latents: np.ones((len(latents), 5), np.float32), 8, 3)
    assert np.isfinite(found.steps).all() and not found.shares.any()


def test_the_first_layer_is_what_the_first_upsampling_receives(tiny):
    gan = tiny()
    output = first_layer(gan.generator)(draw_latents(3, 8))
    height, width = gan.plan.base.size
    assert output.shape == (3, height * width * gan.plan.base.filters)
    assert output.min() == 0 < output.max()  # after the ReLU
