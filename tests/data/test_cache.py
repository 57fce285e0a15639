"""Decoded images: found again, noticed when out of date, never trusted half made."""

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from dcgan.data import cache, folder
from dcgan.data.image_set import open_images
from dcgan.errors import DataError

pytestmark = pytest.mark.once

SIZE = (8, 8, 3)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Each test has an empty cache, and never sees the user's."""
    path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("DCGAN_CACHE", str(path))
    return path


def fill(path, count, start=0, side=8):
    """`count` images that can be told apart by their gray, named in order."""
    path.mkdir(parents=True, exist_ok=True)
    for index in range(start, start + count):
        Image.new("RGB", (side, side), (index % 256,) * 3).save(path / f"{index:04}.png")
    return path


def grays(images):
    return images.pixels[:, 0, 0, 0].tolist()


def test_a_second_call_decodes_nothing(tmp_path, monkeypatch):
    source = fill(tmp_path / "in", 3)
    first = open_images(source, SIZE)
    monkeypatch.setattr(folder, "decode_file", None)
    second = open_images(source, SIZE)
    assert grays(first) == grays(second) and first.names == second.names
    assert first.fingerprint == second.fingerprint and first.originals == second.originals


def test_a_file_that_could_not_be_read_is_there_once_it_can(tmp_path, monkeypatch):
    source = fill(tmp_path / "in", 3)
    decode_file = folder.decode_file

    def refused(path, target, memory):
        if path.endswith("0001.png"):
            raise folder.Unusable("no permission to read it")
        return decode_file(path, target, memory)

    monkeypatch.setattr(folder, "decode_file", refused)
    for _ in range(2):
        images = open_images(source, SIZE)
        assert grays(images) == [0, 2] and len(images.skipped) == 1
    monkeypatch.setattr(folder, "decode_file", decode_file)
    images = open_images(source, SIZE)
    assert grays(images) == [0, 1, 2] and images.skipped == []


def test_a_changed_file_or_setting_is_noticed(tmp_path):
    source = fill(tmp_path / "in", 3)
    seen = {open_images(source, SIZE).fingerprint}
    Image.new("RGB", (8, 8), (99, 99, 99)).save(source / "0001.png")
    changed = open_images(source, SIZE)
    assert grays(changed) == [0, 99, 2]
    seen |= {changed.fingerprint, open_images(source, SIZE, resize="pad").fingerprint}
    seen |= {open_images(source, SIZE, background=(0, 0, 0)).fingerprint}
    fill(source, 1, start=7)
    assert grays(open_images(source, SIZE)) == [0, 99, 2, 7]
    assert len(seen) == 4


EDITS = {
    "other key": {"key": "0" * 64},
    "names": {"names": [1, 2, 3]},
    "few names": {"names": ["0000.png"]},
    "shape": {"shape": "8, 8, 3"},
    "originals": {"originals": [[8, 8, "RGB"]] * 3},
    "skipped": {"skipped": [["only a name"]]},
    "source": {"source": None},
}


@pytest.mark.parametrize(
    "damage", ["shorter", "longer", "flipped byte", "no record", "bad record", *EDITS]
)
def test_a_damaged_cache_entry_is_made_again(tmp_path, own_cache, damage):
    source = fill(tmp_path / "in", 3)
    open_images(source, SIZE)
    (entry,) = (own_cache / "images").iterdir()
    record = entry / "images.json"
    if damage in ("shorter", "longer"):
        with open(entry / "pixels.raw", "ab") as pixels:
            pixels.truncate(5 if damage == "shorter" else 5000)
    elif damage == "flipped byte":
        content = bytearray((entry / "pixels.raw").read_bytes())
        content[100] ^= 1
        (entry / "pixels.raw").write_bytes(content)
    elif damage == "no record":
        record.unlink()
    elif damage == "bad record":
        record.write_text("{")
    else:
        record.write_text(json.dumps(json.loads(record.read_text()) | EDITS[damage]))
    assert grays(open_images(source, SIZE)) == [0, 1, 2]
    assert len(list((own_cache / "images").iterdir())) == 1


