"""Does a lock keep a second run out for as long as the first one lives, and no longer?"""

import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dcgan.errors import RunError
from dcgan.storage import lock as lock_module
from dcgan.storage.lock import RunLock

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from dcgan.storage.lock import RunLock
lock = RunLock(sys.argv[1])
print("locked", flush=True)
time.sleep(60)
"""
HOLD_AND_FORK = """
import os, sys, time
from dcgan.storage.lock import RunLock
lock = RunLock(sys.argv[1])
if not os.fork():
    print(os.getpid(), flush=True)
time.sleep(60)
"""


def start(program: str, path: Path) -> tuple[subprocess.Popen, str]:
    """A child process that has taken the lock, and the line that it printed then."""
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return child, child.stdout.readline().strip()


def kill(child: subprocess.Popen):
    child.kill()
    child.wait()
    child.stdout.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".lock"


@pytest.fixture
def no_locks(monkeypatch):
    """A drive on which the system's locks do not work."""

    def refuse(descriptor):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(lock_module, "_lock", refuse)


def test_a_second_process_is_refused_and_told_the_first_ones_number_and_host(path):
    child, _ = start(HOLD, path)
    try:
        with pytest.raises(RunError, match=f"process {child.pid} on {socket.gethostname()}"):
            RunLock(path)
    finally:
        kill(child)


def test_the_lock_of_a_killed_process_is_taken_over(path):
    child, _ = start(HOLD, path)
    kill(child)
    assert path.read_text()  # it had no time to give it back
    RunLock(path).release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_worker_that_outlives_its_killed_run_does_not_keep_the_lock(path):
    child, worker = start(HOLD_AND_FORK, path)
    try:
        kill(child)
        RunLock(path).release()
    finally:
        os.kill(int(worker), signal.SIGKILL)


def test_a_second_lock_in_the_same_process_is_refused(path):
    lock = RunLock(path)
    with pytest.raises(RunError, match=f"process {os.getpid()}"):
        RunLock(path)
    lock.release()


def test_a_released_lock_can_be_taken_again(path):
    for _ in range(3):
        lock = RunLock(path)
        lock.release()
        lock.release()  # a second time is harmless
    assert path.read_bytes() == b""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\0" * 5000])
def test_a_lock_file_of_any_content_can_be_taken(path, content):
    path.write_bytes(content)
    RunLock(path).release()


def test_where_there_are_no_locks_a_living_process_is_refused_and_a_dead_one_is_not(path, no_locks):
    child, _ = start(HOLD, path)
    with pytest.raises(RunError, match=f"process {child.pid}"):
        RunLock(path)
    kill(child)
    lock = RunLock(path)
    with pytest.raises(RunError, match="in use"):
        RunLock(path)
    lock.release()


def test_where_there_are_no_locks_one_of_another_host_is_taken_over_with_a_warning(
    path, no_locks, caplog
):
    path.write_text('{"pid": 1, "host": "another-machine"}')
    with caplog.at_level(logging.WARNING, "dcgan"):
        RunLock(path).release()
    assert "another-machine" in caplog.text


def test_where_there_are_no_locks_a_process_of_the_same_number_before_us_is_dead(path, no_locks):
    path.write_text(f'{{"pid": {os.getpid()}, "host": "{socket.gethostname()}"}}')
    RunLock(path).release()
