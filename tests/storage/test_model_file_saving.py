"""A save of a model makes what it needs, leaves nothing behind, and fails with a clear error."""

import os
import time

import pytest

from dcgan.errors import ModelFileError
from dcgan.storage.model_file import read_model_file

pytestmark = pytest.mark.once


def test_missing_parent_folders_are_made(small, tmp_path):
    read_model_file(small.save(tmp_path / "a" / "b" / "sea.dcgan"), small.expected)


@pytest.mark.parametrize("path", ["file/sea.dcgan", ".", "folder", "a\0b"])
def test_a_path_where_no_file_can_be_is_a_clear_error(path, small, tmp_path):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelFileError, match="cannot be saved to"):
        small.save(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "folder"]


READ_ONLY = """
import os, sys
import numpy as np
from dcgan.errors import ModelFileError
from dcgan.storage.model_file import write_model_file

os.chdir(sys.argv[1])
os.chmod("sea", 0o555)
if os.geteuid() == 0:
    os.setuid(65534)  # the administrator could write anywhere; this user cannot
parts = {"options": {}, "plan": {}, "optimizers": {}, "training": {}}
try:
    write_model_file("sea/sea.dcgan", parts, {"generator/kernel": np.ones(3, "float32")})
except ModelFileError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_read_only_folder_is_a_clear_error(small, start_child, tmp_path):
    path = small.save(tmp_path / "sea" / "sea.dcgan")
    before = path.read_bytes()
    output, errors = start_child(READ_ONLY, tmp_path).communicate()
    assert "Permission denied" in output, errors
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def test_what_a_killed_save_left_is_swept_by_a_later_one(small, tmp_path):
    old, young, foreign = (
        tmp_path / name
        for name in (".sea.dcgan.old.partial", ".sea.dcgan.new.partial", ".x.dcgan.old.partial")
    )
    for path in (old, young, foreign):
        path.write_bytes(b"half a mo")
    for path in (old, foreign):
        os.utime(path, (time.time() - 3600,) * 2)
    small.save(tmp_path / "sea.dcgan")
    assert not old.exists()
    assert young.exists() and foreign.exists()  # of a save that may still be going on; of another


def test_names_of_any_length_and_script_are_saved(small, tmp_path):
    for name in ("a b\n{c}.dcgan", "海" * 80 + ".dcgan", "m" * 240 + ".dcgan"):
        read_model_file(small.save(tmp_path / name), small.expected)
    assert not list(tmp_path.glob("*.partial"))
