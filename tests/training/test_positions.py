"""Positions in a user's own datasets: after a resume come the batches that would have come."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from dcgan import DCGAN
from dcgan.data import own_batches, stream
from dcgan.data.own_batches import is_stream, open_batches
from dcgan.data.stream import Stream
from dcgan.errors import DataError
from dcgan.storage.document import POSITION
from dcgan.storage.model_file import read_model_file
from dcgan.training import source
from dcgan.training.source import open_source

SMALL = {"batch_size": 2, "depth": 1}


class Dataset:
    """Seven batches of one number each, in another order in each pass, as grain would give them."""

    def __init__(self, encode=lambda state: state, decode=lambda state: state):
        self.encode, self.decode = encode, decode
        self.passes = 0

    def __len__(self):
        return 7

    def __iter__(self):
        self.passes += 1
        return Pass(self, self.passes)


class Pass:
    def __init__(self, dataset, number):
        self.dataset, self.number, self.next = dataset, number, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.next == 7:
            raise StopIteration
        self.next += 1
        order = np.random.default_rng(self.number).permutation(7)
        return np.full((2, 16, 12, 3), order[self.next - 1], np.uint8), np.zeros(2)

    def get_state(self):
        return self.dataset.encode({"pass": self.number, "next": self.next})

    def set_state(self, state):
        state = self.dataset.decode(state)
        self.number, self.next = state["pass"], state["next"]
        self.dataset.passes = self.number


def as_bytes():
    return Dataset(lambda state: json.dumps(state).encode(), json.loads)


def numbers(stream, steps):
    return [int(stream[step][0, 0, 0, 0]) for step in steps]


@pytest.mark.parametrize("make", [Dataset, as_bytes])
@pytest.mark.parametrize("step", [0, 3, 6, 7, 8, 19])
def test_after_a_position_come_the_batches_that_would_have_come(make, step):
    whole = numbers(Stream(make().__iter__, 7), range(40))
    assert sorted(whole[7:14]) == list(range(7))  # each pass has every batch
    first = Stream(make().__iter__, 7)
    for at in range(step + 3):  # Keras asks ahead of training
        first[at]
        if at in (2, 10, 12):
            first.position(at)  # a checkpoint is saved
    position = first.position(step)
    again = Stream(make().__iter__, 7)
    again.begin(step, position)
    assert numbers(again.from_step(step), range(40 - step)) == whole[step:]


def test_keras_may_ask_again_for_any_batch_since_the_last_checkpoint():
    whole = numbers(Stream(Dataset().__iter__), range(30))
    found = Stream(Dataset().__iter__)
    assert numbers(found, [0, 1, 0, 1, 2, 20, 0, 3]) == [
        whole[n] for n in (0, 1, 0, 1, 2, 20, 0, 3)
    ]
    assert numbers(found.from_step(5), range(20)) == whole[5:25]


@pytest.mark.parametrize(
    "position",
    [
        b"",
        bytes(8) + b"no JSON",
        bytes(8) + b'{"next": 2}',
        bytes(8) + b"[" * 100_000,
        b"\xff" * 8 + b'{"pass": 1, "next": 2}',
    ],
)
def test_a_position_that_the_dataset_does_not_take_is_refused(position, caplog):
    begun = Stream(Dataset().__iter__)
    begun.begin(50, position)
    assert "begins anew, since it does not take the position" in caplog.text
    found = numbers(begun.from_step(50), range(7))
    assert sorted(found) == list(range(7))


def test_a_position_that_grows_too_large_ends_the_positions_and_not_the_training(
    monkeypatch, caplog
):
    read = Stream(Dataset().__iter__)
    assert read.position(0)
    monkeypatch.setattr(stream, "MAX_POSITION_BYTES", 10)
    before = numbers(read, range(20))
    assert sorted(before[7:14]) == list(range(7))
    assert "can no longer be stored: its position has 0 MB" in caplog.text
    assert read.position(20) is None
    assert len(numbers(read.from_step(10), range(7))) == 7  # what was read ahead is lost, no more


def test_a_dataset_without_batches_is_one_sentence():
    class Empty(Dataset):
        def __iter__(self):
            found = super().__iter__()
            found.next = 7
            return found

    with pytest.raises(DataError, match="has no batches"):
        Stream(Empty().__iter__)[0]


def test_what_says_where_it_is_is_a_stream_and_images_are_not(images):
    assert is_stream(Dataset())
    for other in (images, list(images), "folder", None, (image for image in images)):
        assert not is_stream(other)


def test_a_dataset_of_unknown_length_is_continued_where_the_length_of_an_epoch_is_given(caplog):
    class Endless(Dataset):
        __len__ = None

    caplog.set_level(logging.INFO, "dcgan")
    own = open_batches(Endless(), (16, 12, 3), None)
    assert own.stream is None and own.steps_per_epoch is None
    assert "begins this dataset anew, since it does not say how many batches" in caplog.text
    assert open_batches(Endless(), (16, 12, 3), 5).stream is not None
    assert open_batches(Dataset(), (16, 12, 3), None).steps_per_epoch == 7


class ByNumber(keras.utils.PyDataset):
    num_batches = 7

    def __getitem__(self, index):
        return list(Dataset())[index]


def test_several_processes_take_shares_of_one_size_without_end(tiny, monkeypatch):
    options = tiny(**SMALL | {"batch_size": 4}).options
    monkeypatch.setattr(own_batches, "processes", lambda: 2)
    monkeypatch.setattr(source, "processes", lambda: 2)
    monkeypatch.setattr(source, "gather_from_processes", lambda said: np.array([said, [5]]))
    for dataset in (Dataset(), ByNumber(), [batch for batch in Dataset()]):
        monkeypatch.setattr(source, "is_stream", lambda x: True)
        opened = open_source(dataset, options)
        assert opened.steps_per_epoch == 5  # that of the shortest
        shares = opened.batches(3)
        assert sorted(numbers(shares, range(4, 11))) == list(range(7))
        assert shares.num_batches is None
    short = open_source(Dataset(), replace(options, batch_size=6)).batches(0)
    with pytest.raises(DataError, match="must have 3 images, its share. Received: 2"):
        short[0]


def of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    images = np.concatenate([batch for batch, _ in Dataset()])
    return tf.data.Dataset.from_tensor_slices(images).shuffle(14, seed=3).batch(2).prefetch(2)


def interrupted(after):
    """A callback that ends training after so many steps, as a time limit would."""

    def stop(batch, logs=None):
        if counter.model.state.step >= after:
            counter.model.stop_training = True

    counter = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    return counter


@pytest.mark.parametrize("make", [Dataset, ByNumber, of_tensorflow])
def test_interrupted_within_a_dataset_and_resumed_is_bit_equal(tiny, arrays_of, make, monkeypatch):
    monkeypatch.setattr("dcgan.training.callbacks.checkpointing.CHECKPOINT_STEPS", 3)
    whole = tiny(save_path="whole", **SMALL)
    whole.fit(make(), epochs=2, verbose=0)
    for after in (5, 9):  # in the middle of the first pass, then of the second
        parts = tiny(save_path="parts", **SMALL)
        parts.fit(make(), epochs=2, verbose=0, callbacks=[interrupted(after)])
        assert parts.state.step == after
    parts = tiny(save_path="parts", **SMALL)
    parts.fit(make(), epochs=2, verbose=0)
    assert (whole.state.step, parts.state.step) == (14, 14)
    ours, theirs = arrays_of(whole), arrays_of(parts)
    assert [name for name in ours if not np.array_equal(ours[name], theirs[name])] == []


def test_a_position_is_in_checkpoints_alone_and_no_model_takes_it(tiny):
    gan = tiny(save_path="run", **SMALL)
    gan.fit(Dataset(), epochs=1, verbose=0)
    newest = sorted(Path("run/checkpoints").iterdir())[-1]
    assert read_model_file(newest).arrays[POSITION].dtype == np.uint8
    assert POSITION not in read_model_file("run/last.dcgan").arrays
    assert DCGAN.load(newest).state.step == 7


def test_a_dataset_that_cannot_say_where_it_is_begins_anew_and_says_so(tiny, caplog):
    tf = pytest.importorskip("tensorflow")
    caplog.set_level("INFO", "dcgan")
    images = np.concatenate([batch for batch, _ in Dataset()])
    dataset = tf.data.Dataset.from_tensor_slices(images)
    random = dataset.map(tf.image.random_flip_left_right).batch(2)
    tiny(save_path="run", **SMALL).fit(random, epochs=1, verbose=0)
    assert "begins this dataset anew, since RandomUniform is stateful" in caplog.text
