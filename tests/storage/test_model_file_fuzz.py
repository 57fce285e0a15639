"""Changed bytes and cuts, anywhere in a model file or checkpoint, are never taken for the model."""

import numpy as np
import pytest

from dcgan.errors import ModelFileError
from dcgan.storage.checkpoints import CheckpointStore
from dcgan.storage.model_file import read_model_file

pytestmark = pytest.mark.once


def changed(whole: bytes, random: np.random.Generator) -> bytes:
    """`whole` with a few bytes changed, moved, cut out, put in or cut off."""
    content = bytearray(whole)
    for _ in range(random.integers(1, 5)):
        start, other = random.integers(0, len(content), 2)
        length = int(random.integers(1, 30))
        piece = content[start : start + length]
        match random.integers(0, 6):
            case 0:
                content[start] ^= 1 << int(random.integers(0, 8))
            case 1:
                content[start] = int(random.integers(0, 256))
            case 2:
                content[other : other + length] = piece
            case 3:
                content[other:other] = piece
            case 4:
                del content[start : start + length]
            case 5:
                del content[start:]
        if not content:
            break
    return bytes(content)


def is_same(file, other) -> bool:
    return (
        file.document == other.document
        and file.arrays.keys() == other.arrays.keys()
        and all(np.array_equal(file.arrays[n], other.arrays[n]) for n in file.arrays)
    )


def write_over(path, content: bytes):
    with open(path, "r+b") as file:  # changed in place, which is quicker than a new file
        file.write(content)
        file.truncate()


def test_every_flipped_byte_and_every_cut_is_noticed(small, tmp_path):
    path = small.save(tmp_path / "a.dcgan")
    whole = path.read_bytes()
    contents = [whole[:i] + bytes([whole[i] ^ 4]) + whole[i + 1 :] for i in range(len(whole))]
    for content in contents + [whole[:end] for end in range(0, len(whole), 5)]:
        write_over(path, content)
        with pytest.raises(ModelFileError):
            read_model_file(path, small.expected)


def test_a_changed_model_file_is_refused_or_the_same_model(small, tmp_path, count=500):
    random, path = np.random.default_rng(0), small.save(tmp_path / "a.dcgan")
    whole, model, refused = path.read_bytes(), read_model_file(path), 0
    for _ in range(count):
        write_over(path, changed(whole, random))
        try:
            assert is_same(read_model_file(path, small.expected), model)
        except ModelFileError:
            refused += 1
    assert refused > 0.9 * count


def test_a_changed_checkpoint_is_passed_over_or_the_same(small, tmp_path, caplog, count=250):
    random, store = np.random.default_rng(0), CheckpointStore(tmp_path)
    store.save(1, small.document, small.arrays())
    path = store.save(2, small.document, small.arrays())
    whole, checkpoint, passed = path.read_bytes(), store.newest(), 0
    for _ in range(count):
        write_over(path, changed(whole, random))
        newest = store.newest()
        passed += newest.step == 1
        assert is_same(newest, checkpoint)
    assert passed > 0.9 * count
    assert len(caplog.records) == passed
