"""Losses: what the papers say."""

import math

import numpy as np
import pytest
from keras import ops

from dcgan.losses import discriminator_loss, generator_loss


def logits(*values):
    return ops.convert_to_tensor(np.array(values, np.float32)[:, None])


def test_losses_of_an_undecided_discriminator():
    assert float(discriminator_loss(logits(0, 0), logits(0))) == pytest.approx(2 * math.log(2))
    assert float(generator_loss(logits(0, 0, 0))) == pytest.approx(math.log(2))


def test_losses_by_hand():
    sigmoid = 1 / (1 + math.exp(-1.5))
    assert float(discriminator_loss(logits(1.5), logits(-1.5))) == pytest.approx(
        -2 * math.log(sigmoid), rel=1e-6
    )
    assert float(generator_loss(logits(1.5))) == pytest.approx(-math.log(sigmoid), rel=1e-6)


def test_losses_stay_finite_for_huge_logits():
    assert math.isfinite(float(discriminator_loss(logits(-1e4), logits(1e4))))
    assert math.isfinite(float(generator_loss(logits(-1e4))))
