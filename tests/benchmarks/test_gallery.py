"""Does the gallery's script train, show the right files, and tell how they were made?"""

import functools
import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from dcgan import DCGAN
from dcgan.cli import main as dcgan_command
from dcgan.images import save_png

MAKE = Path(__file__).parent.parent / "Results" / "make.py"
CALL = "sea --images secret/place/waves --results gallery_test --increment 2 --batch-size 5".split()


@pytest.fixture
def make(images, monkeypatch):
    """The script's `main`, which runs its commands in this process and pretends to measure."""
    Path("secret/place/waves").mkdir(parents=True)
    for number, image in enumerate(images):
        save_png(f"secret/place/waves/{number}.png", image)
    spec = importlib.util.spec_from_file_location("make", MAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*arguments, **options):
        if arguments[0] == "evaluate":
            return subprocess.CompletedProcess(arguments, 0, stdout="KID 1.5\n")
        return subprocess.CompletedProcess(arguments, dcgan_command([*arguments, "--quiet"]))

    monkeypatch.setattr(module, "_run", run)
    # a few steps are quicker than compiling them
    monkeypatch.setattr(DCGAN, "compile", functools.partialmethod(DCGAN.compile, run_eagerly=True))
    monkeypatch.setattr("dcgan.training.callbacks.previews.SampleGrids.__init__.__defaults__", (2,))
    return module.main


def test_an_entry_is_trained_shown_and_gone_on_with(make):
    assert make([*CALL, "--epochs", "1"]) == 0
    assert make([*CALL, "--epochs", "2"]) == 0
    shown = Path("gallery_test/gallery/sea")
    names = {path.name for path in shown.iterdir()}
    assert names == {"README.md", "samples.png", "epochs.png", "losses.png", "film.gif"}
    page = (shown / "README.md").read_text()
    assert page.count("- `python Results/make.py sea --images path/to/waves") == 2
    assert "2 steps of 5 (1.0 epochs of 10 images)" in page
    assert "4 steps of 5 (2.0 epochs of 10 images)" in page
    assert page.count("KID 1.5") == 1 and "![film.gif](film.gif)" in page
    assert "secret" not in page
    shutil.rmtree("gallery_test/sea")  # another run of the same name: its page tells of it alone
    assert make([*CALL, "--epochs", "1"]) == 0
    assert (shown / "README.md").read_text().count("- `python Results/make.py") == 1


def test_what_other_calls_and_other_runs_made_is_not_claimed(make):
    shown = Path("gallery_test/gallery/sea")
    shown.mkdir(parents=True)
    (shown / "film.gif").write_bytes(b"of another run")
    begun = ["--increment", "2", "--batch-size", "5", "--epochs", "1", "--quiet", "--depth", "4"]
    dcgan_command(["secret/place/waves", "--save-path", "gallery_test/sea", *begun])
    assert make([*CALL, "--epochs", "1"]) == 0  # which has nothing left to do
    assert not (shown / "film.gif").exists() or (shown / "film.gif").read_bytes()[:3] == b"GIF"
    assert "- other calls, up to 2 steps\n- `python" in (shown / "README.md").read_text()


def test_where_training_fails_nothing_is_shown(make, capsys):
    assert make([*CALL, "--epochs", "0"]) == 2
    assert "epochs" in capsys.readouterr().err
    assert not Path("gallery_test/gallery").exists()


def test_a_new_folder_would_not_be_shown_and_is_refused(make, capsys):
    with pytest.raises(SystemExit):
        make([*CALL, "--new"])
    assert "--new would train elsewhere" in capsys.readouterr().err
