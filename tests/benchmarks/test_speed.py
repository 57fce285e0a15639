"""The speed table has all of its parts; its numbers are not looked at here."""

import functools

import pytest

from dcgan import DCGAN

pytestmark = pytest.mark.once


def test_a_quick_run_measures_every_part(speed, monkeypatch, tmp_path):
    # a few steps are quicker than compiling them
    monkeypatch.setattr(DCGAN, "compile", functools.partialmethod(DCGAN.compile, run_eagerly=True))
    printed = speed()
    assert "these numbers mean nothing" in printed
    for part in (
        "dcgan-64, float32: share of the convolution peak",
        "`fit` over the bare step",
        "default network, 28x28x1",
        "generate(100)",
        "python main.py generate",
        "depth: growth of time",
    ):
        assert part in printed
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_compiled_steps_run_bare_and_in_fit_on_every_backend(speed):
    assert "| `fit` over the bare step |" in speed("--gpu", "--only", "fit")


def test_a_training_that_ends_before_its_first_step_has_no_time(benchmark, tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(RuntimeError, match="ended before its first step"):
        benchmark("start")._seconds_to_first_step(tmp_path / "images", tmp_path / "cache")
