"""Does a model file give back what was saved, and say truly what is wrong with it?"""

import hashlib
import json
import time
import zipfile
import zlib

import numpy as np
import pytest
from dcgan.storage.model_file_old import document as model_document
from dcgan.storage.model_file_old import generator_sha256, layout, read_model, write_model

from dcgan.errors import ArgumentError, ModelFileError

DOCUMENT = {"config": {"width": 3}, "training": {"step": 7, "loss": [0.5, 0.25]}, "data": {}}
PREVIEW = b"\x89PNG\r\n\x1a\nnot decoded"


def small_arrays(width: int = 3) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "generator/dense/kernel": random.normal(size=(2, width)).astype("float32"),
        "generator/dense/bias": np.zeros(width, "float32"),
        "training_generator/dense/kernel": random.normal(size=(2, width)).astype("float32"),
        "training_generator/dense/bias": np.zeros(width, "float32"),
        "discriminator/dense/kernel": random.normal(size=(width, 1)).astype("float32"),
        "optimizer/generator/0000": np.array(7, "int64"),
        "optimizer/generator/0001": np.ones((2, width), "float32"),
        "state/random/0000": np.array([1, 2], "uint32"),
        "state/flag": np.array(True),
    }


def expected(document: dict) -> dict[str, tuple[tuple[int, ...], str]]:
    width = document["config"].get("width")
    if not isinstance(width, int) or not 0 < width < 1000:
        raise ArgumentError(f"width must be a whole number from 1 to 999. Received: {width!r}")
    networks = {"generator/dense/kernel": (2, width), "generator/dense/bias": (width,)}
    networks |= {f"training_{name}": shape for name, shape in networks.items()}
    networks["discriminator/dense/kernel"] = (width, 1)
    return {name: (shape, "float32") for name, shape in networks.items()}


def small_file(path, **changes):
    write_model(path, DOCUMENT | changes, small_arrays(), PREVIEW)
    return path


@pytest.fixture
def model(tmp_path):
    return small_file(tmp_path / "sea.dcgan")


def test_what_is_saved_is_what_is_read(model):
    file = read_model(model, expected)
    assert {key: file.document[key] for key in DOCUMENT} == DOCUMENT
    assert file.preview == PREVIEW
    assert file.arrays.keys() == small_arrays().keys()
    for name, array in small_arrays().items():
        assert file.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(file.arrays[name], array, strict=True)


def test_the_same_content_gives_the_same_bytes(model, tmp_path):
    again = small_file(tmp_path / "again.dcgan")
    assert again.read_bytes() == model.read_bytes()


def test_version_1_is_written_as_it_always_was(tmp_path):
    arrays = {"generator/kernel": np.arange(6, dtype="float32").reshape(2, 3)}
    write_model(tmp_path / "a.dcgan", DOCUMENT, arrays, PREVIEW)
    content = (tmp_path / "a.dcgan").read_bytes()
    # A change of this hash is a new version of the format, which then needs its own reader.
    assert (
        hashlib.sha256(content).hexdigest()
        == "13f1f4626b2c300568822feefd18107635c7435aa0d5e7d7fdd89d8e94b17f95"
    )


def test_arrays_in_any_memory_order_and_byte_order_are_saved(tmp_path):
    kernel = np.arange(6, dtype=">f4").reshape(2, 3, order="F")
    write_model(tmp_path / "a.dcgan", DOCUMENT, {"generator/kernel": kernel})
    read = read_model(tmp_path / "a.dcgan").arrays["generator/kernel"]
    np.testing.assert_array_equal(read, kernel)


def test_a_generator_only_file_is_read_and_has_the_hash_of_the_full_one(model, tmp_path):
    arrays = {name: a for name, a in small_arrays().items() if name.startswith("generator/")}
    returned = write_model(tmp_path / "small.dcgan", DOCUMENT, arrays)
    small, full = read_model(tmp_path / "small.dcgan", expected), read_model(model, expected)
    assert small.generator_only and not full.generator_only
    assert small.preview is None
    assert small.sha256 == full.sha256 == returned == generator_sha256(small_arrays())


def test_another_generator_has_another_hash():
    changed = small_arrays()
    changed["generator/dense/bias"][0] = 1
    assert generator_sha256(changed) != generator_sha256(small_arrays())


def test_other_programs_can_open_the_file(model):
    with zipfile.ZipFile(model) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "model.json"
        assert json.loads(archive.read("model.json"))["format"] == "dcgan-model"
    with np.load(model, allow_pickle=False) as archive:
        kernel = archive["arrays/generator/dense/kernel"]
    np.testing.assert_array_equal(kernel, small_arrays()["generator/dense/kernel"])


