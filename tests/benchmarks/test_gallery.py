"""The gallery trains, shows the right files, says how they were made, and stays small."""

import functools
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan import DCGAN
from dcgan.cli import main as dcgan_command
from dcgan.images import save_png

pytestmark = pytest.mark.once

GALLERY = Path(__file__).parents[2] / "Results" / "gallery"
FLAGS = "--increment 2 --batch-size 5 --sample-steps 2".split()
CALL = ["sea", "--images", "secret/place/waves", "--results", "gallery_test", *FLAGS]


@pytest.fixture
def gallery(benchmark, images, monkeypatch):
    """The verb's `main`, which runs its commands in this process and pretends to measure."""
    Path("secret/place/waves").mkdir(parents=True)
    for number, image in enumerate(images):
        save_png(f"secret/place/waves/{number}.png", image)
    module = benchmark("gallery")

    def run(*arguments, **options):
        if arguments[0] == "evaluate":
            return subprocess.CompletedProcess(arguments, 0, stdout="KID 1.5\n")
        if arguments[0] == "export":
            Path(arguments[-1]).touch()
            return subprocess.CompletedProcess(arguments, 0)
        return subprocess.CompletedProcess(arguments, dcgan_command([*arguments, "--quiet"]))

    monkeypatch.setattr(module, "_run", run)
    monkeypatch.setitem(module.WALK, "seconds", 0.2)
    # a few steps are quicker than compiling them
    monkeypatch.setattr(DCGAN, "compile", functools.partialmethod(DCGAN.compile, run_eagerly=True))
    return module.main


def test_an_entry_is_trained_shown_and_resumed(gallery):
    assert gallery([*CALL, "--epochs", "1"]) == 0
    assert gallery([*CALL, "--epochs", "2"]) == 0
    shown = Path("gallery_test/gallery/sea")
    names = {path.name for path in shown.iterdir()}
    images = {"samples.png", "epochs.png", "losses.png", "animation.gif", "walk.webp"}
    assert names == images | {"README.md", "run.html", "sea.html"}
    page = (shown / "README.md").read_text()
    assert page.count("- `python -m benchmarks gallery sea --images path/to/waves") == 2
    assert "2 steps of 5 (1.0 epochs of 10 images)" in page
    assert "4 steps of 5 (2.0 epochs of 10 images)" in page
    assert page.count("KID 1.5") == 1 and "![walk.webp](walk.webp)" in page
    assert "![animation.gif](animation.gif)" in page and "](sea.html)" in page
    run_page = (shown / "run.html").read_text(encoding="utf-8")
    assert "](run.html)" in page and "dcgan generate Results/sea -n 64" in run_page
    assert "path/to/waves" in run_page and "Real images" not in run_page
    for text in (page, run_page):
        assert "secret" not in text and str(Path.cwd()) not in text
    shutil.rmtree("gallery_test/sea")  # another run of the same name: its page tells of it alone
    assert gallery([*CALL, "--epochs", "1"]) == 0
    assert (shown / "README.md").read_text().count("- `python -m benchmarks gallery") == 1


def test_what_other_calls_and_other_runs_made_is_not_claimed(gallery):
    shown = Path("gallery_test/gallery/sea")
    shown.mkdir(parents=True)
    (shown / "animation.gif").write_bytes(b"of another run")
    begun = [*FLAGS, "--img-size", "64", "64", "3", "--epochs", "1", "--quiet"]
    dcgan_command(["secret/place/waves", "--save-path", "gallery_test/sea", *begun])
    assert gallery([*CALL, "--epochs", "1"]) == 0  # which has nothing left to do
    assert (
        not (shown / "animation.gif").exists()
        or (shown / "animation.gif").read_bytes()[:3] == b"GIF"
    )
    assert "- other calls, up to 2 steps\n- `python" in (shown / "README.md").read_text()


