"""The layers that networks are trained with give what Keras's give, forward and back."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from dcgan.backend import FASTER_LAYERS, BackendModel

KERNELS = [((4, 4), (2, 2)), ((5, 5), (2, 2)), ((3, 3), (1, 1)), ((4, 3), (3, 2)), ((2, 3), (1, 3))]


def outcomes(layer, inputs):
    """What a layer gives, its gradients at weights and inputs, and its statistics after."""
    call = {"training": True} if isinstance(layer, layers.BatchNormalization) else {}

    def weighted_sum(inputs):
        result = layer(inputs, **call)
        # each value counts differently, or a mistaken place could hide
        factors = np.cos(np.arange(np.prod(result.shape), dtype="float32"))
        factors = ops.convert_to_tensor(factors.reshape(result.shape))
        return ops.sum(result * factors), result

    gradients = BackendModel().gradients(weighted_sum, layer.trainable_variables, [inputs])
    _, result, at_weights, at_inputs = gradients
    found = [result, *at_weights, *at_inputs, *layer.non_trainable_variables]
    return [ops.convert_to_numpy(ops.stop_gradient(tensor)) for tensor in found]


def assert_same_as_keras(plain, *arguments, shape, **options):
    if plain not in FASTER_LAYERS:
        pytest.skip("Keras's own layer is used")
    pair = [kind(*arguments, **options) for kind in (plain, FASTER_LAYERS[plain])]
    for layer in pair:
        layer.build(shape)
    pair[1].set_weights(pair[0].get_weights())
    inputs = np.random.default_rng(0).normal(0.5, 1, shape).astype("float32")
    results = [outcomes(layer, ops.convert_to_tensor(inputs)) for layer in pair]
    for expected, found in zip(*results, strict=True):
        # float32 sums of at most a few hundred products, in another order
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * abs(expected).max())


@pytest.mark.parametrize("products", [True, False], ids=["products", "library"])
@pytest.mark.parametrize("size", [(8, 12), (7, 9), (1, 2)])
@pytest.mark.parametrize(("kernel", "strides"), KERNELS)
@pytest.mark.parametrize("kind", [layers.Conv2D, layers.Conv2DTranspose])
def test_convolutions_are_those_of_keras(monkeypatch, kind, kernel, strides, size, products):
    if keras.backend.backend() == "tensorflow":
        from dcgan.backend import tensorflow_layers

        minimum = 0 if products else 10**9
        for name in ("MIN_WEIGHTS_OTHERWISE", "MIN_WEIGHTS_OF_MAPS"):
            monkeypatch.setattr(tensorflow_layers, name, minimum)
    for large, small in ((3, 6), (6, 3), (40, 1)):  # channels: each is computed in another way
        channels, filters = (large, small) if kind is layers.Conv2D else (small, large)
        options = {"strides": strides, "padding": "same", "bias_initializer": "ones"}
        assert_same_as_keras(kind, filters, kernel, shape=(2, *size, channels), **options)


@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (1, 1, 2, 3), (2, 1, 1, 3)])
def test_batch_normalization_and_its_statistics_are_those_of_keras(shape):
    assert_same_as_keras(layers.BatchNormalization, momentum=0.8, shape=shape)


@pytest.mark.parametrize("cut", [((0, 1), (1, 2)), ((1, 0), (0, 0))])
def test_a_crop_is_that_of_keras(cut):
    assert_same_as_keras(layers.Cropping2D, cut, shape=(2, 5, 6, 3))


def test_the_generator_that_is_kept_has_none_of_them(tiny):
    gan = tiny(img_size=(15, 12, 3), dropout=0.1)
    own = set(FASTER_LAYERS.values())
    kinds = {
        name: {type(layer) for layer in getattr(gan, name).layers} & own
        for name in ("generator", "training_generator", "discriminator")
    }
    assert kinds["generator"] == set()
    assert kinds["training_generator"] | kinds["discriminator"] == own


def test_a_compiled_step_trains_networks_that_crop(tiny, monkeypatch):
    if keras.backend.backend() == "tensorflow":
        monkeypatch.setattr("dcgan.backend.tensorflow_layers.MIN_WEIGHTS", 0)
        monkeypatch.setattr("dcgan.backend.tensorflow_layers.MIN_WEIGHTS_OTHERWISE", 0)
    images = np.zeros((6, 18, 14, 3), np.uint8)  # 5 doubles to 10, cropped to 9; a last half batch
    history = tiny(eagerly=False, img_size=(18, 14, 3)).fit(images, epochs=1, verbose=0)
    assert np.isfinite(history.history["g_loss"]).all()
