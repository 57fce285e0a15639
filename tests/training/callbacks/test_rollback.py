"""Rollbacks: the last good state with lower learning rates, a few times at most."""

import numpy as np
import pytest

from dcgan import DCGAN, TrainingError
from dcgan.training.callbacks.rollback import MAX_ROLLBACKS


def test_broken_weights_roll_back_to_the_last_good_state_with_lower_rates(
    tiny, images, arrays_of, breaking_at, caplog
):
    gan = tiny(save_path="run")
    gan.fit(images, epochs=4, verbose=0, callbacks=[breaking_at([5])])
    assert "Rolled back to the last good state" in caplog.text
    assert "the losses at step 6 are not finite" in caplog.text
    assert gan.optimizer.rates == pytest.approx((1e-4, 1e-4))
    assert all(np.isfinite(array).all() for array in arrays_of(gan).values())
    assert np.isfinite(DCGAN.load("run/last.dcgan").generate(2)).all()


def test_training_that_breaks_again_and_again_stops_and_the_good_state_is_kept(
    tiny, images, arrays_of, breaking_at
):
    gan = tiny(save_path="run", sample_steps=1)
    with pytest.raises(TrainingError, match="not finite.*learning rate"):
        gan.fit(images, epochs=9, verbose=0, callbacks=[breaking_at(range(2, 99))])
    assert gan.state.rollbacks == MAX_ROLLBACKS
    assert DCGAN.load("run/last.dcgan").optimizer.rates == pytest.approx((2e-4 / 16,) * 2)
    again = tiny(save_path="run")
    again.fit(images, epochs=1, verbose=0)
    assert all(np.isfinite(array).all() for array in arrays_of(again).values())
