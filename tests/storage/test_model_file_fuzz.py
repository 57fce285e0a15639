"""Is a single changed byte or a cut, anywhere in a model file, ever taken for the model?"""

import numpy as np
import pytest
from dcgan.storage.model_file_old import read_model
from test_model_file import small_arrays, small_file

from dcgan.errors import ModelFileError


def test_every_changed_byte_and_every_cut_is_noticed(tmp_path):
    random = np.random.default_rng(0)
    path = tmp_path / "fuzzed.dcgan"
    whole = small_file(path).read_bytes()
    changed = [(position, int(random.integers(1, 256))) for position in range(len(whole))]
    for position, mask in changed:  # every byte of the file once
        assert_refused(
            path, whole[:position] + bytes([whole[position] ^ mask]) + whole[position + 1 :]
        )
    for length in range(0, len(whole), 3):
        assert_refused(path, whole[:length])
    for _ in range(1_000):
        content = bytearray(whole)
        for position in random.integers(0, len(whole), random.integers(2, 20)):
            content[position] ^= int(random.integers(1, 256))
        if random.random() < 0.5:
            content = content[: random.integers(0, len(whole))]
        if content != whole:
            assert_refused(path, bytes(content))
    path.write_bytes(whole)
    assert read_model(path).arrays.keys() == small_arrays().keys()


def assert_refused(path, content: bytes):
    with open(path, "r+b") as file:  # changed in place, which is quicker than a new file
        file.write(content)
        file.truncate()
    with pytest.raises(ModelFileError):
        read_model(path)
