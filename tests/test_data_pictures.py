"""Does any folder become pictures: checked, decoded once, found again, and never trusted half?"""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from dcgan.data import cache, folder, open_pictures, workers
from dcgan.data.pictures import PictureSet
from dcgan.errors import ArgumentError, DataError

SIZE = (8, 8, 3)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Each test has an empty cache, and never sees the user's."""
    path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("DCGAN_CACHE", str(path))
    return path


def fill(path, count, start=0, side=8):
    """`count` pictures that can be told apart by their grey, named in order."""
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


def greys(pictures):
    return pictures.pixels[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("count", [3, folder.FEW_FILES + 8])
def test_few_and_many_pictures_come_in_the_order_of_their_names(tmp_path, count):
    pictures = open_pictures(fill(tmp_path / "in", count), SIZE)
    assert greys(pictures) == list(range(count)) and len(pictures) == count
    assert pictures.names[1] == "0001.png" and pictures.originals[0][:3] == (8, 8, "RGB")


@pytest.mark.parametrize("count", [5, folder.FEW_FILES + 8])
def test_bad_files_are_skipped_named_and_leave_no_gap(tmp_path, count):
    source = fill(tmp_path / "in", count)
    (source / "0001a.png").write_bytes(b"broken")
    (source / "0003 \n{x}.jpg").touch()
    pictures = open_pictures(str(source), SIZE)
    assert greys(pictures) == list(range(count))
    assert [name for name, _ in pictures.skipped] == ["0001a.png", "0003 \n{x}.jpg"]
    pictures.write_skipped(tmp_path / "skipped.txt")
    lines = (tmp_path / "skipped.txt").read_text().splitlines()
    assert lines == [
        "0001a.png: not a picture in a format that is known here",
        "0003 \\n{x}.jpg: empty file",
    ]
    assert "2 files skipped" in pictures.summary() and "\n" not in pictures.summary()


def test_names_that_are_not_unicode_are_read_and_printed_safely(tmp_path):
    name = os.fsdecode(b"bad\xff.png")
    for index in range(folder.FEW_FILES + 1):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{index}.png")
    try:
        (tmp_path / name).write_bytes(b"broken")
    except OSError:
        pytest.skip("this file system takes only unicode names")
    pictures = open_pictures(tmp_path, SIZE)
    assert pictures.skipped[0][0] == name
    pictures.write_skipped(tmp_path / "skipped.txt")
    pictures.summary().encode()


def message_for(source):
    with pytest.raises(DataError) as refusal:
        open_pictures(source, SIZE)
    return str(refusal.value)


def test_missing_file_empty_and_pictureless_have_different_messages(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    fill(tmp_path / "some", 1)
    cases = {
        tmp_path / "missing": "nothing at",
        tmp_path / "text" / "notes.txt": "is a file, and not one",
        tmp_path / "some" / "0000.png": "is one file",
        tmp_path / "empty": "is empty",
        tmp_path / "text": "no pictures in",
    }
    for path, words in cases.items():
        message = message_for(path)
        assert words in message and str(path) in message and "Expected: " in message


def test_a_folder_without_pictures_tells_what_it_holds(tmp_path):
    for name in ("a.txt", "b.txt", "c"):
        (tmp_path / name).write_text("hello")
    assert ".txt (2), no ending (1)" in message_for(tmp_path)


def test_all_or_most_files_bad_stops_with_the_first_reasons(tmp_path):
    source = fill(tmp_path / "in", 2)
    for index in range(3):
        (source / f"bad{index}.jpg").write_bytes(b"x")
    message = message_for(source)
    assert "3 of 5" in message and "bad0.jpg: not a picture" in message
    assert message_for(source) == message  # found again in the cache, and still refused


def test_captions_beside_the_pictures_are_no_broken_pictures(tmp_path):
    source = fill(tmp_path / "in", 2)
    for index in range(9):
        (source / f"{index}.txt").write_text("a picture of the sea")
    assert len(open_pictures(source, SIZE)) == 2


def test_pictures_made_by_a_run_are_never_training_pictures(tmp_path):
    source = fill(tmp_path / "in", 2)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "dcgan run")
    for index in range(5):
        Image.new("RGB", (8, 8)).save(source / f"grid{index}.png", pnginfo=text)
    (source / "run").mkdir()
    (source / "run" / "options.json").write_text(json.dumps({"format": "dcgan-run"}))
    fill(source / "run", 3, start=100)
    fill(source / "other-run", 3, start=100)
    pictures = open_pictures(source, SIZE, exclude=source / "other-run")
    assert greys(pictures) == [0, 1] and len(pictures.skipped) == 6


@pytest.mark.parametrize(
    "arguments",
    [{"img_size": (0, 0, 3)}, {"img_size": (150, 150)}, {"img_size": (8, 8, 2)}]
    + [{"img_size": "150"}, {"img_size": (10**6, 10**6, 3)}, {"resize": "zoom"}]
    + [{"background": "white"}, {"background": (0, 0, 300)}],
)
def test_a_bad_argument_is_refused_before_the_folder_is_looked_at(arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        open_pictures("missing", **{"img_size": SIZE} | arguments)


def test_a_second_call_decodes_nothing(tmp_path, monkeypatch):
    source = fill(tmp_path / "in", 3)
    first = open_pictures(source, SIZE)
    monkeypatch.setattr(folder, "decode_file", None)
    second = open_pictures(source, SIZE)
    assert greys(first) == greys(second) and first.names == second.names
    assert first.fingerprint == second.fingerprint and first.originals == second.originals


def test_a_changed_file_or_setting_is_noticed(tmp_path):
    source = fill(tmp_path / "in", 3)
    seen = {open_pictures(source, SIZE).fingerprint}
    Image.new("RGB", (8, 8), (99, 99, 99)).save(source / "0001.png")
    changed = open_pictures(source, SIZE)
    assert greys(changed) == [0, 99, 2]
    seen |= {changed.fingerprint, open_pictures(source, SIZE, resize="pad").fingerprint}
    seen |= {open_pictures(source, SIZE, background=(0, 0, 0)).fingerprint}
    fill(source, 1, start=7)
    assert greys(open_pictures(source, SIZE)) == [0, 99, 2, 7]
    assert len(seen) == 4


@pytest.mark.parametrize("damage", ["shorter", "longer", "no record", "bad record", "other key"])
def test_a_damaged_cache_entry_is_made_again(tmp_path, own_cache, damage):
    source = fill(tmp_path / "in", 3)
    open_pictures(source, SIZE)
    (entry,) = (own_cache / "pictures").iterdir()
    record = entry / "pictures.json"
    if damage in ("shorter", "longer"):
        with open(entry / "pixels.raw", "ab") as pixels:
            pixels.truncate(5 if damage == "shorter" else 5000)
    elif damage == "no record":
        record.unlink()
    elif damage == "bad record":
        record.write_text("{")
    else:
        record.write_text(json.dumps(json.loads(record.read_text()) | {"key": "0" * 64}))
    assert greys(open_pictures(source, SIZE)) == [0, 1, 2]
    assert len(list((own_cache / "pictures").iterdir())) == 1


def test_a_killed_decode_leaves_nothing_that_is_trusted(tmp_path, own_cache):
    source = fill(tmp_path / "in", 300, side=400)
    program = "import sys; from dcgan.data import open_pictures as o; o(sys.argv[1], (64, 64, 3))"
    process = subprocess.Popen([sys.executable, "-c", program, str(source)], env=environment())
    for _ in range(2000):
        if process.poll() is not None or list(own_cache.glob("pictures/*.partial/pixels.raw")):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (leftover,) = (own_cache / "pictures").iterdir()
    assert leftover.suffix == ".partial"
    assert greys(open_pictures(source, (64, 64, 3))) == [index % 256 for index in range(300)]


def test_what_a_killed_decode_left_is_swept_when_it_is_old(tmp_path, own_cache):
    leftovers = [own_cache / "pictures" / f"{'0' * 64}.{name}.partial" for name in ("old", "new")]
    for leftover in leftovers:
        leftover.mkdir(parents=True)
        (leftover / "pixels.raw").touch()
    for path in (leftovers[0] / "pixels.raw", leftovers[0]):
        os.utime(path, (1, 1))
    open_pictures(fill(tmp_path / "in", 1), SIZE)
    assert not leftovers[0].exists() and leftovers[1].exists()


def test_an_unwritable_cache_is_replaced_by_the_folder_beside_the_run(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DCGAN_CACHE", str(tmp_path / "file" / "cache"))
    source = fill(tmp_path / "in", 2)
    assert greys(open_pictures(source, SIZE, cache_beside=tmp_path / "run")) == [0, 1]
    assert len(list((tmp_path / "run" / "pictures").iterdir())) == 1
    monkeypatch.setattr(folder, "decode_file", None)
    assert greys(open_pictures(source, SIZE, cache_beside=tmp_path / "run")) == [0, 1]


def test_with_nothing_writable_pictures_stay_in_memory_if_they_are_few(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DCGAN_CACHE", str(tmp_path / "file"))
    source = fill(tmp_path / "in", 3)
    (source / "0001.png").write_bytes(b"broken")
    assert greys(open_pictures(source, SIZE)) == [0, 2]
    monkeypatch.setattr(folder, "MOST_IN_MEMORY", 10)
    assert "DCGAN_CACHE" in message_for(source)


def test_a_full_disk_is_noticed_before_decoding(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(OSError, match="No room"), cache.new_entry(tmp_path, "0" * 64, 100):
        pass


def test_a_disk_that_fills_up_while_decoding_is_an_error_and_not_a_skipped_file(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no full device")
    source = fill(tmp_path / "in", 40)
    paths = [str(path) for path in sorted(source.iterdir())]
    target = folder.Target(*SIZE)
    with pytest.raises(OSError, match="cannot be written"):
        workers.decode_all(paths, target, "/dev/full", lambda _: None)


def test_a_decoder_that_crashes_costs_one_file(tmp_path, monkeypatch):
    """The worker is made to die of one file, as a bug in a decoder's C code would make it."""
    source = fill(tmp_path / "in", 40)
    (tmp_path / "patch").mkdir()
    (tmp_path / "patch" / "sitecustomize.py").write_text(
        "import os, dcgan.data.decode as d\n"
        "real = d._decode\n"
        "d._decode = lambda f, t: os.abort() if f.read(1) == b'!' else (f.seek(0), real(f, t))[1]\n"
    )
    (source / "0005a.png").write_bytes(b"!")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "patch"))
    pictures = open_pictures(source, SIZE)
    assert greys(pictures) == list(range(40))
    assert pictures.skipped == [("0005a.png", "its decoder crashed, or took too long")]


def test_processes_that_do_not_start_are_an_error_that_tells_how_to_look(tmp_path, monkeypatch):
    source = fill(tmp_path / "in", 40)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert "do not start" in message_for(source)


def test_workers_import_no_framework():
    program = "import sys, dcgan.data, dcgan.data.worker; print(*sys.modules)"
    result = run_python("-c", program)
    loaded = {name.split(".")[0] for name in result.stdout.split()}
    assert "PIL" in loaded and not loaded & {"keras", "tensorflow", "torch", "jax", "matplotlib"}


def test_a_script_without_a_main_guard_can_open_pictures(tmp_path):
    source = fill(tmp_path / "in", 40)
    script = tmp_path / "script.py"
    script.write_text(
        f"from dcgan.data import open_pictures\nprint(len(open_pictures({str(source)!r}, {SIZE})))"
    )
    result = run_python(str(script))
    assert result.stdout == "40\n" and result.stderr == ""


def test_the_cache_tells_what_it_holds_and_clears_only_that(tmp_path, own_cache):
    open_pictures(fill(tmp_path / "in", 3), SIZE)
    (own_cache / "pictures" / "mine.txt").touch()
    (entry,) = cache.cache_entries()
    assert (entry.pictures, entry.size) == (3, 3 * 192) and entry.source == str(tmp_path / "in")
    assert cache.clear_cache() > 3 * 192 and cache.cache_entries() == []
    assert (own_cache / "pictures" / "mine.txt").exists()


def test_the_folder_of_the_cache_follows_the_environment(monkeypatch):
    monkeypatch.setenv("DCGAN_CACHE", "/there")
    assert str(cache.cache_folder()) == "/there"
    monkeypatch.delenv("DCGAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me/cached")
    assert cache.cache_folder().parts[-2:] == ("cached", "dcgan")


def test_all_pictures_equal_are_still_pictures(tmp_path):
    for index in range(3):
        Image.new("RGB", (8, 8), (5, 5, 5)).save(tmp_path / f"{index}.png")
    pictures = open_pictures(tmp_path, SIZE)
    assert isinstance(pictures, PictureSet) and (pictures.pixels == 5).all()
    assert pictures.pixels.dtype == np.uint8
