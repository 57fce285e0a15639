"""Model files give back what was saved, and say truly what is wrong with them."""

import hashlib
import os
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from dcgan.errors import ModelFileError
from dcgan.storage import model_file
from dcgan.storage.model_file import read_model_file, write_model_file

pytestmark = pytest.mark.once


@pytest.fixture
def model(small, tmp_path):
    return small.save(tmp_path / "sea.dcgan")


def test_what_is_saved_is_what_is_read(small, model):
    file = read_model_file(model, small.expected)
    assert file.document == small.document
    assert not file.generator_only
    np.testing.assert_array_equal(file.preview, small.preview, strict=True)
    assert file.arrays.keys() == small.arrays().keys()
    for name, array in small.arrays().items():
        np.testing.assert_array_equal(file.arrays[name], array, strict=True)
        file.arrays[name][...] = 0  # and may be changed


def test_safetensors_opens_a_model_file(small, model):
    arrays = load_file(model)
    assert arrays.keys() == small.arrays().keys() | {"preview"}
    for name, array in small.arrays().items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)


def test_a_saved_file_has_one_metadata_key_and_the_document_describes_every_array(small, model):
    header, data = small.split(model.read_bytes())
    assert list(header["__metadata__"]) == ["dcgan"]
    document = model_file.parse(header["__metadata__"]["dcgan"].encode())
    for name, entry in document["arrays"].items():
        start, end = header[name]["data_offsets"]
        assert entry["bytes"] == end - start
        assert entry["sha256"] == hashlib.sha256(data[start:end]).hexdigest()


def test_the_same_content_gives_the_same_bytes(small, model, tmp_path):
    backwards = dict(reversed(small.arrays().items()))
    again = small.save(tmp_path / "again.dcgan", backwards)
    assert again.read_bytes() == model.read_bytes()


