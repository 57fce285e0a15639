"""The verb `presets`: a line for each, and all about one."""

import pytest

from dcgan.cli import main
from dcgan.networks.presets import list_presets

pytestmark = pytest.mark.once


def test_each_preset_is_a_line(capsys):
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line, (name, preset) in zip(lines, list_presets().items(), strict=True):
        assert line.startswith(f"{name} ") and preset.source in line
        assert all(f"{count:,}" in line for count in preset.weights)


def test_a_name_shows_the_training_and_the_note(capsys):
    assert main(["presets", "mnist-paper"]) == 0
    shown = capsys.readouterr().out
    assert list_presets()["mnist-paper"].note in shown
    assert "batch_size: 128" in shown and "epochs: 50" in shown
