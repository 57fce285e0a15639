"""Arrays taken as images, with which values, and those that are refused."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest

from dcgan.data.image_set import open_images
from dcgan.errors import DataError

pytestmark = pytest.mark.once

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 256, (5, 6, 7), np.uint8)
COLOR = RANDOM.integers(0, 256, (5, 6, 7, 3), np.uint8)


def pixels_of(source, img_size=(6, 7, 1)):
    return open_images(source, img_size).pixels


def idx(array):
    return struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def test_a_uint8_array_of_the_right_size_is_used_without_a_copy():
    assert np.shares_memory(pixels_of(COLOR, (6, 7, 3)), COLOR)
    assert np.shares_memory(pixels_of(GRAY), GRAY)


@pytest.mark.parametrize("size", [(6, 7, 1), (6, 7, 3), (6, 7, 4), (12, 5, 3)])
@pytest.mark.parametrize("array", [GRAY, GRAY[..., None], COLOR])
def test_size_and_channels_are_converted(array, size):
    pixels = pixels_of(array, size)
    assert pixels.shape == (5, *size) and pixels.dtype == np.uint8
    assert size[2] < 4 or (pixels[..., 3] == 255).all()


def test_straight_alpha_in_an_array_is_premultiplied_or_put_on_the_background():
    array = np.full((2, 4, 4, 4), (255, 100, 0, 0), np.uint8)
    assert (pixels_of(array, (4, 4, 4)) == 0).all()
    assert (pixels_of(array, (4, 4, 3)) == 255).all()


VALUES = {
    "float in [0, 1]": (np.linspace(0, 1, 256), np.float32),
    "float in [-1, 1]": (np.linspace(-1, 1, 256), np.float64),
    "half in [-1, 1]": (np.linspace(-1, 1, 256), np.float16),
    "whole numbers": (np.arange(256), np.int64),
    "whole numbers of 16 bit": (np.arange(256), np.uint16),
    "16 bit": (np.arange(256) * 257, np.uint16),
}


@pytest.mark.parametrize("rule", VALUES)
def test_each_stated_range_covers_black_to_white(rule):
    values, kind = VALUES[rule]
    pixels = pixels_of(values.astype(kind).reshape(1, 16, 16), (16, 16, 1)).ravel()
    tolerance = 1 if kind == np.float16 else 0  # half precision has steps of 1/2048 near 1
    np.testing.assert_allclose(pixels, np.arange(256), atol=tolerance)


def test_yes_and_no_are_white_and_black():
    assert pixels_of(np.array([[[True, False]]]), (1, 2, 1)).ravel().tolist() == [255, 0]


DOUBTFUL = {
    "floats in 0..255": np.array([0.0, 255.0]),
    "just below 0": np.array([-0.1, 1.0]),
    "beyond -1": np.array([-1.5, 1.0]),
    "NaN": np.array([0.0, np.nan]),
    "large whole numbers": np.array([0, 256]),
    "negative whole numbers": np.array([-1, 255]),
    "complex": np.array([0, 1j]),
    "text": np.array(["a", "b"]),
    "objects": np.array([{}, 3], object),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_values_in_doubt_are_refused(case):
    with pytest.raises(DataError, match="Expected: "):
        pixels_of(DOUBTFUL[case].reshape(1, 1, 2), (1, 2, 1))


@pytest.mark.parametrize("shape", [(5,), (4, 4), (0, 4, 4), (2, 4, 4, 2), (2, 3, 8, 8), (1,) * 5])
def test_shapes_that_are_not_images_are_refused(shape):
    with pytest.raises(DataError, match="shape"):
        pixels_of(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("source", [None, 3, [], [[1, 2], [3]], [GRAY[0], GRAY[0, :3]], {}])
def test_what_is_no_array_at_all_is_refused(source):
    with pytest.raises(DataError, match="Received: "):
        pixels_of(source)


def test_a_list_of_equal_images_is_an_array():
    np.testing.assert_array_equal(pixels_of(list(GRAY))[..., 0], GRAY)


def test_channels_that_come_first_are_recognized_in_the_message():
    with pytest.raises(DataError, match="transpose"):
        pixels_of(np.zeros((2, 3, 8, 8), np.uint8))


def test_an_npy_file_is_memory_mapped(tmp_path):
    np.save(tmp_path / "a.npy", COLOR)
    pixels = pixels_of(tmp_path / "a.npy", (6, 7, 3))
    assert isinstance(pixels, np.memmap)
    np.testing.assert_array_equal(pixels, COLOR)


def test_an_npz_file_with_one_array_is_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", anything=GRAY)
    np.testing.assert_array_equal(pixels_of(tmp_path / "a.npz")[..., 0], GRAY)


def test_the_layout_of_keras_mnist_gives_its_training_images(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=GRAY, y_train=np.zeros(5), x_test=GRAY[:1], y_test=[0])
    np.testing.assert_array_equal(pixels_of(tmp_path / "a.npz")[..., 0], GRAY)


def test_an_npz_file_with_several_arrays_is_refused_by_their_names(tmp_path):
    np.savez(tmp_path / "a.npz", cats=GRAY, dogs=GRAY)
    with pytest.raises(DataError, match="cats, dogs"):
        pixels_of(tmp_path / "a.npz")


@pytest.mark.parametrize("array", [GRAY, COLOR])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_idx_file_is_read_by_content(tmp_path, array, pack):
    (tmp_path / "whatever").write_bytes(pack(idx(array)))
    channels = 1 if array.ndim == 3 else 3
    pixels = pixels_of(tmp_path / "whatever", (6, 7, channels))
    np.testing.assert_array_equal(pixels, array.reshape(5, 6, 7, channels))


def test_a_folder_of_mnist_files_gives_the_training_images(tmp_path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GRAY)))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GRAY[:1])))
    assert len(pixels_of(tmp_path)) == 5


def broken_files():
    saved = io.BytesIO()
    np.save(saved, GRAY)
    npy = saved.getvalue()
    objects = io.BytesIO()
    np.save(objects, np.array([{}], object), allow_pickle=True)
    lying = npy.replace(b"(5, 6, 7)", b"(5, 6, 999999999)"[:9] + b"")
    huge = struct.pack(">I3I", 0x0803, 2**31, 2**31, 2**31)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("x_train.npy", npy.replace(b"(5, 6, 7), }", b"(5, 6, 7000)"))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as file:
        header = npy[: npy.index(b"(5")] + b"(99999999999,)}" + b" " * 40 + b"\n"
        file.writestr("x_train.npy", header)
    return {
        "npy cut short": npy[:-3],
        "npy with half a header": npy[:20],
        "npy of objects": objects.getvalue(),
        "npy that lies": lying[:60],
        "npz cut short": archive.getvalue()[:-30],
        "npz with a bad header": archive.getvalue(),
        "npz that claims too much": bomb.getvalue(),
        "npz with nothing": b"PK\x05\x06" + bytes(18),
        "idx cut short": idx(GRAY)[:-1],
        "idx with more than it says": idx(GRAY) + b"x",
        "idx that claims the world": huge,
        "idx that claims the world, packed": gzip.compress(huge),
        "gzip of something else": gzip.compress(b"hello"),
        "gzip cut short": gzip.compress(idx(GRAY))[:-20],
    }


@pytest.mark.parametrize("case", broken_files())
def test_a_damaged_or_hostile_array_file_is_refused(tmp_path, case):
    (tmp_path / "a").write_bytes(broken_files()[case])
    with pytest.raises(DataError, match="Expected: "):
        pixels_of(tmp_path / "a")


def test_names_and_fingerprint_follow_the_values():
    first, other = open_images(GRAY, (6, 7, 1)), open_images(GRAY + 1, (6, 7, 1))
    assert first.names[0] == "image 0" and len(first) == 5 and first.skipped == []
    assert first.fingerprint == open_images(GRAY.copy(), (6, 7, 1)).fingerprint
    assert first.fingerprint != other.fingerprint


def test_big_endian_numbers_are_the_same_images(tmp_path):
    values = np.arange(2 * 4 * 4, dtype=np.uint16).reshape(2, 4, 4) * 2000
    little, big = (open_images(values.astype(kind), (4, 4, 1)).pixels for kind in ("<u2", ">u2"))
    np.testing.assert_array_equal(little, big)


def test_an_archive_with_two_arrays_of_one_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.npz", "w") as archive:
        for name in ("x_train", "x_train.npy"):
            with archive.open(name, "w") as member:
                np.lib.format.write_array(member, np.zeros((2, 4, 4), np.uint8))
    with pytest.raises(DataError, match="two of its arrays have the same name"):
        open_images(tmp_path / "two.npz", (4, 4, 1))


def test_an_idx_file_that_ends_inside_its_header_is_refused(tmp_path):
    (tmp_path / "short").write_bytes(bytes([0, 0, 8, 3]))
    with pytest.raises(DataError, match="ends inside its header"):
        open_images(tmp_path / "short", (4, 4, 1))


def test_a_huge_sparse_file_of_the_wrong_shape_is_refused_at_once(tmp_path):
    path = tmp_path / "sparse.npy"
    with open(path, "wb") as file:
        header = {"descr": "<u2", "fortran_order": False, "shape": (10**10,)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 2 * 10**10)
    with pytest.raises(DataError, match="does not have the shape of images"):
        open_images(path, (4, 4, 1))


@pytest.mark.parametrize("name", ["zeros.npz", "zeros.gz"])
def test_an_archive_larger_than_half_the_free_memory_is_refused(tmp_path, monkeypatch, name):
    zeros = np.zeros((100, 32, 32), np.uint8)
    np.savez_compressed(tmp_path / "zeros.npz", zeros)
    (tmp_path / "zeros.gz").write_bytes(gzip.compress(idx(zeros)))
    monkeypatch.setattr("dcgan.data.array_files.free_memory", lambda: 100_000)
    with pytest.raises(DataError, match="GB of memory, of which at most"):
        open_images(tmp_path / name, (4, 4, 1))
