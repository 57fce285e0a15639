"""Does the checkpoint store give back what was saved, and pass over what was damaged later?"""

import json
import logging
import shutil

import numpy as np
import pytest

from dcgan.errors import ArgumentError, RunError
from dcgan.storage.checkpoints import CheckpointStore

STATE = {"epoch": 3, "history": {"loss": [0.5, 0.25]}, "name": "Sea 海"}


def arrays(value: float = 1.0) -> dict[str, np.ndarray]:
    return {
        "generator/dense/kernel": np.full((20, 30), value, "float32"),
        "optimizer/generator/0000": np.array(7, "int64"),
        "state/random/0000": np.array([1, 2], "uint32"),
    }


@pytest.fixture
def store(tmp_path):
    """Three states: after 10, 20 and 30 steps."""
    store = CheckpointStore(tmp_path / "checkpoints")
    for step in (10, 20, 30):
        store.save(step, arrays(step), STATE | {"step": step})
    return store


def names(store: CheckpointStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def test_the_newest_state_comes_back_as_it_was_saved(store):
    checkpoint = store.newest()
    assert checkpoint.step == 30
    assert checkpoint.state == STATE | {"step": 30}
    assert checkpoint.arrays.keys() == arrays().keys()
    for name, array in arrays(30).items():
        np.testing.assert_array_equal(checkpoint.arrays[name], array, strict=True)


def test_a_folder_without_checkpoints_has_none(tmp_path):
    store = CheckpointStore(tmp_path / "none")
    assert store.newest() is None
    assert not store.exist()
    assert not store.folder.exists()


def test_only_the_last_few_are_kept(store):
    store.save(40, arrays(), STATE)
    assert names(store) == ["000002-step-20", "000003-step-30", "000004-step-40"]


def test_after_a_step_back_the_state_saved_last_is_the_newest(store):
    store.save(20, arrays(99), STATE)
    checkpoint = store.newest()
    assert checkpoint.step == 20
    assert checkpoint.arrays["generator/dense/kernel"][0, 0] == 99


def test_what_a_killed_save_left_is_swept(store):
    shutil.copytree(store.newest().path, store.folder / "000004-step-40.partial")
    assert store.newest().step == 30
    assert len(names(store)) == 3


def flip(path, position: int):
    content = bytearray(path.read_bytes())
    content[position] ^= 16
    path.write_bytes(content)


DAMAGES = {
    "a byte of the arrays": lambda path: flip(path / "arrays.npz", 500),
    "a byte of the state": lambda path: flip(path / "state.json", 5),
    "a byte of the manifest's hash": lambda path: flip(
        path / "manifest.json", (path / "manifest.json").read_bytes().index(b'"sha256": "') + 15
    ),
    "arrays cut off": lambda path: (path / "arrays.npz").write_bytes(b"PK"),
    "manifest empty": lambda path: (path / "manifest.json").write_bytes(b""),
    "manifest of something else": lambda path: (path / "manifest.json").write_text("[1]"),
    "manifest of another step": lambda path: (path / "manifest.json").write_text(
        (path / "manifest.json").read_text().replace('"step": 30', '"step": 31')
    ),
    "manifest missing": lambda path: (path / "manifest.json").unlink(),
    "arrays missing": lambda path: (path / "arrays.npz").unlink(),
    "state missing": lambda path: (path / "state.json").unlink(),
    "everything missing": lambda path: [file.unlink() for file in path.iterdir()],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_is_passed_over_and_both_are_named(store, damage, caplog):
    DAMAGES[damage](store.folder / "000003-step-30")
    with caplog.at_level(logging.WARNING, "dcgan"):
        assert store.newest().step == 20
    (record,) = caplog.records
    assert "000003-step-30" in record.getMessage()
    assert "000002-step-20" in record.getMessage()


def test_every_flipped_byte_of_a_checkpoint_is_noticed_or_changes_nothing(store):
    path = store.folder / "000003-step-30"
    whole = store.newest()
    random = np.random.default_rng(0)
    for file in path.iterdir():
        content = file.read_bytes()
        for position in random.integers(0, len(content), 60):
            flip(file, position)
            checkpoint = store.newest()
            assert checkpoint.step == 20 or (
                checkpoint.state == whole.state
                and all((checkpoint.arrays[n] == whole.arrays[n]).all() for n in whole.arrays)
            )
            file.write_bytes(content)


def test_after_a_damaged_one_saving_goes_on_and_the_new_one_counts(store):
    flip(store.folder / "000003-step-30" / "arrays.npz", 500)
    assert store.newest().step == 20
    store.save(30, arrays(), STATE)
    assert store.newest().path.name == "000004-step-30"


def test_when_all_are_damaged_training_does_not_silently_begin_anew(store):
    for path in store.folder.iterdir():
        flip(path / "arrays.npz", 500)
    with pytest.raises(RunError, match="000001.*resume=False"):
        store.newest()
    assert len(names(store)) == 3  # and nothing is deleted


def test_pickled_objects_are_neither_saved_nor_read(store):
    with pytest.raises(ArgumentError, match="plain numbers"):
        store.save(40, {"a": np.array([object()])}, STATE)
    with pytest.raises(TypeError):
        store.save(40, arrays(), {"a": object()})
    assert len(names(store)) == 3


def test_a_save_into_a_folder_that_is_gone_for_good_is_an_error_that_says_so(store):
    shutil.rmtree(store.folder)
    store.folder.write_text("a file stands in its place")
    with pytest.raises(RunError, match="step 40 cannot be saved"):
        store.save(40, arrays(), STATE)


def test_a_save_into_a_folder_that_was_removed_makes_it_again(store):
    shutil.rmtree(store.folder)
    store.save(40, arrays(), STATE)
    assert store.newest().step == 40


@pytest.mark.parametrize("keep", [0, -1, 2.5, "3", True])
def test_keeping_less_than_one_is_refused(tmp_path, keep):
    with pytest.raises(ArgumentError, match="keep"):
        CheckpointStore(tmp_path, keep=keep)


def test_the_manifest_names_every_file_with_its_size_and_hash(store):
    path = store.newest().path
    manifest = json.loads((path / "manifest.json").read_text())
    files = {file.name: file.stat().st_size for file in path.iterdir()}
    files.pop("manifest.json")
    assert {name: entry["size"] for name, entry in manifest["files"].items()} == files
    assert all(len(entry["sha256"]) == 64 for entry in manifest["files"].values())
