"""TensorFlow's layers give what Keras's give, forward and back."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("these layers are for TensorFlow", allow_module_level=True)

import tensorflow as tf

from dcgan.backend import tensorflow_layers

KERNELS = [((4, 4), (2, 2)), ((5, 5), (2, 2)), ((3, 3), (1, 1)), ((4, 3), (3, 2)), ((2, 3), (1, 3))]


def outcomes(layer, inputs, **call):
    """What a layer gives, its gradients at inputs and weights, and its statistics after."""
    weights = [variable.value for variable in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = layer(inputs, **call)
        # each value counts differently, or a mistaken place could hide
        factors = np.cos(np.arange(tf.size(result), dtype="float32"))
        loss = tf.reduce_sum(result * factors.reshape(result.shape))
    return [result, *tape.gradient(loss, [inputs, *weights]), *layer.non_trainable_variables]


def assert_same_as_keras(kind, *arguments, shape, **options):
    call = {"training": True} if kind == "BatchNormalization" else {}
    layers = [
        getattr(place, kind)(*arguments, **options) for place in (keras.layers, tensorflow_layers)
    ]
    inputs = tf.constant(np.random.default_rng(0).normal(0.5, 1, shape).astype("float32"))
    for layer in layers:
        layer.build(shape)
    layers[1].set_weights(layers[0].get_weights())
    expected, found = (outcomes(layer, inputs, **call) for layer in layers)
    for one, other in zip(expected, found, strict=True):
        # float32 sums of at most a few hundred products, in another order
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 * np.abs(one).max())


@pytest.mark.parametrize("products", [True, False], ids=["products", "library"])
@pytest.mark.parametrize("size", [(8, 12), (7, 9), (1, 2)])
@pytest.mark.parametrize(("kernel", "strides"), KERNELS)
@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose"])
def test_convolutions_and_their_gradients_are_those_of_keras(
    monkeypatch, kind, kernel, strides, size, products
):
    monkeypatch.setattr(tensorflow_layers, "MIN_WEIGHTS_OTHERWISE", 0 if products else 10**9)
    for few, many in ((3, 6), (6, 3)):  # channels of the large map: made from blocks, and not
        channels, filters = (few, many) if kind == "Conv2D" else (many, few)
        options = {"strides": strides, "padding": "same", "bias_initializer": "ones"}
        assert_same_as_keras(kind, filters, kernel, shape=(2, *size, channels), **options)


@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (1, 1, 2, 3)])
def test_batch_normalization_and_its_statistics_are_those_of_keras(shape):
    assert_same_as_keras("BatchNormalization", momentum=0.8, shape=shape)


@pytest.mark.parametrize("cut", [((0, 1), (1, 2)), ((1, 0), (0, 0))])
def test_a_crop_and_its_gradient_are_those_of_keras(cut):
    assert_same_as_keras("Cropping2D", cut, shape=(2, 5, 6, 3))


def test_only_networks_in_training_are_made_of_them(tiny):
    gan = tiny(img_size=(15, 12, 3))
    own = set(tensorflow_layers.FASTER_LAYERS.values())
    kinds = {
        n: {type(layer) for layer in getattr(gan, n).layers} & own
        for n in ("generator", "training_generator", "discriminator")
    }
    assert kinds["generator"] == set()
    assert kinds["training_generator"] == own - {tensorflow_layers.Conv2D}
    assert kinds["discriminator"] == {
        tensorflow_layers.Conv2D,
        tensorflow_layers.BatchNormalization,
    }
