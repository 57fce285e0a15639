"""Iterators of a `tf.data.Dataset` that say where they are; for any backend that trains on one."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import tensorflow as tf

_INDEX, _DATA = "at.index", "at.data-00000-of-00001"  # what TensorFlow writes for the path `at`


class DatasetIterator:
    """An iterator of a dataset, with its position as bytes: TensorFlow's checkpoint of it.

    Elements that a shuffle holds are part of the position.
    """

    def __init__(self, dataset: tf.data.Dataset):
        self._iterator = iter(dataset)

    def __next__(self):
        return next(self._iterator)

    def get_state(self) -> bytes:
        """The position; raises `ValueError` where an operation of the dataset has none."""
        with TemporaryDirectory() as folder:
            try:
                tf.train.Checkpoint(iterator=self._iterator).write(f"{folder}/at")
            except tf.errors.OpError as error:
                raise ValueError(_reason(error)) from error
            index, data = (Path(folder, name).read_bytes() for name in (_INDEX, _DATA))
        return len(index).to_bytes(8, "little") + index + data

    def set_state(self, state: bytes) -> None:
        """Stand at a position; raises `ValueError` for that of another dataset, or no position."""
        end = 8 + int.from_bytes(state[:8], "little")
        with TemporaryDirectory() as folder:
            Path(folder, _INDEX).write_bytes(state[8:end])
            Path(folder, _DATA).write_bytes(state[end:])
            try:
                checkpoint = tf.train.Checkpoint(iterator=self._iterator)
                checkpoint.read(f"{folder}/at").assert_consumed()
            except (tf.errors.OpError, AssertionError, LookupError) as error:
                raise ValueError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """What TensorFlow says, without where in its graph."""
    return re.sub(r"\{\{.*?\}\} | \[Op:.*", "", str(error), flags=re.DOTALL).rstrip(".")
