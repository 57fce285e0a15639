"""The protocol for recipes: a row per seed, with what was trained and what came out."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.once


@pytest.fixture
def quality(benchmark):
    return benchmark("quality")


def test_a_training_becomes_a_row_with_what_the_judge_said(quality, images, capsys, tmp_path):
    np.save("images.npy", images)
    judge = tmp_path / "judge.py"
    judge.write_text(
        "import sys, numpy\nprint('first line')\n"
        "print('samples: FID=1.5e-3 n=%d' % len(numpy.load(sys.argv[2])))"
    )
    flags = "--img-size 8 8 3 --depth 1 --increment 2 --batch-size 5 --epochs 1".split()
    asked = f"{sys.executable} {judge} {{images}} {{samples}}"
    arguments = ["images.npy", "--judge", asked, "--results", "out", *flags]
    assert quality.main(arguments) == 0
    (row,) = csv.DictReader(Path("out/quality.csv").read_text().splitlines())
    assert row["steps"] == "2"
    assert row["judge"] == "FID=1.5e-3 n=1000"
    assert row["flags"] == " ".join(flags)
    assert "steps 2" in capsys.readouterr().out


def test_a_grid_of_two_pixels_shows_across_and_lines_show_down(quality):
    plain = np.random.default_rng(0).integers(100, 140, (4, 16, 16, 3), dtype=np.uint8)
    grid, lines = plain.copy(), plain.copy()
    grid[:, :, ::2] += 60
    lines[:, ::2] += 60
    usual = quality.fine_energy(plain)
    across, down = quality.fine_energy(grid) / usual
    assert across > 20 and down < 2
    across, down = quality.fine_energy(lines) / usual
    assert down > 20 and across < 2
