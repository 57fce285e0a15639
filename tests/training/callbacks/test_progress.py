"""Progress: a bar in a terminal, lines elsewhere."""

import io
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from dcgan import DCGAN
from dcgan.training.callbacks import progress
from dcgan.training.callbacks.progress import LINE_SECONDS, Progress
from dcgan.training.health import Health, Measurement
from dcgan.training.state import TrainingState


class Terminal(io.StringIO):
    """A terminal of 100 columns."""

    def isatty(self):
        return True

    def fileno(self):
        return 2


@pytest.fixture
def terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((100, 20)))
    # pytest puts its own stderr into `sys` between a fixture and its test
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))
    return stream


def test_the_bar_shows_status_estimates_speed_and_time_left_and_no_losses(terminal):
    state = TrainingState(health=Health(recent=[Measurement(5, kid=0.4)], first_kid=0.8))
    bar = Progress(state, 4, total=10, deadline=None)
    bar.begin(0)
    state.step = 5
    bar.act(2, {"d_loss": 1.2345})
    shown = terminal.getvalue().split("\r")[-1]
    for words in ("50%", "step 5, epoch 2", "learning", "rKID 0.8 > 0.4", "images/s", "left"):
        assert words in shown
    assert "| step 5" in shown and "loss" not in shown and "1.23" not in shown
    state.health.recent[-1] = Measurement(5, kid=0.8)
    assert "rKID 0.8, " in bar.line(2)  # nothing has changed yet
    bar.finish(2, {})  # before its end, as on Ctrl-C
    assert " 50%" in terminal.getvalue().split("\r")[-1]


def test_a_message_is_not_written_into_the_bar(terminal):
    bar = Progress(TrainingState(), 4, total=10, deadline=None)
    bar.begin(0)
    bar.act(1, {})
    logging.getLogger("dcgan").warning("collapsing")
    left = terminal.getvalue().split("\r")
    assert left[-1] == "" and left[-2].strip() == "" and "step 0" in left[-3]
    bar.finish(1, {})
    assert not logging.getLogger("dcgan").filters


def test_with_a_time_limit_the_bar_is_the_share_of_the_time(terminal, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bar = Progress(TrainingState(), 4, total=None, deadline=160.0)
    bar.begin(0)
    shares = []
    for moment, step in ((115.0, 5), (130.0, 6), (130.0, 6), (175.0, 9)):
        now[0], bar.state.step = moment, step
        bar.act(1, {})
        shares.append(bar.share)
    assert shares == [0.25, 0.5, 0.5, 1.0]
    bar.finish(1, {})


def test_of_two_limits_the_nearer_one_counts_and_the_bar_never_runs_backwards(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bar = Progress(TrainingState(), 4, total=100, deadline=100.0)
    bar.begin(0)
    now[0], bar.state.step = 10.0, 60
    bar.line(1)
    assert bar.share == 0.6
    bar.state.step = 50  # a rollback counts no steps back, but nothing else may either
    bar.line(1)
    assert bar.share == 0.6


def test_without_a_terminal_there_is_a_line_now_and_then(tiny, images, capsys):
    tiny().fit(images, epochs=2)
    shown = capsys.readouterr()
    assert shown.out == "" and "\r" not in shown.err
    assert shown.err.splitlines()[-1].startswith("100%  step 6, epoch 2, ")
    assert Progress(TrainingState(), 4, 10, None).every_seconds == LINE_SECONDS


def test_a_run_that_is_done_shows_its_last_epoch_and_no_speed(tiny, images, capsys):
    for _ in range(2):
        tiny(save_path="run").fit(images, epochs=2)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("100%  step 6, epoch 2, ") and "images/s" not in last


@pytest.mark.once
@pytest.mark.parametrize("size, every", [((100, 40), 0.5), ((0, 40), 30), ((100, 0), 30)])
def test_a_terminal_without_a_size_gets_lines(size, every, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2)
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size(size))
    assert Progress(TrainingState(), 4, 10, None).every_seconds == every


TRAIN = """
import os, sys
import numpy as np
from dcgan import DCGAN
from dcgan.training.callbacks import progress

progress.LINE_SECONDS = 0  # a line after every step

def train(run):
    gan = DCGAN(run, img_size=(16, 12, 3), depth=2, increment=4, input_size=8, batch_size=4)
    gan.run_eagerly = True
    gan.fit(np.zeros((8, 16, 12, 3), np.uint8), epochs=2)

stderr, sys.stderr = sys.stderr, None
train("none")
sys.stderr = open(os.dup(2), "w", buffering=1)
sys.stderr.close()
train("closed")
read, write = os.pipe()
os.close(read)
os.dup2(write, 2)
sys.stderr = stderr
train("unread")
"""


@pytest.mark.once
def test_training_goes_to_its_end_where_nobody_reads_stderr():
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", TRAIN], env=environment, check=False)
    for run in ("none", "closed", "unread"):
        assert DCGAN.load(f"{run}/last.dcgan").state.step == 4


def test_no_time_is_promised_where_nobody_knows_how_long_an_epoch_is(capsys):
    bar = Progress(TrainingState(), 4, None, None)
    bar.begin(0)
    bar.state.step = 3
    bar.act(1, {})
    bar.finish(1, {})
    shown = capsys.readouterr().err
    assert "epoch 1" in shown and "left" not in shown
