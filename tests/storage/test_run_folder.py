"""A run's folder is made, locked, resumed and refused as promised, and never emptied."""

import errno
import json
import logging
import os
import signal
from pathlib import Path

import pytest

from dcgan.errors import RunError
from dcgan.storage import run_folder as folder_module
from dcgan.storage.run_folder import SAMPLE_SET, RunFolder, folder_for

pytestmark = pytest.mark.once

OPTIONS = {"img_size": [8, 9, 3], "depth": 2}
DATA = {"count": 10, "fingerprint": "abc"}


def open_and_close(path):
    with RunFolder.open(path):
        pass


@pytest.fixture
def train(small):
    """A function that makes a run, which logs some steps and saves after one of them."""

    def train(path, steps=(1, 2, 3), checkpoint=2):
        with RunFolder.open(path) as run:
            run.write_options(OPTIONS, DATA, "sea/")
            for step in steps:
                run.log.write({"step": step, "loss": step / 8})
                if step == checkpoint:
                    run.checkpoints.save(step, small.document, small.arrays())

    return train


def everything_in(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_a_new_run_has_its_folder_and_its_options(tmp_path):
    with RunFolder.open(tmp_path / "Results" / "sea") as run:
        assert run.earlier is None
        assert run.checkpoints.newest() is None
        run.write_options(OPTIONS, DATA, "sea/")
        content = json.loads(run.options_path.read_text())
        assert run.samples_path.is_dir()
    versions = content.pop("versions")
    assert {"python", "numpy"} <= versions.keys()
    parts = {"options": OPTIONS, "data": DATA, "source": "sea/"}
    assert content == {"format": "dcgan-run", "version": 1, **parts}
    assert {path.name for path in (run.best_path, run.last_path, run.skipped_path)} == {
        *("best.dcgan", "last.dcgan", "skipped.txt")
    }


def test_a_resumed_run_knows_its_options_and_has_its_checkpoint_and_log(small, train, tmp_path):
    train(tmp_path / "sea")
    with RunFolder.open(tmp_path / "sea") as run:
        assert run.earlier.items() >= {"options": OPTIONS, "data": DATA, "source": "sea/"}.items()
        checkpoint = run.checkpoints.newest()
        assert checkpoint.step == 2
        assert checkpoint.document == small.document
        run.log.cut_after(checkpoint.step)
        assert run.log.records() == [{"step": 1, "loss": 1 / 8}, {"step": 2, "loss": 2 / 8}]


def test_a_checkpoint_is_never_ahead_of_the_log_on_the_disk(small, tmp_path, monkeypatch):
    flushed = []
    with RunFolder.open(tmp_path) as run:
        fsync = os.fsync

        def watch(descriptor):
            if os.fstat(descriptor).st_ino == run.log.jsonl_path.stat().st_ino:
                flushed.append(len(run.log.records()))
            assert not list(run.checkpoints.folder.glob("*.dcgan")) or flushed
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", watch)
        run.log.write({"step": 1})
        run.log.write({"step": 2})
        run.checkpoints.save(2, small.document, small.arrays())
    assert flushed == [2]


def test_no_checkpoint_is_saved_while_the_log_cannot_be_written(small, tmp_path, monkeypatch):
    with RunFolder.open(tmp_path) as run:
        run.log.write({"step": 1})
        with monkeypatch.context() as patch:
            patch.setattr(run.log, "_append", _full_disk)
            with pytest.raises(RunError, match="log"):
                run.log.write({"step": 2})
            with pytest.raises(RunError, match="log"):
                run.checkpoints.save(2, small.document, small.arrays())
            assert run.checkpoints.latest() == 0
        run.checkpoints.save(2, small.document, small.arrays())
        assert [record["step"] for record in run.log.records()] == [1, 2]


def _full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_resume_false_makes_a_new_numbered_folder_and_deletes_nothing(train, tmp_path):
    train(tmp_path / "sea")
    before = everything_in(tmp_path)
    for name in ("sea-2", "sea-3"):
        with RunFolder.open(tmp_path / "sea", resume=False) as run:
            assert run.path == tmp_path / name
            assert run.earlier is None
    assert everything_in(tmp_path).items() >= before.items()


def test_resume_false_uses_the_folder_itself_when_it_is_new_or_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with RunFolder.open(tmp_path / name, resume=False) as run:
            assert run.path == tmp_path / name


def test_a_second_run_in_the_folder_is_refused_until_the_first_has_ended(tmp_path):
    with RunFolder.open(tmp_path), pytest.raises(RunError, match=f"process {os.getpid()}"):
        open_and_close(tmp_path)
    open_and_close(tmp_path)


HOLD = """
import sys, time
from dcgan.storage.run_folder import RunFolder
with RunFolder.open(sys.argv[1]) as run:
    print("open", flush=True)
    time.sleep(3600)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_two_processes_cannot_have_one_folder_and_a_killed_one_gives_it_up(tmp_path, start_child):
    child = start_child(HOLD, tmp_path)
    child.stdout.readline()
    with pytest.raises(RunError, match=f"process {child.pid} on "):
        open_and_close(tmp_path)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    open_and_close(tmp_path)


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "sea").write_text("a file")
    for path in (tmp_path / "sea", tmp_path / "sea" / "inside"):
        with pytest.raises(RunError, match="a file, not a folder|Not a directory"):
            open_and_close(path)
    assert (tmp_path / "sea").read_text() == "a file"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has /proc")
@pytest.mark.parametrize("path", ["/proc/dcgan-run", "/proc/self"])
def test_a_place_where_nothing_can_be_written_is_refused_even_for_the_administrator(path):
    with pytest.raises(RunError, match="cannot be used"):
        open_and_close(path)


READ_ONLY = """
import os, sys
from dcgan.errors import RunError
from dcgan.storage.run_folder import RunFolder

os.chdir(sys.argv[1])
os.chmod("sea", 0o555)
if os.geteuid() == 0:
    os.setuid(65534)  # the administrator could write anywhere; this user cannot
try:
    with RunFolder.open("sea"):
        pass
except RunError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_read_only_folder_is_refused(tmp_path, start_child):
    (tmp_path / "sea").mkdir()
    output, errors = start_child(READ_ONLY, tmp_path).communicate()
    assert "'sea' cannot be used: Permission denied" in output, errors
    assert not list((tmp_path / "sea").iterdir())


def test_a_read_only_drive_is_refused_and_the_folder_unlocked(tmp_path, monkeypatch):
    def refuse(path, content):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "write_atomically", refuse)
        with (
            pytest.raises(RunError, match="cannot be used: Read-only file system"),
            RunFolder.open(tmp_path) as run,
        ):
            run.write_options({}, {}, None)
    open_and_close(tmp_path)


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv", "best.dcgan"])
def test_files_of_another_program_are_never_overwritten(tmp_path, name):
    (tmp_path / name).write_text("precious")
    with pytest.raises(RunError, match=f"{name} but no options.json"):
        open_and_close(tmp_path)
    assert (tmp_path / name).read_text() == "precious"


