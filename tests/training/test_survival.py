"""Trainings that a user or a scheduler ends resume where they were; with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
FLAGS = """--img-size 16 12 3 --depth 2 --increment 4 --input-size 8 --batch-size 4 --quiet
--sample-steps 2""".split()
SIGNALS = [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.once)]
PATIENCE = 900  # seconds for a process to start training: frameworks are slow on busy machines


running = []


@pytest.fixture(autouse=True)
def nothing_left_running():
    """Whatever a test finds, its processes end with it."""
    yield
    while running:
        process = running.pop()
        process.kill()
        process.wait()
        process.stderr.close()


def start(folder, *flags):
    command = [sys.executable, str(ROOT / "main.py"), str(folder), *FLAGS, *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    running.append(process)
    return process


def grids_of(run):
    """How many grids of samples a run has written; it writes one every second step."""
    return len(list(Path(run, "samples").glob("step_*.png")))


def wait_for_grids(process, run, count):
    end = time.monotonic() + PATIENCE
    while grids_of(run) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def array(tmp_path, images):
    """A file with ten tiny images."""
    np.save(tmp_path / "sea.npy", images)
    return tmp_path / "sea.npy"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_first_signal_saves_says_how_to_resume_and_ends(array, tmp_path, number, code):
    process = start(array, "--epochs", "1000000")
    wait_for_grids(process, "Results/sea", 3)
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "The same call resumes from here" in said
    newest = max((tmp_path / "Results" / "sea" / "checkpoints").iterdir())
    assert int(newest.stem.split("-")[-1]) >= 6  # three grids
    assert (tmp_path / "Results" / "sea" / "last.dcgan").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_a_killed_run_resumes_but_not_twice_at_once_and_two_signals_end_it(array, tmp_path):
    process = start(array, "--epochs", "1000000")
    wait_for_grids(process, "Results/sea", 3)
    second = start(array, "--epochs", "1000000")  # in the folder of a run that is in progress
    _, said = second.communicate(timeout=PATIENCE)
    assert second.returncode == 2
    assert str(process.pid) in said
    process.kill()
    process.communicate()
    before = grids_of("Results/sea")
    again = start(array, "--epochs", "1000000")
    wait_for_grids(again, "Results/sea", before + 1)
    again.send_signal(signal.SIGINT)
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=PATIENCE)
    assert again.returncode in (130, -signal.SIGINT)
