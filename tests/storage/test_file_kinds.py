"""Files and folders that are no model files are recognized, and the message says what they are."""

import re

import pytest

from dcgan.errors import ModelFileError
from dcgan.storage.model_file import read_model_file

pytestmark = pytest.mark.once


def zip_start(name: str) -> bytes:
    return b"PK\3\4" + bytes(22) + bytes([len(name), 0, 0, 0]) + name.encode()


EARLIER = "an earlier, unpublished version"
OTHERS = {
    "an earlier model file": (zip_start("model.json") + b"{}", EARLIER),
    "a.keras": (zip_start("metadata.json") + b"{}", "keras.saving.load_model"),
    "a.h5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "keras.saving.load_model"),
    "a.pkl": (b"\x80\x04\x95" + bytes(50), "a pickle can run code"),
    "a.pth": (zip_start("archive/data.pkl"), "PyTorch"),
    "a.npz": (zip_start("arr_0.npy"), "numpy.load"),
    "a.npy": (b"\x93NUMPY\x01\0", "numpy.load"),
    "a.onnx": (b"\x08\x08\x12\x07pytorch", "ONNX"),
    "a.safetensors": (b"\x02\0\0\0\0\0\0\0{}", "a safetensors file that DCGAN.save did not"),
    "a.tflite": (b"\x1c\0\0\0TFL3" + bytes(40), "TensorFlow Lite"),
    "a.png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "image"),
    "a.gz": (b"\x1f\x8b\x08" + bytes(20), "unpack it first"),
    "a.html": (b"<!DOCTYPE html><html>", "web page"),
    "a.lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "a.zip": (zip_start("a.txt"), "a ZIP archive of something else"),
    "a.bin": (bytes(range(128, 255)), "begins with the bytes"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_program_is_recognized_by_its_bytes(name, tmp_path):
    content, words = OTHERS[name]
    path = tmp_path / "renamed.dcgan"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=re.escape(words)):
        read_model_file(path)


def test_a_checkpoint_folder_of_an_earlier_version_is_recognized(tmp_path):
    (tmp_path / "000001-step-5").mkdir()
    (tmp_path / "000001-step-5" / "manifest.json").touch()
    with pytest.raises(ModelFileError, match=EARLIER):
        read_model_file(tmp_path / "000001-step-5")
