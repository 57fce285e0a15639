"""The progress bar."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dcgan import DCGAN
from dcgan.training.callbacks.progress import Progress
from dcgan.training.state import TrainingState


def test_the_bar_shows_losses_speed_and_time_left(tiny, images, capsys):
    tiny().fit(images, epochs=2)
    shown = capsys.readouterr()
    assert shown.out == ""
    for word in ("learning", "d_loss", "g_loss", "images/s", "left", "epoch"):
        assert word in shown.err


def test_the_bar_of_a_run_that_the_clock_ends_is_full_at_the_end(tiny, images, capsys):
    tiny().fit(images, minutes=0.01)
    last = capsys.readouterr().err.rstrip().split("\r")[-1]
    assert "100%" in last and "/?" not in last


TRAIN = """
import os, sys
{}
import numpy as np
from dcgan import DCGAN
from dcgan.training.callbacks.progress import Progress
from dcgan.training.state import TrainingState
options = dict(img_size=(16, 12, 3), depth=2, increment=4, input_size=8, batch_size=4)
DCGAN(save_path="run", **options).fit(np.zeros((8, 16, 12, 3), np.uint8), epochs=300)
"""


@pytest.mark.once
@pytest.mark.parametrize(
    "loss",
    ["sys.stderr = None", "sys.stderr.close()", "r, w = os.pipe(); os.close(r); os.dup2(w, 2)"],
)
def test_training_goes_to_its_end_where_nobody_reads_stderr(loss, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", TRAIN.format(loss)], env=environment, check=False)
    assert DCGAN.load("run/last.dcgan").state.step == 600


def test_no_time_is_promised_where_nobody_knows_how_long_an_epoch_is(capsys):
    bar = Progress(TrainingState(), 4, None, None)
    bar.begin(0)
    bar.state.step = 3
    bar.act(1, {})
    bar.finish(1, {})
    shown = capsys.readouterr().err
    assert "epoch 1" in shown and "left" not in shown
