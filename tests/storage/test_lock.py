"""A lock keeps a second run out for as long as the first one lives, and no longer."""

import errno
import logging
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from dcgan.errors import RunError
from dcgan.storage.lock import RunLock

pytestmark = pytest.mark.once

HOLD = """
import sys, time
from dcgan.storage.lock import RunLock
lock = RunLock(sys.argv[1])
print("locked", flush=True)
time.sleep(3600)
"""
HOLD_AND_FORK = """
import os, sys, time
from dcgan.storage.lock import RunLock
lock = RunLock(sys.argv[1])
if not os.fork():
    print(os.getpid(), flush=True)
time.sleep(3600)
"""


def kill(child: subprocess.Popen):
    child.kill()
    child.wait()
    child.stdout.close()


@pytest.fixture
def start(start_child):
    """A function that gives a child process that has the lock, and the line that it printed."""

    def start(program: str, path: Path) -> tuple[subprocess.Popen, str]:
        child = start_child(program, path, stderr=None)
        return child, child.stdout.readline().strip()

    return start


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".lock"


@pytest.fixture
def owner(tmp_path):
    """The file that says who holds the lock."""
    return tmp_path / ".lock-owner.json"


@pytest.fixture
def no_locks(monkeypatch):
    """A drive on which the system's locks do not work."""

    def refuse(descriptor, operation):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", refuse)


def test_a_second_process_is_refused_and_told_the_first_ones_number_and_host(path, start):
    child, _ = start(HOLD, path)
    try:
        with pytest.raises(RunError, match=f"process {child.pid} on {socket.gethostname()}"):
            RunLock(path)
    finally:
        kill(child)


def test_the_lock_of_a_killed_process_is_taken_over(path, owner, start):
    child, _ = start(HOLD, path)
    kill(child)
    assert owner.read_text()  # it had no time to give it back
    RunLock(path).release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_worker_that_outlives_its_killed_run_does_not_keep_the_lock(path, start):
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


def test_a_released_lock_can_be_taken_again(path, owner):
    for _ in range(3):
        lock = RunLock(path)
        lock.release()
        lock.release()  # a second time is harmless
    assert not owner.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\0" * 5000])
def test_a_lock_whose_files_have_any_content_can_be_taken(path, owner, content):
    path.write_bytes(content)
    owner.write_bytes(content)
    RunLock(path).release()


def test_where_there_are_no_locks_a_living_process_is_refused_and_a_dead_one_is_not(
    path, start, no_locks
):
    child, _ = start(HOLD, path)
    with pytest.raises(RunError, match=f"process {child.pid}"):
        RunLock(path)
    kill(child)
    lock = RunLock(path)
    with pytest.raises(RunError, match="in use"):
        RunLock(path)
    lock.release()


def test_where_there_are_no_locks_one_of_another_host_is_taken_over_with_a_warning(
    path, owner, no_locks, caplog
):
    owner.write_text('{"pid": 1, "host": "another-machine"}')
    with caplog.at_level(logging.WARNING, "dcgan"):
        RunLock(path).release()
    assert "another-machine" in caplog.text


def test_where_there_are_no_locks_a_process_of_our_number_before_us_is_dead(path, owner, no_locks):
    owner.write_text(f'{{"pid": {os.getpid()}, "host": "{socket.gethostname()}"}}')
    RunLock(path).release()
