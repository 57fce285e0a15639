"""Updates in one operation per weight give what Keras's give."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("this is about TensorFlow", allow_module_level=True)

from dcgan.backend import tensorflow_updates


@pytest.mark.parametrize("amsgrad", [False, True])
def test_weights_and_state_are_those_of_keras(amsgrad):
    settings = {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-5, "amsgrad": amsgrad}
    plain, ours = (keras.optimizers.Adam(1e-2, **settings) for _ in range(2))
    weights = [keras.Variable(np.ones((3, 4), "float32")) for _ in range(2)]
    tensorflow_updates.use_fused_update(ours)
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
    assert adam.update_step.func is tensorflow_updates._update_step


def test_a_variable_moves_by_a_share_of_the_way():
    variable = keras.Variable(np.float32([0, 4]), trainable=False)
    tensorflow_updates.move(variable, keras.ops.convert_to_tensor(np.float32([1, 0])), 0.25)
    np.testing.assert_array_equal(variable.numpy(), [0.25, 3])