def test_where_training_fails_nothing_is_shown(gallery, capsys):
    assert gallery([*CALL, "--epochs", "0"]) == 2
    assert "epochs" in capsys.readouterr().err
    assert not Path("gallery_test/gallery").exists()


def test_a_new_folder_would_not_be_shown_and_is_refused(gallery, capsys):
    with pytest.raises(SystemExit):
        gallery([*CALL, "--new"])
    assert "--new would train elsewhere" in capsys.readouterr().err


def test_large_images_and_animations_become_small(benchmark, monkeypatch, tmp_path):
    module, noise = benchmark("gallery"), np.random.default_rng(0)
    monkeypatch.setattr(module, "MAX_IMAGE_BYTES", 10_000)
    monkeypatch.setattr(module, "MAX_ANIMATION_BYTES", 20_000)
    run, shown = tmp_path / "run", tmp_path / "shown"
    run.mkdir()
    shown.mkdir()
    sheets = noise.integers(0, 256, (20, 64, 64, 4), np.uint8)
    save_png(run / "samples.png", sheets[0])
    save_png(run / "losses.png", sheets[0, :32, :32])
    first, *rest = [Image.fromarray(sheet[..., :3]) for sheet in sheets]
    first.save(run / "animation.gif", save_all=True, append_images=rest)
    assert (run / "animation.gif").stat().st_size > module.MAX_ANIMATION_BYTES
    module.show(run, shown)
    assert {path.name for path in shown.iterdir()} == {"samples.jpg", "losses.png", "animation.gif"}
    assert (shown / "samples.jpg").stat().st_size <= module.MAX_IMAGE_BYTES
    assert (shown / "animation.gif").stat().st_size <= module.MAX_ANIMATION_BYTES
    with Image.open(shown / "animation.gif") as animation:
        assert 2 < animation.n_frames <= module.MAX_FRAMES
        assert animation.info["comment"] == b"dcgan run"


def test_the_page_of_a_run_is_small(benchmark, monkeypatch, tmp_path):
    module, noise = benchmark("gallery"), np.random.default_rng(0)
    (tmp_path / "samples").mkdir()
    for step in range(10, 210, 10):
        sheet = noise.integers(0, 256, (500, 500, 3), np.uint8)
        save_png(tmp_path / "samples" / f"step_{step:07d}_epoch_0001.png", sheet)
    (tmp_path / "log.jsonl").touch()
    description = {"format": "dcgan-run", "version": 1, "options": {}, "data": {}}
    (tmp_path / "options.json").write_text(json.dumps(description))
    page = module._run_page(tmp_path, "images")
    steps = [int(step) for step in re.findall(r'data-step="(\d+)"', page)]
    assert len(page) <= module.MAX_IMAGE_BYTES and 1 < len(steps) < module.PAGE_GRIDS
    assert (steps[0], steps[-1]) == (10, 200)


def test_the_gallery_in_the_repository_is_small(benchmark):
    module = benchmark("gallery")
    limits = dict.fromkeys((".gif", ".webp"), module.MAX_ANIMATION_BYTES) | {".md": 10_000}
    files = [path for path in GALLERY.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 7_000_000
    for path in files:
        limit = limits.get(path.suffix, module.MAX_IMAGE_BYTES)
        if path == module._new_images(path.parent):
            limit = 1_600_000  # 16 bits for each weight, and the page around them
        assert path.stat().st_size <= limit, path


def test_every_page_of_the_gallery_shows_all_of_its_files(benchmark):
    module = benchmark("gallery")
    assert {path.name for path in GALLERY.iterdir()} == set(module.ENTRIES)
    for entry in module.ENTRIES:
        page = (GALLERY / entry / "README.md").read_text(encoding="utf-8")
        for name in (module.RUN_PAGE, "walk.webp", f"{entry}.html"):
            assert (GALLERY / entry / name).exists()
        for path in (GALLERY / entry).iterdir():
            assert path.name == "README.md" or f"]({path.name})" in page
