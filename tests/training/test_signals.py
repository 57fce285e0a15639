"""Signals: the first one ends a training well, the second one at once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dcgan.training.signals import StopRequest

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals"),
]

ROOT = Path(__file__).parents[2]
TRAIN = """
import sys, time
from dcgan.training.signals import StopRequest

with StopRequest() as stop:
    print("training", flush=True)
    while not stop.requested:
        time.sleep(0.01)
    print(stop.signal.name, flush=True)
    time.sleep(float(sys.argv[1]))  # the step ends, a checkpoint is saved
print("saved", flush=True)
stop.leave()
"""


def start(seconds: float) -> subprocess.Popen:
    child = subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(seconds)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT},
    )
    assert child.stdout.readline() == "training\n"
    return child


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)]
)
def test_one_signal_ends_the_step_and_saves_before_leaving(number, code):
    child = start(0)
    child.send_signal(number)
    output, errors = child.communicate()
    assert output.split() == [number.name, "saved"]
    assert ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)
    assert child.returncode == code


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)]
)
def test_a_second_signal_leaves_at_once(number, code):
    child = start(3600)
    child.send_signal(number)
    assert child.stdout.readline() == f"{number.name}\n"
    child.send_signal(number)
    output, _ = child.communicate()
    assert output == ""  # it did not wait for the end of the step
    assert child.returncode == code  # Python ends an uncaught Ctrl-C by the signal itself


def test_the_handlers_from_before_are_given_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopRequest():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_without_a_signal_nothing_is_requested():
    with StopRequest() as stop:
        pass
    assert not stop.requested


def test_in_another_thread_it_does_nothing():
    before, results = signal.getsignal(signal.SIGINT), []

    def train():
        with StopRequest() as stop:
            results.append((stop.requested, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert results == [(False, before)]
