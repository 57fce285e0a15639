"""Is a run's folder made, locked, gone on with and refused as promised, and never emptied?"""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dcgan.errors import RunError
from dcgan.storage import run_folder as folder_module
from dcgan.storage.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
OPTIONS = {"img_size": (8, 9, 3), "depth": 2, "epochs": 3, "save_path": None}
SHAPING = frozenset({"img_size", "depth"})
ARRAYS = {"generator/kernel": np.ones(3, "float32")}


def open_run(path, resume=True, **changes) -> RunFolder:
    return RunFolder.open(path, OPTIONS | changes, shaping=SHAPING, resume=resume)


def train(path, steps=(1, 2, 3), checkpoint=2):
    """A run that logs `steps` and saves after one of them."""
    with open_run(path) as run:
        run.resume()
        for step in steps:
            run.log.write({"step": step, "loss": step / 8})
            if step == checkpoint:
                run.save_checkpoint(step, ARRAYS, {"epoch": 1})


def everything_in(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_a_new_run_has_its_folder_and_its_options(tmp_path):
    with open_run(tmp_path / "Results" / "sea") as run:
        assert run.resume() is None
        content = json.loads(run.options_path.read_text())
        assert run.samples.is_dir()
    assert content["format"] == "dcgan-run"
    assert content["version"] == 1
    assert content["options"] == OPTIONS | {"img_size": [8, 9, 3]}
    assert {"python", "numpy"} <= content["versions"].keys()
    assert {path.name for path in (run.best_path, run.last_path, run.skipped_path)} == {
        *("best.dcgan", "last.dcgan", "skipped.txt")
    }


def test_going_on_gives_the_checkpoint_and_cuts_the_log_after_it(tmp_path):
    train(tmp_path / "sea")
    with open_run(tmp_path / "sea") as run:
        checkpoint = run.resume()
        assert checkpoint.step == 2
        assert checkpoint.state == {"epoch": 1}
        assert run.log.records() == [{"step": 1, "loss": 1 / 8}, {"step": 2, "loss": 2 / 8}]


def test_a_run_that_saved_nothing_begins_anew_with_an_empty_log(tmp_path):
    train(tmp_path / "sea", checkpoint=None)
    with open_run(tmp_path / "sea", depth=5) as run:
        assert run.resume() is None
        assert run.log.records() == []


def test_other_settings_that_shape_the_networks_are_refused_and_listed(tmp_path):
    train(tmp_path / "sea")
    before = everything_in(tmp_path)
    with pytest.raises(RunError) as caught:
        open_run(tmp_path / "sea", depth=3, img_size=(8, 8, 3), epochs=9)
    message = str(caught.value)
    assert "depth: 2 in the folder, 3 now" in message
    assert "img_size: [8, 9, 3] in the folder, [8, 8, 3] now" in message
    assert "epochs" not in message
    assert "resume=False" in message
    assert everything_in(tmp_path) == before
    open_run(tmp_path / "sea").close()  # and it was unlocked


def test_other_settings_that_do_not_are_accepted_and_stated(tmp_path, caplog):
    train(tmp_path / "sea")
    with caplog.at_level(logging.INFO, "dcgan"), open_run(tmp_path / "sea", epochs=9) as run:
        assert json.loads(run.options_path.read_text())["options"]["epochs"] == 9
    assert "epochs: 3 in the folder, 9 now" in caplog.text


def test_resume_false_makes_a_new_numbered_folder_and_deletes_nothing(tmp_path):
    train(tmp_path / "sea")
    before = everything_in(tmp_path)
    for name in ("sea-2", "sea-3"):
        with open_run(tmp_path / "sea", resume=False, depth=4) as run:
            assert run.path == tmp_path / name
            assert run.resume() is None
    assert everything_in(tmp_path).items() >= before.items()


def test_resume_false_uses_the_folder_itself_when_it_is_new_or_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with open_run(tmp_path / name, resume=False) as run:
            assert run.path == tmp_path / name


def test_a_second_run_in_the_folder_is_refused_until_the_first_has_ended(tmp_path):
    with open_run(tmp_path), pytest.raises(RunError, match=f"process {os.getpid()}"):
        open_run(tmp_path)
    open_run(tmp_path).close()


HOLD = """
import sys, time
from dcgan.storage.run_folder import RunFolder
with RunFolder.open(sys.argv[1], {}) as run:
    print("open", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_two_processes_cannot_have_one_folder_and_a_killed_one_gives_it_up(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    child.stdout.readline()
    with pytest.raises(RunError, match=f"process {child.pid} on "):
        open_run(tmp_path)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    open_run(tmp_path).close()


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "sea").write_text("a file")
    for path in (tmp_path / "sea", tmp_path / "sea" / "inside"):
        with pytest.raises(RunError, match="a file, not a folder|Not a directory"):
            open_run(path)
    assert (tmp_path / "sea").read_text() == "a file"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has /proc")
@pytest.mark.parametrize("path", ["/proc/dcgan-run", "/proc/self"])
def test_a_place_where_nothing_can_be_written_is_refused_even_for_the_administrator(path):
    with pytest.raises(RunError, match="cannot be used"):
        open_run(path)


READ_ONLY = """
import os, sys
from dcgan.errors import RunError
from dcgan.storage.run_folder import RunFolder

os.chdir(sys.argv[1])
os.chmod("sea", 0o555)
if os.geteuid() == 0:
    os.setuid(65534)  # the administrator could write anywhere; this user cannot
try:
    RunFolder.open("sea", {})
except RunError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_read_only_folder_is_refused(tmp_path):
    (tmp_path / "sea").mkdir()
    child = subprocess.run(
        [sys.executable, "-c", READ_ONLY, tmp_path], capture_output=True, text=True, cwd=ROOT
    )
    assert "'sea' cannot be used: Permission denied" in child.stdout, child.stderr
    assert not list((tmp_path / "sea").iterdir())


def test_a_read_only_drive_is_refused_and_the_folder_unlocked(tmp_path, monkeypatch):
    def refuse(path, content):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "write_atomically", refuse)
        with pytest.raises(RunError, match="Read-only file system"):
            open_run(tmp_path)
    open_run(tmp_path).close()


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv", "best.dcgan"])
def test_files_of_another_program_are_never_overwritten(tmp_path, name):
    (tmp_path / name).write_text("precious")
    with pytest.raises(RunError, match=f"{name} but no options.json"):
        open_run(tmp_path)
    assert (tmp_path / name).read_text() == "precious"