KILLED = """
import os, sys
from dcgan.data import folder, image_set

def decode(path, target, memory, decode_file=folder.decode_file):
    if path.endswith("3.png"):
        os._exit(9)  # as a kill would: nothing is cleaned up
    return decode_file(path, target, memory)

folder.decode_file = decode
image_set.open_images(sys.argv[1], (64, 64, 3))
"""


def test_a_killed_decode_leaves_nothing_that_is_trusted(tmp_path, own_cache):
    source = fill(tmp_path / "in", 5)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(source)], env=environment)
    assert ended.returncode == 9
    (leftover,) = (own_cache / "images").iterdir()
    assert leftover.suffix == ".partial" and (leftover / "pixels.raw").read_bytes()
    assert grays(open_images(source, (64, 64, 3))) == [0, 1, 2, 3, 4]


def test_what_a_killed_decode_left_is_swept_when_it_is_old(tmp_path, own_cache):
    leftovers = [own_cache / "images" / f"{'0' * 64}.{name}.partial" for name in ("old", "new")]
    for leftover in leftovers:
        leftover.mkdir(parents=True)
        (leftover / "pixels.raw").touch()
    for path in (leftovers[0] / "pixels.raw", leftovers[0]):
        os.utime(path, (1, 1))
    open_images(fill(tmp_path / "in", 1), SIZE)
    assert not leftovers[0].exists() and leftovers[1].exists()


def test_an_unwritable_cache_is_replaced_by_the_folder_beside_the_run(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DCGAN_CACHE", str(tmp_path / "file" / "cache"))
    source = fill(tmp_path / "in", 2)
    assert grays(open_images(source, SIZE, cache_beside=tmp_path / "run")) == [0, 1]
    assert len(list((tmp_path / "run" / "images").iterdir())) == 1
    monkeypatch.setattr(folder, "decode_file", None)
    assert grays(open_images(source, SIZE, cache_beside=tmp_path / "run")) == [0, 1]


def test_with_nothing_writable_images_stay_in_memory_if_they_are_few(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DCGAN_CACHE", str(tmp_path / "file"))
    source = fill(tmp_path / "in", 3)
    (source / "0001.png").write_bytes(b"broken")
    assert grays(open_images(source, SIZE)) == [0, 2]
    monkeypatch.setattr(folder, "MAX_IN_MEMORY", 10)
    with pytest.raises(DataError, match="DCGAN_CACHE"):
        open_images(source, SIZE)


def test_a_full_disk_is_noticed_before_decoding(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(OSError, match="No room"), cache.new_entry(tmp_path, "0" * 64, 100):
        pass


def test_the_cache_tells_what_it_holds_and_clears_only_that(tmp_path, own_cache):
    open_images(fill(tmp_path / "in", 3), SIZE)
    (own_cache / "images" / "mine.txt").touch()
    assert cache.cache_entries() == [(str(tmp_path / "in"), 3, 3 * 192)]
    assert cache.clear_cache() > 3 * 192 and cache.cache_entries() == []
    assert (own_cache / "images" / "mine.txt").exists()


def test_the_folder_of_the_cache_follows_the_environment(monkeypatch):
    monkeypatch.setenv("DCGAN_CACHE", "/there")
    assert str(cache.cache_folder()) == "/there"
    monkeypatch.delenv("DCGAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me/cached")
    assert cache.cache_folder().parts[-2:] == ("cached", "dcgan")


def test_compiled_steps_are_kept_in_a_folder_of_the_users_own(own_cache):
    found = cache.compiled_folder()
    assert found.stat().st_mode & 0o077 == 0
    (found / "step").write_bytes(bytes(100))
    assert cache.compiled_size() == cache.clear_cache() == 100
    assert not found.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_compiled_steps_are_not_kept_where_others_can_write(own_cache):
    own_cache.chmod(0o777)
    assert cache.compiled_folder() is None
