"""The verb `inspect`: a page of text, a page for the browser, and the command to train with."""

import pytest

from dcgan.cli import inspect as verb
from dcgan.cli import main


@pytest.fixture
def unmeasured(monkeypatch):
    """No training steps."""
    monkeypatch.setattr(verb, "_measure", lambda proposal: (10.0, 2.0**20))


@pytest.mark.once
def test_both_pages_are_made(folder, unmeasured, tmp_path, capsys):
    assert main(["inspect", str(folder), "--img-size", "8", "--out", "page.html"]) == 0
    out = capsys.readouterr().out
    assert "10 usable" in out and "img_size=(8, 8, 3)" in out
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


@pytest.mark.once
def test_the_proposal_is_also_a_command(folder, unmeasured, capsys):
    assert main(["inspect", str(folder), "--img-size", "8", "8", "3"], prog="dcgan") == 0
    command = f"To train with these settings: dcgan {folder} --img-size 8 8 3 --depth 1\n"
    assert command in capsys.readouterr().out


@pytest.mark.once
def test_a_page_that_cannot_be_written_is_named(folder, unmeasured, capsys):
    words = ["inspect", str(folder), "--img-size", "8", "8", "3", "--out", "nowhere/page.html"]
    assert main(words) == 2
    assert "--out 'nowhere/page.html'" in capsys.readouterr().err


def test_time_and_memory_are_measured_by_real_steps(folder, capsys):
    assert main(["inspect", str(folder), "--img-size", "8", "8", "3"]) == 0
    assert "per 1,000 steps" in capsys.readouterr().out
