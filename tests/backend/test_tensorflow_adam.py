"""Adam in one operation per weight gives what Keras's gives."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("this is about TensorFlow", allow_module_level=True)

from dcgan.backend import tensorflow_adam


@pytest.mark.parametrize("amsgrad", [False, True])
def test_weights_and_state_are_those_of_keras(amsgrad):
    settings = {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-5, "amsgrad": amsgrad}
    plain, ours = (keras.optimizers.Adam(1e-2, **settings) for _ in range(2))
    weights = [keras.Variable(np.ones((3, 4), "float32")) for _ in range(2)]
    tensorflow_adam.use_fused_update(ours)
    draws = np.random.default_rng(0)
    for _ in range(5):
        gradient = draws.normal(size=(3, 4)).astype("float32")
        for adam, weight in zip((plain, ours), weights, strict=True):
            adam.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    for expected, found in zip(
        [weights[0], *plain.variables], [weights[1], *ours.variables], strict=True
    ):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_a_model_trains_with_it(tiny):
    adam = tiny().optimizer.generator
    assert adam.update_step.func is tensorflow_adam._update_step
