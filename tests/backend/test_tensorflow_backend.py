"""What TensorFlow is told while a model trains on it."""

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("this is about TensorFlow", allow_module_level=True)

import tensorflow as tf


def leaves_out():
    """Whether TensorFlow's optimizer of graphs is off."""
    return tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"]


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="a GPU needs it")
def test_the_optimizer_of_graphs_is_off_while_training_and_on_afterwards(tiny, images):
    def look(batch, logs=None):
        assert leaves_out()
        raise ValueError("enough")

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=look)
    with pytest.raises(ValueError, match="enough"):
        tiny(save_path="run").fit(images, verbose=0, callbacks=[callback])
    assert not leaves_out()
