"""Files are written whole or not at all."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dcgan import atomic
from dcgan.atomic import atomic_file, sweep_leftovers, write_atomically

pytestmark = pytest.mark.once


def test_a_file_appears_when_its_block_ends(tmp_path):
    with atomic_file(tmp_path / "a") as file:
        file.write(b"whole")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_text_is_written_as_utf8(tmp_path):
    write_atomically(tmp_path / "a", "海")
    assert (tmp_path / "a").read_bytes() == "海".encode()


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failed_block_leaves_the_file_of_before_and_nothing_else(tmp_path, error):
    write_atomically(tmp_path / "a", "before")
    with pytest.raises(error), atomic_file(tmp_path / "a") as file:
        file.write(b"half")
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_a_folder_that_is_missing_or_a_file_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    for parent, error in (("missing", FileNotFoundError), ("file", NotADirectoryError)):
        with pytest.raises(error):
            write_atomically(tmp_path / parent / "a", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


MODE = """
import os, sys
from dcgan.atomic import write_atomically
os.umask(int(sys.argv[2], 8))
write_atomically(sys.argv[1], "x")
print(oct(os.stat(sys.argv[1]).st_mode & 0o777))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize(("umask", "mode"), [("022", "0o644"), ("077", "0o600"), ("0", "0o666")])
def test_a_file_gets_the_permissions_that_the_umask_leaves(tmp_path, umask, mode):
    child = subprocess.run(
        [sys.executable, "-c", MODE, tmp_path / "a", umask],
        **{"capture_output": True, "text": True, "cwd": Path(__file__).parents[1]},
    )
    assert child.stdout.strip() == mode, child.stderr


def test_the_umask_of_the_process_is_never_touched(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "umask")  # setting it, if only to read it, is a race between threads
    write_atomically(tmp_path / "a", "x")


def test_threads_that_write_one_file_leave_one_of_their_contents(tmp_path):
    contents = [str(number) * 10_000 for number in range(8)]
    threads = [
        threading.Thread(target=write_atomically, args=(tmp_path / "a", content))
        for content in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_text() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_leftovers_are_swept_by_name_and_age_and_nothing_else(tmp_path):
    for name in (".a.1.partial", ".b.1.partial", "a.partial", ".a.1"):
        (tmp_path / name).touch()
    (tmp_path / ".a.folder.partial").mkdir()
    sweep_leftovers(tmp_path, "a", older_than_seconds=60)
    assert len(list(tmp_path.iterdir())) == 5
    sweep_leftovers(tmp_path, "a")
    assert not (tmp_path / ".a.1.partial").exists()
    sweep_leftovers(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".a.1", ".a.folder.partial", "a.partial"]


@pytest.mark.parametrize("refused", [0, 2, 3])
def test_on_windows_a_file_that_is_being_read_is_replaced_once_it_is_free(
    tmp_path, monkeypatch, refused
):
    waits, replace = [], os.replace

    def busy(*paths):
        if len(waits) < refused:
            raise PermissionError(13, "It is being used by another process")
        return replace(*paths)

    monkeypatch.setattr(atomic, "TRIES", 3)
    monkeypatch.setattr(atomic.os, "replace", busy)
    monkeypatch.setattr(atomic.time, "sleep", waits.append)
    (tmp_path / "a").write_text("before")
    if refused == 3:  # it is read for too long
        monkeypatch.setattr(atomic.time, "sleep", lambda seconds: None)
        with pytest.raises(PermissionError):
            write_atomically(tmp_path / "a", "after")
    else:
        write_atomically(tmp_path / "a", "after")
    assert (tmp_path / "a").read_text() == ("before" if refused == 3 else "after")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
