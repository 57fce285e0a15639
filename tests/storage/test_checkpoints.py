"""The checkpoint store gives back what was saved, and passes over what was damaged later."""

import logging
import shutil

import numpy as np
import pytest

from dcgan.errors import ModelFileError, RunError
from dcgan.storage.checkpoints import CheckpointStore

pytestmark = pytest.mark.once


def arrays(small, value: float) -> dict[str, np.ndarray]:
    return small.arrays() | {"generator/dense/kernel": np.full((2, 3), value, "float32")}


def document(small, step: int) -> dict:
    return small.document | {"training": {"step": step}}


@pytest.fixture
def store(small, tmp_path):
    """Three checkpoints: after 10, 20 and 30 steps."""
    store = CheckpointStore(tmp_path / "checkpoints")
    for step in (10, 20, 30):
        store.save(step, document(small, step), arrays(small, step))
    return store


def names(store: CheckpointStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def test_the_newest_checkpoint_comes_back_as_it_was_saved(small, store):
    checkpoint = store.newest()
    assert checkpoint.step == 30
    assert checkpoint.document == document(small, 30)
    assert checkpoint.arrays.keys() == arrays(small, 30).keys()
    for name, array in arrays(small, 30).items():
        np.testing.assert_array_equal(checkpoint.arrays[name], array, strict=True)


def test_a_folder_without_checkpoints_has_none(tmp_path):
    store = CheckpointStore(tmp_path / "none")
    assert store.newest() is None
    assert store.latest() == 0
    assert not store.folder.exists()


def test_only_the_last_few_are_kept(small, store):
    store.save(40, document(small, 40), arrays(small, 40))
    assert names(store) == [
        *("000002-step-20.dcgan", "000003-step-30.dcgan", "000004-step-40.dcgan"),
    ]


def test_after_a_rollback_the_checkpoint_saved_last_is_the_newest(small, store):
    store.save(20, document(small, 20), arrays(small, 99))
    checkpoint = store.newest()
    assert checkpoint.step == 20
    assert checkpoint.arrays["generator/dense/kernel"][0, 0] == 99


def test_the_millionth_save_is_the_newest(small, store):
    path = store.folder / "000003-step-30.dcgan"
    path.rename(store.folder / "999999-step-30.dcgan")
    assert store.save(40, document(small, 40), arrays(small, 40)).name == "1000000-step-40.dcgan"
    assert store.newest().step == 40


def test_reading_leaves_a_checkpoint_that_another_process_is_writing(store):
    partial = store.folder / ".000004-step-40.dcgan.0123.partial"
    partial.write_bytes(b"half")
    assert store.newest().step == 30
    assert partial.exists()


def flip(path, position: int):
    content = bytearray(path.read_bytes())
    content[position] ^= 16
    path.write_bytes(content)


DAMAGES = {
    "a byte of the arrays": lambda path: flip(path, -5),
    "a byte of the document": lambda path: flip(path, path.read_bytes().index(b"Adam")),
    "a byte of the length": lambda path: flip(path, 0),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "something else": lambda path: path.write_text("[1]"),
    "a folder of an earlier version": lambda path: (
        path.unlink(),
        path.with_suffix("").mkdir(),
        (path.with_suffix("") / "manifest.json").touch(),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_is_passed_over_and_both_are_named(store, damage, caplog):
    DAMAGES[damage](store.folder / "000003-step-30.dcgan")
    with caplog.at_level(logging.WARNING, "dcgan"):
        assert store.newest().step == 20
    (record,) = caplog.records
    assert "000003-step-30" in record.getMessage()
    assert "000002-step-20.dcgan" in record.getMessage()


def test_after_a_damaged_one_saving_continues_and_the_new_one_counts(small, store):
    flip(store.folder / "000003-step-30.dcgan", 500)
    assert store.newest().step == 20
    store.save(30, document(small, 30), arrays(small, 30))
    assert store.newest().path.name == "000004-step-30.dcgan"


def test_when_all_are_damaged_training_does_not_silently_begin_anew(store):
    for path in store.folder.iterdir():
        flip(path, 500)
    with pytest.raises(RunError, match="000001.*resume=False"):
        store.newest()
    assert len(names(store)) == 3  # and nothing is deleted


def test_checkpoints_of_an_earlier_version_are_refused_and_kept(tmp_path):
    (tmp_path / "000001-step-5").mkdir()
    (tmp_path / "000001-step-5" / "manifest.json").touch()
    with pytest.raises(RunError, match="an earlier, unpublished version of dcgan.*resume=False"):
        CheckpointStore(tmp_path).newest()
    assert (tmp_path / "000001-step-5" / "manifest.json").exists()


def test_objects_are_not_saved(small, store):
    with pytest.raises(RunError, match="step 40 cannot be saved.*'generator/a' of type object"):
        store.save(40, small.document, {"generator/a": np.array([object()])})
    with pytest.raises(RunError, match="other than plain values"):
        store.save(40, small.document | {"training": {"a": object()}}, small.arrays())
    assert len(names(store)) == 3


def test_a_save_into_a_folder_that_is_gone_for_good_is_an_error_that_says_so(small, store):
    shutil.rmtree(store.folder)
    store.folder.write_text("a file stands in its place")
    with pytest.raises(RunError, match="step 40 cannot be saved.*File exists"):
        store.save(40, small.document, small.arrays())


def test_a_save_into_a_folder_that_was_removed_makes_it_again(small, store):
    shutil.rmtree(store.folder)
    store.save(40, small.document, small.arrays())
    assert store.newest().step == 40


def test_a_save_makes_no_folder_above_the_one_of_the_checkpoints(small, tmp_path):
    with pytest.raises(RunError, match="No such file"):
        CheckpointStore(tmp_path / "gone" / "checkpoints").save(1, small.document, small.arrays())
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_is_a_model_file(small, store):
    from dcgan.storage.model_file import read_model_file

    file = read_model_file(store.folder / "000003-step-30.dcgan", small.expected)
    assert file.preview is None and not file.generator_only
    with pytest.raises(ModelFileError, match="is a folder"):
        read_model_file(store.folder)
