"""The speed table has all of its parts; its numbers are not looked at here."""

import functools
from pathlib import Path

import pytest

from dcgan import DCGAN
from dcgan.cli import train
from dcgan.cli.console import Parser

pytestmark = pytest.mark.once


def test_a_quick_run_measures_every_part_but_fit(speed, benchmark, monkeypatch, tmp_path):
    # a few steps are quicker than compiling them
    monkeypatch.setattr(DCGAN, "compile", functools.partialmethod(DCGAN.compile, run_eagerly=True))
    # which the next test measures, compiled
    monkeypatch.setitem(benchmark("speed").PARTS, "fit", benchmark("sections").generating)
    printed = speed()
    assert "these numbers mean nothing" in printed
    for part in (
        "dcgan-64, float32: share of the convolution peak",
        "default network, 28x28x1, batch 64",
        "generate(100)",
        "python main.py generate",
        "to the first step and its grid",
        "depth: growth of time",
    ):
        assert part in printed
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_compiled_steps_run_bare_and_in_fit(speed):
    assert "| `fit` over the bare step |" in speed("--gpu", "--only", "fit")


@pytest.mark.parametrize("fails", [False, True])
def test_the_time_to_the_first_step_is_that_of_a_training_that_gets_there(
    benchmark, monkeypatch, tmp_path, fails
):
    start = benchmark("start")
    monkeypatch.setattr(start, "ROOT", tmp_path)
    (tmp_path / "main.py").write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        f"if {fails}: sys.exit('broken')\n"
        "samples = Path(sys.argv[sys.argv.index('--save-path') + 1], 'samples')\n"
        "samples.mkdir(parents=True)\n"
        "(samples / 'step_0000001.png').touch()\n"
        "time.sleep(1e6)\n"
    )
    if fails:
        with pytest.raises(RuntimeError, match="ended before its first step: broken"):
            start._seconds_to_first_step(tmp_path, tmp_path)
    else:
        assert start._seconds_to_first_step(tmp_path, tmp_path) > 0


def test_the_flags_of_the_first_step_are_those_of_training(benchmark):
    parser = Parser(prog="dcgan")
    train.add_arguments(parser)
    command = benchmark("start")._training(Path("images"), Path("run"))
    assert parser.parse_args(command[2:]).sample_steps == 1