def test_a_folder_of_images_can_also_hold_the_run(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a image")
    with open_run(tmp_path) as run:
        assert run.path == tmp_path
    assert (tmp_path / "a.png").read_bytes() == b"a image"


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
        open_run(tmp_path)
    assert (tmp_path / "options.json").read_text() == content


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path):
    train(tmp_path)
    for name in (".last.dcgan.abc.partial", "samples/.000100.png.abc.partial"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "mine.partial").write_text("kept")
    open_run(tmp_path).close()
    assert [path.name for path in tmp_path.rglob("*.partial")] == ["mine.partial"]


def test_of_settings_that_have_parts_only_the_changed_ones_are_listed(tmp_path, caplog):
    for rate in (0.1, 0.2):
        optimizer = {"config": {"learning_rate": rate, "beta_1": 0.5}}
        with caplog.at_level(logging.INFO, "dcgan"), open_run(tmp_path, optimizer=optimizer) as run:
            run.save_checkpoint(1, ARRAYS, {})
    said = "(optimizer config learning_rate: 0.1 in the folder, 0.2 now)"
    assert said in caplog.text


def test_the_images_are_noted_and_other_ones_are_said(tmp_path, caplog):
    for number, warnings in ((10, 0), (10, 0), (11, 1)):
        caplog.clear()
        with open_run(tmp_path) as run, caplog.at_level(logging.WARNING, "dcgan"):
            run.record_data({"sha256": str(number)})
            assert run.data == {"sha256": str(number)}
        assert len(caplog.records) == warnings


def test_a_drive_that_is_gone_during_a_save_is_a_run_error_and_later_saves_succeed(tmp_path):
    path, aside = tmp_path / "sea", tmp_path / "aside"
    with open_run(path) as run:
        run.log.write({"step": 1})
        run.save_checkpoint(1, ARRAYS, {})
        path.rename(aside)
        with pytest.raises(RunError, match="see whether the folder is still there"):
            run.save_checkpoint(2, ARRAYS, {})
        assert not path.exists()  # nothing is begun in the place of a drive that was pulled out
        aside.rename(path)
        run.save_checkpoint(3, ARRAYS, {})
    with open_run(path) as run:
        assert run.resume().step == 3
