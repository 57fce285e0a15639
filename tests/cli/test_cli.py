"""Does the command line do what its help says, quickly and with clear words?"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan.cli import main
from dcgan.images import save_png

ROOT = Path(__file__).parents[2]
SMALL = "--img-size 16 12 3 --depth 2 --increment 4 --input-size 8 --batch-size 4 --quiet".split()


@pytest.fixture
def folder(tmp_path, images):
    """A folder of ten tiny images."""
    (tmp_path / "sea").mkdir()
    for number, image in enumerate(images):
        save_png(tmp_path / "sea" / f"{number}.png", image)
    return tmp_path / "sea"


def test_help_is_quick_because_it_imports_no_framework():
    command = [sys.executable, "-X", "importtime", str(ROOT / "main.py"), "--help"]
    began = time.monotonic()
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - began
    assert "generate" in answer.stdout and "path/to/images" in answer.stdout
    for slow in ("keras", "tensorflow", "matplotlib", "numpy"):
        assert f"| {slow}\n" not in answer.stderr.replace("|   ", "| ")
    assert seconds < 2.5  # 0.2 on a quiet machine; importing Keras alone takes longer than this


def test_every_constructor_argument_is_a_flag_with_help(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for name in "save_path kernel_size stride input_size img_size dropout depth increment".split():
        assert f"--{name.replace('_', '-')}" in shown
    for name in ("batch-size", "optimizer", "epochs", "minutes", "seed", "augmentation"):
        assert f"--{name}" in shown
    assert "Default: (150, 150, 3)" in shown


def test_train_then_generate(folder, tmp_path, capsys):
    assert main([str(folder), *SMALL, "--epochs", "1", "--kernel-size", "3", "3"]) == 0
    said = capsys.readouterr().out
    assert "Results/sea/samples.png" in said
    model = tmp_path / "Results" / "sea" / "last.dcgan"
    command = ["generate", str(model), "-n", "5", "--seed", "7", "--out", str(tmp_path / "out")]
    assert main(command) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [*(f"seed7_{n:05d}.png" for n in range(5)), "seed7_sheet.png"]
    image = Image.open(tmp_path / "out" / "seed7_00003.png")
    assert image.size == (12, 16)
    assert image.text["dcgan-seed"] == "7" and image.text["dcgan-number"] == "3"
    assert len(image.text["dcgan-model"]) == 64
    from dcgan import DCGAN

    again = DCGAN.load(model).generate(5, seed=7)[3]
    assert np.abs(again.astype(int) - np.asarray(image)).max() <= 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["no such folder"], ["no such folder"]),
        (["sea", "--depth", "9"], ["depth", "most"]),
        (["sea", "--epochs", "0", *SMALL], ["epochs"]),
        (["sea", "--optimizer", "adamant", *SMALL], ["optimizer", "adamant"]),
        (["sea", "--recipe", "own", *SMALL], ["--recipe", "--preset"]),
        (["generate", "nowhere.dcgan"], ["nowhere.dcgan", "not exist"]),
        (["generate", "sea/0.png"], ["0.png"]),
        (["generate", "nowhere.dcgan", "-n", "0"], ["-n"]),
    ],
)
def test_wrong_input_gives_one_clear_line_and_exit_code_2(folder, capsys, command, words):
    assert main(command) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert all(word in shown.err for word in words)


@pytest.mark.parametrize(
    ("backend", "words"),
    [("pytorch", ["KERAS_BACKEND", "torch"]), ("jax", ["KERAS_BACKEND=jax", "pip install jax"])],
)
def test_a_framework_that_is_not_there_is_named(capsys, monkeypatch, backend, words):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr("dcgan.cli.find_spec", lambda name: None)
    assert main(["generate", "nowhere.dcgan"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and all(word in said for word in words)


def test_unknown_flags_are_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["sea", "--color", "blue"])
    assert ended.value.code == 2
    assert "--color" in capsys.readouterr().err
