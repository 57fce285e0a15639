"""Descriptions of files that are no model files: what they are, and what to do with them."""

import re
import struct
from pathlib import Path

HEAD_BYTES = 512  # enough to tell every format below

_KERAS = "load it with keras.saving.load_model"
_PICKLE = "a pickle can run code when it is opened, so it is not opened here"
_OURS = "only files written by DCGAN.save can be loaded"
_EARLIER = "was made by an earlier, unpublished version of dcgan, which this one cannot read"

_BY_FIRST_BYTES: list[tuple[bytes, str]] = [
    (rb"\x89HDF\r\n\x1a\n", f"is an HDF5 file (.h5, .weights.h5, made by Keras): {_KERAS}"),
    (rb"\x80[\x02-\x05]", f"is a Python pickle (.pkl, .pt, .pth): {_PICKLE}; {_OURS}"),
    (rb"\x93NUMPY", f"is a NumPy array (.npy): read it with numpy.load; {_OURS}"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF....WEBP", "is an image; give the .dcgan file itself"),
    (rb"\x08[\x01-\x20][\x12\x1a\x22\x3a]", f"looks like an ONNX model: {_OURS}"),
    (rb"....TFL3", f"is a TensorFlow Lite model: {_OURS}"),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!", "is a compressed archive: unpack it first"),
    (rb"version https://git-lfs", "is a Git LFS pointer, not the file: run `git lfs pull`"),
    (rb"(?i:\s*<(!doctype|html))", "is a web page: the download went wrong, fetch it again"),
]
_BY_FIRST_MEMBER: list[tuple[str, str]] = [
    (r"model\.json", _EARLIER),
    (r"(metadata|config)\.json|model\.weights\.h5|assets/.*", f"is a .keras file: {_KERAS}"),
    (r".*\.npy", f"is a NumPy archive (.npz): read it with numpy.load; {_OURS}"),
    (r".*(data\.pkl|byteorder|\.format_version)", f"is a PyTorch file: {_PICKLE}; {_OURS}"),
]


def describe(head: bytes) -> str:
    """What a file is by its first `HEAD_BYTES` bytes, as the end of a sentence."""
    if not head:
        return "is empty (0 bytes): its download or copy did not finish, fetch it again"
    if head.startswith(b"PK\3\4"):
        return _describe_zip(head)
    for pattern, description in _BY_FIRST_BYTES:
        if re.match(pattern, head, re.DOTALL):
            return description
    try:
        text = head[: HEAD_BYTES - 4].decode("utf-8")  # the last character may be cut
    except UnicodeDecodeError:
        text = "\0"
    if all(character.isprintable() or character.isspace() for character in text):
        return f"is text, not a model file: {_OURS}"
    return f"is not a model file (it begins with the bytes {head[:8].hex(' ')}): {_OURS}"


def describe_folder(path: Path) -> str:
    """What a folder is, as the end of a sentence."""
    if (path / "manifest.json").exists():
        return _EARLIER
    return "is a folder, not a file; the model of a run is its best.dcgan or last.dcgan"


def _describe_zip(head: bytes) -> str:
    (length,) = struct.unpack_from("<H", head.ljust(30, b"\0"), 26)
    name = head[30 : 30 + length].decode("utf-8", "replace")
    for pattern, description in _BY_FIRST_MEMBER:
        if re.fullmatch(pattern, name, re.DOTALL):
            return description
    return f"is a ZIP archive of something else (its first member is {name!a:.60}): {_OURS}"
