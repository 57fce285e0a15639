"""Batches: a function of seed and step alone, the same for Keras again and again."""

import keras
import numpy as np
import pytest

from dcgan.data.batches import Batches, epoch_order
from dcgan.errors import DataError

pytestmark = pytest.mark.once


def numbered(count, shape=(2, 3, 1)):
    """Images that can be told apart: image i holds i, and its left edge holds 255."""
    pixels = (
        np.zeros((count, *shape), np.uint8) + np.arange(count, dtype=np.uint8)[:, None, None, None]
    )
    pixels[:, :, 0] = 255
    return pixels


def shown(batch):
    return batch[:, 0, 1, 0].tolist()


def test_an_epoch_shows_every_image_once():
    batches = Batches(numbered(12), 4)
    seen = sum((shown(batches[step]) for step in range(batches.steps_per_epoch)), [])
    assert sorted(seen) == list(range(12))


def test_the_order_is_the_one_that_was_promised():
    order, flipped = epoch_order(8, seed=1, epoch=2, positions=8)
    assert order.tolist() == [4, 2, 0, 6, 1, 5, 7, 3]  # stored: a resumed run relies on it
    assert (flipped == [1, 1, 0, 1, 0, 1, 0, 1]).all()


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {tuple(epoch_order(20, seed, epoch, 20)[0]) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_a_short_last_batch_is_filled_from_the_start_of_its_epoch():
    batches = Batches(numbered(5), 4)
    assert batches.steps_per_epoch == 2
    assert shown(batches[1])[1:] == shown(batches[0])[:3]


def test_fewer_images_than_a_batch_still_fill_it():
    batch = Batches(numbered(3), 8)[0]
    assert batch.shape == (8, 2, 3, 1) and set(shown(batch)) == {0, 1, 2}


def test_one_image_trains():
    assert shown(Batches(numbered(1), 4)[7]) == [0, 0, 0, 0]


def test_flipping_turns_about_half_and_nothing_else():
    plain, flipped = Batches(numbered(100), 100), Batches(numbered(100), 100, horizontal_flip=True)
    assert shown(plain[0]) == shown(flipped[0])
    turned = flipped[0][:, 0, -1, 0] == 255
    assert 30 < turned.sum() < 70
    np.testing.assert_array_equal(flipped[0][~turned], plain[0][~turned])
    np.testing.assert_array_equal(flipped[0][turned], plain[0][turned][:, :, ::-1])


def test_only_the_images_asked_for_are_shown():
    batches = Batches(numbered(10), 3, indices=np.array([2, 4, 6]))
    assert sorted(shown(batches[0])) == [2, 4, 6] and batches.steps_per_epoch == 1


@pytest.mark.parametrize("first_step", [0, 1, 3, 7])
def test_starting_later_shows_what_would_have_come_then(first_step):
    whole = Batches(numbered(10), 4, seed=5, horizontal_flip=True)
    later = Batches(numbered(10), 4, seed=5, horizontal_flip=True, first_step=first_step)
    for step in range(5):
        np.testing.assert_array_equal(later[step], whole[first_step + step])


def test_batches_from_a_file_equal_those_from_memory(tmp_path):
    pixels = numbered(10)
    pixels.tofile(tmp_path / "pixels")
    mapped = np.memmap(tmp_path / "pixels", np.uint8, "r", shape=pixels.shape)
    slices = [mapped, mapped[2:], mapped[::2], mapped[:, :, 1:]]
    for part, same in zip(slices, [pixels, pixels[2:], pixels[::2], pixels[:, :, 1:]], strict=True):
        np.testing.assert_array_equal(Batches(part, 4)[1], Batches(same, 4)[1])


def test_a_file_that_became_shorter_is_an_error_and_not_noise(tmp_path):
    pixels = numbered(10)
    pixels.tofile(tmp_path / "pixels")
    batches = Batches(np.memmap(tmp_path / "pixels", np.uint8, "r", shape=pixels.shape), 10)
    with open(tmp_path / "pixels", "r+b") as file:
        file.truncate(3)
    with pytest.raises(DataError, match="shorter"):
        batches[0]


class Toy(keras.Model):
    """A model whose weights tell every batch it has seen, and in which order."""

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(3, kernel_initializer=keras.initializers.Ones())
        self.head = keras.layers.Dense(1, kernel_initializer=keras.initializers.Ones())

    def call(self, images, training=False):
        flat = keras.ops.reshape(keras.ops.cast(images, "float32") / 255, (4, 6))
        return self.head(keras.ops.tanh(self.hidden(flat)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean((y_pred - 1) ** 2)


class StopAt(keras.callbacks.Callback):
    def __init__(self, step, last):
        super().__init__()
        self.step, self.last = step, last

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.model.stop_training = self.step == self.last


def train(model, first, last, epochs=4):
    """Train steps first..last in the calls of `fit` that `Batches` asks for."""
    stop = StopAt(first, last)
    while stop.step < last:
        batches = Batches(IMAGES, 4, seed=2, horizontal_flip=True, first_step=stop.step)
        epoch = stop.step // batches.steps_per_epoch
        left = batches.steps_per_epoch - stop.step % batches.steps_per_epoch
        part = left < batches.steps_per_epoch
        model.fit(
            batches,
            steps_per_epoch=left,
            initial_epoch=epoch,
            epochs=epoch + 1 if part else epochs,
            shuffle=False,
            callbacks=[stop],
            verbose=0,
        )


IMAGES = numbered(10)


def test_keras_sees_the_same_batches_after_an_interruption_in_mid_epoch():
    whole, halves = Toy(), Toy()
    for model in (whole, halves):
        model.compile(optimizer=keras.optimizers.SGD(0.5))
    train(whole, 0, 11)
    train(halves, 0, 5)
    train(halves, 5, 11)
    for one, other in zip(whole.get_weights(), halves.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