ARRAYS = {
    "fortran": np.arange(6, dtype="float32").reshape(2, 3, order="F"),
    "big_endian": np.arange(6, dtype=">f4").reshape(2, 3),
    "strided": np.arange(24, dtype="float32").reshape(6, 4)[::2, ::-1],
    "transposed": np.arange(6, dtype="float64").reshape(2, 3).T,
    "int64": np.array([-(2**63), 2**63 - 1]),
    "uint32": np.array([0, 2**32 - 1], "uint32"),
    "int32": np.array([-(2**31)], "int32"),
    "uint8": np.arange(256, dtype="uint8"),
    "bool": np.array([True, False, True]),
    "scalar": np.array(2.5, "float32"),
    "scalar_bool": np.array(False),
    "empty": np.zeros((0, 3), "float32"),
    "empty_axis": np.zeros((2, 0, 4), "int64"),
    "tiny": np.array([5e-324, -0.0]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_any_layout_and_type_are_exact(name, small, tmp_path):
    path = small.save(tmp_path / "a.dcgan", {"generator/x": ARRAYS[name]}, None)
    for read in (read_model_file(path).arrays, load_file(path)):
        assert read["generator/x"].dtype == ARRAYS[name].dtype.newbyteorder("=")
        np.testing.assert_array_equal(read["generator/x"], ARRAYS[name])
        assert read["generator/x"].shape == ARRAYS[name].shape


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_previews_of_any_channels_come_back(channels, small, tmp_path):
    preview = np.arange(8 * channels, dtype="uint8").reshape(2, 4, channels)[::-1]
    path = small.save(tmp_path / "a.dcgan", preview=preview)
    np.testing.assert_array_equal(read_model_file(path).preview, preview, strict=True)


def test_a_generator_only_file_has_no_more_and_the_hash_of_the_full_one(small, model, tmp_path):
    arrays = {n: a for n, a in small.arrays().items() if n.startswith("generator/")}
    changes = {"optimizers": {}, "training": {}}
    returned = write_model_file(tmp_path / "a.dcgan", small.document | changes, arrays)
    file = read_model_file(tmp_path / "a.dcgan", small.expected)
    assert file.generator_only
    assert file.preview is None
    assert file.sha256 == returned == read_model_file(model).sha256


def test_another_generator_has_another_hash(small, model, tmp_path):
    changed = small.arrays()
    changed["generator/dense/bias"][0] = 1
    other = small.save(tmp_path / "a.dcgan", changed)
    assert read_model_file(other).sha256 != read_model_file(model).sha256


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_saved_file_has_the_permissions_of_any_new_file(small, model, tmp_path):
    (tmp_path / "other").touch()
    assert model.stat().st_mode == (tmp_path / "other").stat().st_mode


def best_seconds(work) -> float:
    """The quickest of three times: other programs may keep the machine busy."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def test_all_checks_together_cost_little_more_than_the_hash_of_the_file(small, tmp_path):
    arrays = {f"generator/{i}": np.ones(1 << 20, "float32") for i in range(10)}
    path = small.save(tmp_path / "big.dcgan", arrays)
    hashing = best_seconds(lambda: hashlib.sha256(path.read_bytes()))
    assert best_seconds(lambda: read_model_file(path)) < 6 * hashing  # about 2 on a quiet machine


def load_error(path, expected=None) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_model_file(path, expected)
    message = str(caught.value)
    assert repr(str(path)) in message
    assert "\n" not in message
    return message


def damage(path, position: int):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_each_thing_wrong_with_a_file_has_its_own_true_message(small, tmp_path, monkeypatch):
    messages = {}
    path = tmp_path / "model.dcgan"
    messages["does not exist"] = load_error(path)
    path.mkdir()
    messages["is a folder"] = load_error(path)
    path.rmdir()
    path.write_bytes(b"")
    messages["is empty"] = load_error(path)
    path.write_text('Once upon a time {"there"}: 8 letters\n')
    messages["is text"] = load_error(path)
    whole = small.save(path).read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    for end, words in ((start - 100, "inside its header"), (-10, "10 bytes are missing")):
        path.write_bytes(whole[:end])
        messages[words] = load_error(path)
    path.write_bytes(whole + b"1234")
    messages["4 bytes more"] = load_error(path)
    path.write_bytes(whole)
    damage(path, start + small.split(whole)[0]["generator/dense/bias"]["data_offsets"][0])
    messages["'generator/dense/bias' does not match its checksum"] = load_error(path)
    path.write_bytes(whole)
    damage(path, whole.index(b"Adam"))
    messages["its document does not match its checksum"] = load_error(path)
    with monkeypatch.context() as patch:
        patch.setattr("dcgan.storage.document.VERSION", 2)
        small.save(path)
    messages["newer dcgan (file version 2, this program reads up to 1)"] = load_error(path)
    small.save(path, plan={"width": 4})
    messages["where its plan needs float32 (4, 1)"] = load_error(path, small.expected)
    small.save(path, plan={"width": -1})
    messages["width must be a whole number"] = load_error(path, small.expected)
    with monkeypatch.context() as patch:
        patch.setattr(model_file, "_check_values", lambda name, array: None)
        small.save(path, small.arrays() | {"generator/dense/bias": np.array([1, np.nan, 1.0])})
    messages["not finite in 'generator/dense/bias'"] = load_error(path)
    for words, message in messages.items():
        assert words in message
    assert len(set(messages.values())) == len(messages)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda arrays: arrays | {"state/more": np.zeros(1)},
            "float64 (1,) as 'state/more', where its plan needs nothing",
        ),
        (
            lambda arrays: arrays | {"generator/x": np.zeros(1)},
            "as 'generator/x', where its plan needs nothing",
        ),
        (
            lambda arrays: arrays.pop("state/flag"),
            "holds nothing as 'state/flag', where",
        ),
        (lambda arrays: arrays.pop("generator/dense/bias"), "nothing as 'generator/dense/bias'"),
        (
            lambda arrays: arrays.pop("discriminator/dense/kernel"),
            "nothing as 'discriminator/",
        ),
        (lambda arrays: arrays | {"state/flag": np.zeros(1, bool)}, "needs bool ()"),
        (
            lambda arrays: arrays | {"state/flag": np.array(1)},
            "holds int64 () as 'state",
        ),
    ],
)
def test_arrays_that_do_not_match_the_plan_are_refused_unread(
    change, words, small, tmp_path, monkeypatch
):
    arrays = small.arrays()
    changed = change(arrays)
    path = small.save(tmp_path / "a.dcgan", changed if isinstance(changed, dict) else arrays)
    monkeypatch.setattr(model_file, "_read_array", None)  # would be a TypeError
    assert words in load_error(path, small.expected)


def test_a_file_for_training_needs_its_training_state_and_optimizers(small, tmp_path):
    for part in ("training", "optimizers"):
        with pytest.raises(ModelFileError, match="not the training state or the optimizers"):
            small.save(tmp_path / "a.dcgan", **{part: {}})


def test_nothing_in_a_file_names_a_folder_to_write_to(small, tmp_path, monkeypatch):
    path = tmp_path / "a.dcgan"
    with pytest.raises(ModelFileError, match="save_path"):
        small.save(path, options={"save_path": "/etc"})
    with monkeypatch.context() as patch:
        patch.setattr(model_file, "_read_header", lambda *file: None)
        small.save(path, options={"save_path": "/etc"})
    assert "save_path" in load_error(path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("generator/x", np.array([np.inf], "float32"), "not finite"),
        ("generator/x", np.array(["a"], object), "expected one of"),
        ("generator/x", np.array(["a"]), "expected one of"),
        ("generator/x", np.array([1], "float16"), "expected one of"),
        ("../x", np.zeros(1, "float32"), "names an array"),
        ("generator/../x", np.zeros(1, "float32"), "names an array"),
        ("optimizer/x", np.zeros(1000, "float32"), "than an optimizer of its networks can"),
        ("preview", np.zeros((2, 2), "uint8"), "a preview that is no image"),
        ("preview", np.zeros((2, 2, 3), "float32"), "a preview that is no image"),
        ("preview", np.zeros((2000, 2000, 3), "uint8"), "a preview that is no image"),
        ("preview", np.zeros((2, 0, 3), "uint8"), "a preview that is no image"),
    ],
)
def test_what_could_not_be_read_back_is_never_written(small, model, name, value, words):
    before = model.read_bytes()
    with pytest.raises(ModelFileError, match=words):
        small.save(model, small.arrays() | {name: value}, None)
    assert model.read_bytes() == before
