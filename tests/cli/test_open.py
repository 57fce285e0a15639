"""The verb `open`: it finds a run, and opens its page."""

from pathlib import Path

import pytest

from dcgan.cli import main
from dcgan.storage.run_folder import RunFolder

pytestmark = pytest.mark.once


@pytest.fixture
def opened(monkeypatch):
    seen = []
    monkeypatch.setattr("webbrowser.open", seen.append)
    return seen


@pytest.mark.parametrize("name", ["sea", "Results/sea"])
def test_a_run_is_opened_by_its_name_or_folder(opened, capsys, name):
    with RunFolder.open(Path("Results/sea")) as run:
        run.write_options({}, {}, None)
    assert main(["open", name]) == 0
    assert opened == [Path("Results/sea/index.html").resolve().as_uri()]
    assert Path("Results/sea/index.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().out == "Results/sea/index.html\n"


def test_a_run_that_is_not_there_is_one_line(opened, capsys):
    assert main(["open", "nowhere"]) == 2
    assert "There is no run at 'nowhere'" in capsys.readouterr().err
    assert opened == []