def best_seconds(work) -> float:
    """The quickest of three times: other programs may keep the machine busy."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def test_all_checks_together_cost_little_more_than_the_hash_of_the_file(tmp_path):
    path = tmp_path / "big.dcgan"
    write_model(path, DOCUMENT, {f"generator/{i}": np.ones(1 << 20, "float32") for i in range(10)})
    hashing = best_seconds(lambda: hashlib.sha256(path.read_bytes()))
    assert best_seconds(lambda: read_model(path)) < 6 * hashing  # about 2 on a quiet machine


def damage(path, position: int, byte: int | None = None):
    content = bytearray(path.read_bytes())
    content[position] = content[position] ^ 1 if byte is None else byte
    path.write_bytes(content)


def write_json(path, **changes):
    """Rewrite a model's JSON, well-formed otherwise."""
    content = path.read_bytes()
    crc, size = layout.crc_and_size(content)
    parsed = json.loads(content[40 : 40 + size]) | changes
    new = model_document.encode(parsed)
    header = layout.local_header(layout.Member("model.json", len(new), zlib.crc32(new)))
    path.write_bytes(header + new + content[40 + size :])


def load_error(path) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_model(path, expected)
    assert str(path) in str(caught.value) or repr(str(path)) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_thing_wrong_with_a_file_has_its_own_true_message(tmp_path):
    messages = {}
    path = tmp_path / "model.dcgan"
    messages["does not exist"] = load_error(path)
    path.mkdir()
    messages["is a folder"] = load_error(path)
    path.rmdir()
    path.write_bytes(b"")
    messages["is empty"] = load_error(path)
    path.write_text("Once upon a time\n")
    messages["is text"] = load_error(path)
    whole = small_file(path).read_bytes()
    path.write_bytes(whole[:-100])
    messages[f"is cut off: it has {len(whole) - 100} bytes of {len(whole)}"] = load_error(path)
    path.write_bytes(whole)
    damage(path, whole.index(b"arrays/generator/dense/kernel.npy") + 165)
    messages["'generator/dense/kernel' does not match its checksum"] = load_error(path)
    path.write_bytes(whole)
    write_json(path, version=2)
    messages["made by a newer dcgan (file version 2, this"] = load_error(path)
    write_model(path, DOCUMENT | {"config": {"width": 4}}, small_arrays(3))
    messages["its configuration needs"] = load_error(path)
    for expected_words, message in messages.items():
        assert expected_words in message
    assert len(set(messages.values())) == len(messages)


def test_a_newer_version_says_how_to_update(model):
    write_json(model, version=2)
    assert "pip install -U dcgan" in load_error(model)


def test_nan_weights_are_named(tmp_path, monkeypatch):
    path = tmp_path / "nan.dcgan"
    arrays = small_arrays()
    arrays["generator/dense/bias"][1] = np.nan
    monkeypatch.setattr("dcgan.storage.writing.check_values", lambda name, array: None)
    write_model(path, DOCUMENT, arrays)
    assert "not finite in 'generator/dense/bias'" in load_error(path)


def test_a_configuration_that_cannot_be_is_refused_with_its_reason(tmp_path):
    path = small_file(tmp_path / "a.dcgan", config={"width": -1})
    assert "width must be a whole number" in load_error(path)


OTHERS = {
    "a.keras": (b"PK\3\4" + bytes(22) + b"\x0d\0\0\0metadata.json{}", "keras.saving.load_model"),
    "a.h5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "keras.saving.load_model"),
    "a.pkl": (b"\x80\x04\x95" + bytes(50), "a pickle can run code"),
    "a.pth": (b"PK\3\4" + bytes(22) + b"\x10\0\0\0archive/data.pkl", "PyTorch"),
    "a.npz": (b"PK\3\4" + bytes(22) + b"\x09\0\0\0arr_0.npy", "numpy.load"),
    "a.npy": (b"\x93NUMPY\x01\0", "numpy.load"),
    "a.onnx": (b"\x08\x08\x12\x07pytorch", "ONNX"),
    "a.safetensors": (b'\x40\0\0\0\0\0\0\0{"__metadata__"', "safetensors"),
    "a.tflite": (b"\x1c\0\0\0TFL3" + bytes(40), "TensorFlow Lite"),
    "a.png": (PREVIEW, "image"),
    "a.gz": (b"\x1f\x8b\x08" + bytes(20), "unpack it first"),
    "a.html": (b"<!DOCTYPE html><html>", "web page"),
    "a.lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "a.zip": (b"PK\3\4" + bytes(22) + b"\x05\0\0\0a.txt", "a ZIP archive of something else"),
    "a.bin": (bytes(range(128, 255)), "begins with the bytes"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_program_is_recognized_by_its_bytes(name, tmp_path):
    content, words = OTHERS[name]
    path = tmp_path / "renamed.dcgan"
    path.write_bytes(content)
    assert words in load_error(path)
