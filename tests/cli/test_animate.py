"""The verb `animate`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan.cli import main
from dcgan.images import enlarged_grid, save_png
from dcgan.storage.run_folder import RunFolder

pytestmark = pytest.mark.once


def test_a_run_is_animated_by_its_name(capsys):
    with RunFolder.open(Path("Results/sea")) as run:
        run.write_options({}, {}, None)
        for step in (200, 400):
            images = enlarged_grid(np.full((2, 64, 64, 3), step // 2, np.uint8))
            save_png(run.samples_path / f"step_{step:07d}_epoch_0001.png", images)
    assert main(["animate", "sea", "--scale", "2", "--out", "a.gif"]) == 0
    with Image.open("a.gif") as image:
        assert image.size == (2 * (2 * 128 + 6), 2 * (128 + 4)) and image.n_frames == 2
    assert "a.gif: 2 grids" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [(["nowhere"], "nowhere"), (["sea", "--out", "a.avi"], "a.avi"), (["sea"], "no grids")],
)
def test_what_cannot_be_animated_is_one_line(words, named, capsys):
    with RunFolder.open(Path("Results/sea")) as run:
        run.write_options({}, {}, None)
    assert main(["animate", *words]) == 2
    shown = capsys.readouterr().err
    assert named in shown and shown.count("\n") == 1