def test_a_folder_of_images_can_also_hold_the_run(tmp_path):
    (tmp_path / "a.png").write_bytes(b"an image")
    with RunFolder.open(tmp_path) as run:
        assert run.path == tmp_path
    assert (tmp_path / "a.png").read_bytes() == b"an image"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "damaged or not of a run"),
        ("[]", "damaged or not of a run"),
        ('{"format": "other", "version": 1, "options": {}, "data": {}}', "not 'dcgan-run'"),
        ('{"format": "dcgan-run", "version": 1, "options": 3, "data": {}}', "no dictionary"),
        ('{"format": "dcgan-run", "version": 2, "options": {}, "data": {}}', "newer dcgan"),
    ],
)
def test_options_that_cannot_be_read_are_refused_and_kept(tmp_path, content, words):
    (tmp_path / "options.json").write_text(content)
    with pytest.raises(RunError, match=words):
        open_and_close(tmp_path)
    assert (tmp_path / "options.json").read_text() == content


def test_what_killed_writers_left_is_swept_and_nothing_else(train, tmp_path):
    train(tmp_path)
    for name in (".last.dcgan.abc.partial", "samples/.000100.png.abc.partial"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "mine.partial").write_text("kept")
    open_and_close(tmp_path)
    assert [path.name for path in tmp_path.rglob("*.partial")] == ["mine.partial"]


def test_a_drive_that_is_gone_during_a_save_is_a_run_error_and_later_saves_succeed(small, tmp_path):
    path, aside = tmp_path / "sea", tmp_path / "aside"
    with RunFolder.open(path) as run:
        run.log.write({"step": 1})
        run.checkpoints.save(1, small.document, small.arrays())
        path.rename(aside)
        with pytest.raises(RunError, match="see whether the folder is still there"):
            run.checkpoints.save(2, small.document, small.arrays())
        assert not path.exists()  # nothing is begun in the place of a drive that was pulled out
        aside.rename(path)
        run.checkpoints.save(3, small.document, small.arrays())
    with pytest.raises(RunError, match="checkpoints but no options.json"):
        open_and_close(path)
    assert RunFolder(path, None).checkpoints.newest().step == 3


def test_a_path_that_can_become_a_run_folder_is_checked_without_making_it(tmp_path):
    (tmp_path / "file").touch()
    RunFolder.check(tmp_path / "a" / "b")
    RunFolder.check(tmp_path)
    for path in ("file", "file/a"):
        with pytest.raises(RunError, match="cannot be used"):
            RunFolder.check(tmp_path / path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_killed_saves_left_is_swept_at_the_next_start(small, tmp_path):
    with RunFolder.open(tmp_path) as run:
        run.write_options(OPTIONS, DATA, "images")
        run.checkpoints.save(1, small.document, small.arrays())
    for folder in (run.path, run.samples_path, run.checkpoints.folder):
        (folder / ".a.0123.partial").touch()
    with RunFolder.open(tmp_path):
        assert not list(tmp_path.rglob("*.partial"))


def test_images_of_another_place_get_a_folder_of_their_own(tmp_path, caplog):
    path, cats, dogs = tmp_path / "pets", tmp_path / "cats", tmp_path / "dogs"
    cats.mkdir()
    assert folder_for(path, str(cats)) == path
    for source, folder in ((cats, "pets"), (dogs, "pets-2")):
        with RunFolder.open(tmp_path / folder) as run:
            run.write_options(OPTIONS, DATA, str(source))
    with caplog.at_level(logging.WARNING, "dcgan"):
        assert folder_for(path, str(tmp_path / "birds")) == tmp_path / "pets-2"  # dogs are gone
    assert f"is the run of {cats}" in caplog.text
    dogs.mkdir()
    assert folder_for(path, str(cats)) == path
    assert folder_for(path, str(dogs)) == tmp_path / "pets-2"
    assert folder_for(path, str(tmp_path / "birds")) == tmp_path / "pets-3"
    with RunFolder.open(tmp_path / "seascapes") as run:
        run.write_options(OPTIONS, DATA, SAMPLE_SET)  # drawn, so that it is never gone
    assert folder_for(tmp_path / "seascapes", str(cats)) == tmp_path / "seascapes-2"
