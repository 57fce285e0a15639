"""Opening any folder: checked, decoded once, found again."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from dcgan.data import folder
from dcgan.data import scan as scanning
from dcgan.data.decode import ImageSet
from dcgan.data.image_set import open_images, split
from dcgan.errors import ArgumentError, DataError

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


def environment():
    """For a process of its own, which finds the package as this one does."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def run_python(*words):
    command = [sys.executable, *words]
    return subprocess.run(command, env=environment(), capture_output=True, text=True)


def grays(images):
    return images.pixels[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("count", [3, folder.FEW_FILES + 8])
def test_few_and_many_images_come_in_the_order_of_their_names(tmp_path, count):
    images = open_images(fill(tmp_path / "in", count), SIZE)
    assert grays(images) == list(range(count)) and len(images) == count
    assert images.names[1] == "0001.png" and images.originals[0][:3] == (8, 8, "RGB")


@pytest.mark.parametrize("count", [5, folder.FEW_FILES + 8])
def test_bad_files_are_skipped_named_and_leave_no_gap(tmp_path, count):
    source = fill(tmp_path / "in", count)
    (source / "0001a.png").write_bytes(b"broken")
    (source / "0003 \n{x}.jpg").touch()
    images = open_images(str(source), SIZE)
    assert grays(images) == list(range(count))
    assert [name for name, _ in images.skipped] == ["0001a.png", "0003 \n{x}.jpg"]
    images.write_skipped(tmp_path / "skipped.txt")
    lines = (tmp_path / "skipped.txt").read_text().splitlines()
    assert lines == [
        "0001a.png: not an image in a format that is known here",
        "0003 \\n{x}.jpg: empty file",
    ]
    assert "2 files skipped" in images.summary() and "\n" not in images.summary()


def test_names_that_are_not_unicode_are_read_and_printed_safely(tmp_path):
    name = os.fsdecode(b"bad\xff.png")
    for index in range(folder.FEW_FILES + 1):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{index}.png")
    try:
        (tmp_path / name).write_bytes(b"broken")
    except OSError:
        pytest.skip("this file system takes only unicode names")
    images = open_images(tmp_path, SIZE)
    assert images.skipped[0][0] == name
    images.write_skipped(tmp_path / "skipped.txt")
    images.summary().encode()


def message_for(source):
    with pytest.raises(DataError) as refusal:
        open_images(source, SIZE)
    return str(refusal.value)


def test_missing_file_empty_and_imageless_have_different_messages(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "runs" / "sea").mkdir(parents=True)
    (tmp_path / "runs" / "sea" / "options.json").write_text(json.dumps({"format": "dcgan-run"}))
    fill(tmp_path / "some", 1)
    cases = {
        tmp_path / "missing": "nothing at",
        tmp_path / "text" / "notes.txt": "is a file, and not one",
        tmp_path / "some" / "0000.png": "is one file",
        tmp_path / "empty": "is empty",
        tmp_path / "runs": "holds no images",
        tmp_path / "text": "no images in",
    }
    for path, words in cases.items():
        message = message_for(path)
        assert words in message and str(path) in message and "Expected: " in message


def test_a_folder_without_images_tells_what_it_holds(tmp_path):
    for name in ("a.txt", "b.txt", "c"):
        (tmp_path / name).write_text("hello")
    assert ".txt (2), no ending (1)" in message_for(tmp_path)


def test_all_or_most_files_bad_stops_with_the_first_reasons(tmp_path):
    source = fill(tmp_path / "in", 2)
    for index in range(3):
        (source / f"bad{index}.jpg").write_bytes(b"x")
    message = message_for(source)
    assert "3 of 5" in message and "bad0.jpg: not an image" in message
    assert message_for(source) == message  # found again in the cache, and still refused


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", ""])
def test_impossible_paths_are_refused_like_others(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Expected: " in message_for(name)


@pytest.mark.parametrize("count", [5, folder.FEW_FILES + 8])
def test_a_file_that_vanishes_before_it_is_read_is_named(tmp_path, monkeypatch, count):
    source = fill(tmp_path / "in", count)
    scan = scanning.scan_folder

    def scan_and_lose_one(*arguments):
        found = scan(*arguments)
        (source / "0002.png").unlink()
        return found

    monkeypatch.setattr(scanning, "scan_folder", scan_and_lose_one)
    assert open_images(source, SIZE).skipped == [("0002.png", "vanished before it was read")]


def test_images_that_vanish_after_they_were_read_are_still_there(tmp_path):
    source = fill(tmp_path / "in", 4)
    images = open_images(source, SIZE)
    for path in source.iterdir():
        path.unlink()
    assert grays(images) == [0, 1, 2, 3]


def test_captions_beside_the_images_are_no_broken_images(tmp_path):
    source = fill(tmp_path / "in", 2)
    for index in range(9):
        (source / f"{index}.txt").write_text("an image of the sea")
    assert len(open_images(source, SIZE)) == 2


def test_images_made_by_a_run_are_never_training_images(tmp_path):
    source = fill(tmp_path / "in", 2)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "dcgan run")
    for index in range(5):
        Image.new("RGB", (8, 8)).save(source / f"grid{index}.png", pnginfo=text)
    (source / "run").mkdir()
    (source / "run" / "options.json").write_text(json.dumps({"format": "dcgan-run"}))
    fill(source / "run", 3, start=100)
    fill(source / "other-run", 3, start=100)
    images = open_images(source, SIZE, exclude=source / "other-run")
    assert grays(images) == [0, 1] and len(images.skipped) == 6


@pytest.mark.parametrize(
    "arguments",
    [{"img_size": (0, 0, 3)}, {"img_size": (150, 150)}, {"img_size": (8, 8, 2)}]
    + [{"img_size": "150"}, {"img_size": (10**6, 10**6, 3)}, {"resize": "zoom"}]
    + [{"background": "white"}, {"background": (0, 0, 300)}],
)
def test_a_bad_argument_is_refused_before_the_folder_is_looked_at(arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        open_images("missing", **{"img_size": SIZE} | arguments)


def test_a_path_in_a_message_is_escaped_once():
    with pytest.raises(DataError, match=re.escape(r"nothing at 'a\nb'")):
        open_images("a\nb", SIZE)


def test_a_script_without_a_main_guard_can_open_images(tmp_path):
    source = fill(tmp_path / "in", 40)
    script = tmp_path / "script.py"
    call = f"dcgan.open_images({str(source)!r}, {SIZE}, verbose=0)"
    script.write_text(f"import dcgan\nprint(len({call}))")
    result = run_python(str(script))
    assert result.stdout == "40\n" and result.stderr == ""


def test_all_images_equal_are_still_images(tmp_path):
    for index in range(3):
        Image.new("RGB", (8, 8), (5, 5, 5)).save(tmp_path / f"{index}.png")
    images = open_images(tmp_path, SIZE)
    assert isinstance(images, ImageSet) and (images.pixels == 5).all()
    assert images.pixels.dtype == np.uint8


def names(count):
    return [f"{index:04}.png" for index in range(count)]


def test_a_split_is_complete_disjoint_and_its_own_for_each_seed():
    train, held_out = split(names(300), seed=0)
    assert len(held_out) == 30 and sorted([*train, *held_out]) == list(range(300))
    assert held_out.tolist() != split(names(300), seed=1)[1].tolist()


def test_images_that_were_added_leave_the_others_on_their_side():
    before, after = split(names(300), seed=0)[1], split(names(400), seed=0)[1]
    changed = set(before) ^ {index for index in after if index < 300}
    assert len(changed) <= 4  # a new draw would change about 54


def test_a_name_that_is_no_text_can_be_set_aside():
    train, held_out = split([*names(100), "caf\udce9.png"], seed=0)
    assert len(train) + len(held_out) == 101


@pytest.mark.parametrize("count, expected", [(1, 0), (79, 0), (80, 20), (200, 20), (1000, 100)])
def test_a_small_folder_gives_what_it_can_spare(count, expected):
    train, held_out = split(names(count), seed=0)
    assert len(held_out) == expected and len(train) == count - expected


def test_a_bar_is_written_each_half_minute_where_there_is_no_terminal(monkeypatch):
    for terminal, seconds in ((True, 0.1), (False, 30)):
        monkeypatch.setattr(sys.stderr, "isatty", lambda shown=terminal: shown)
        with folder._progress(1, verbose=1) as bar:
            assert bar.mininterval == seconds
