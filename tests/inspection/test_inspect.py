"""Does an inspection say what is in the folder, and is its page whole and safe to open?"""

import argparse
import inspect
import json
import re

import numpy as np
import pytest
from PIL import Image

from dcgan import DCGAN
from dcgan.cli import cache as cache_verb
from dcgan.cli import inspect as inspect_verb
from dcgan.data.decode import Original
from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import DataError
from dcgan.inspection.advice import expectation, propose, propose_size
from dcgan.inspection.duplicates import exact_duplicates, near_duplicates
from dcgan.inspection.inspect import inspect_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Each test has an empty cache, and never sees the user's."""
    monkeypatch.setenv("DCGAN_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def seascapes(tmp_path):
    """Twelve drawn images of 60 x 48, one of them saved small, one equal and one nearly so."""
    folder = tmp_path / "sea"
    folder.mkdir()
    images = [Image.fromarray(image) for image in draw_seascapes(12, (48, 60, 3))]
    for number, image in enumerate(images):
        image.save(folder / f"{number:02}.png")
    images[2].resize((40, 32)).save(folder / "02 small.png")
    images[3].save(folder / "03 again.bmp")
    images[4].save(folder / "04 lossy.jpg", quality=70)
    images[5].convert("L").save(folder / "05 gray.png")
    (folder / "<script>.jpg").write_text("no image")
    return folder


def test_usable_skipped_sizes_gray_and_duplicates_are_found(seascapes):
    seen = inspect_folder(seascapes)
    assert (len(seen.images), len(seen.images.skipped), seen.gray) == (16, 1, 1)
    assert seen.sizes == {(60, 48): 15, (40, 32): 1}
    assert seen.odd == ["02 small.png"]
    assert seen.exact == [["03 again.bmp", "03.png"]]
    found = {frozenset(pair) for pair in seen.near}
    assert {frozenset(("04 lossy.jpg", "04.png")), frozenset(("02 small.png", "02.png"))} <= found
    assert seen.proposal.img_size == (48, 60, 3)


def test_an_alpha_channel_that_says_nothing_is_no_transparency(tmp_path):
    for number, alpha in enumerate((255, 255, 254)):
        Image.new("RGBA", (20, 20), (9, 9, 9, alpha)).save(tmp_path / f"{number}.png")
    seen = inspect_folder(tmp_path)
    assert seen.transparent == 1 and seen.proposal.img_size == (20, 20, 3)


def test_the_text_is_one_page_with_the_facts(seascapes):
    seen = inspect_folder(seascapes, measure=lambda proposal: (120.0, 2**30))
    text = seen.text()
    assert len(text.splitlines()) < 50
    for fact in ("16 usable images, 1 file skipped", "60 x 48 (15)", "--img-size 48 60 3"):
        assert fact in text
    assert "2 min per 1,000 steps" in text and "1,024 MB" in text
    assert "2 min per 1,000 steps" in seen.html()


def test_nothing_is_measured_unless_asked(seascapes):
    seen = inspect_folder(seascapes, (16, 16, 1))
    assert seen.seconds is None and "Measured" not in seen.text()
    assert seen.images.pixels.shape == (16, 16, 16, 1) and seen.gray == 1


def test_the_page_fetches_nothing_and_escapes_names(seascapes):
    page = inspect_folder(seascapes).html()
    assert "<script>" not in page and "&lt;script&gt;.jpg" in page
    sources = re.findall(r'(?:src|href)="([^"]{22})', page)
    assert len(sources) >= 3 and set(sources) == {"data:image/png;base64,"}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_one_image_is_enough_for_a_page(tmp_path, channels):
    Image.new("RGBA", (3, 2), (9, 9, 9, 99)).save(tmp_path / "a.png")
    seen = inspect_folder(tmp_path, (5, 4, channels))
    assert seen.transparent == 1 and "by heart" in seen.html()


def test_an_array_file_can_be_inspected(tmp_path):
    np.save(tmp_path / "a.npy", draw_seascapes(4, (20, 24, 1)))
    seen = inspect_folder(tmp_path / "a.npy")
    assert seen.proposal.img_size == (20, 24, 1) and seen.gray == 4


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="empty"):
        inspect_folder(tmp_path)


def test_duplicates_of_flat_and_of_noisy_images_are_told_apart():
    random = np.random.default_rng(0)
    noisy = random.integers(0, 256, (6, 32, 32, 3), np.uint8)
    flat = np.zeros((3, 32, 32, 3), np.uint8) + np.array([0, 1, 80], np.uint8)[:, None, None, None]
    pixels = np.concatenate([noisy, flat, noisy[:1]])
    assert exact_duplicates(pixels) == [[0, 9]]
    assert near_duplicates(pixels) == [(6, 7)]  # black and nearly black


def shown(width, height, mode="RGB", transparent=False):
    return Original(width, height, mode, transparent)


@pytest.mark.parametrize(
    "originals, size",
    [
        ([shown(150, 150)] * 9 + [shown(150, 113)], (150, 150, 3)),
        ([shown(28, 28, "L")], (28, 28, 1)),
        ([shown(4000, 3000)] * 3, (112, 150, 3)),
        ([shown(64, 64, "RGBA", True)], (64, 64, 4)),
        ([shown(209, 200)], (150, 150, 3)),
        ([shown(1, 3000)], (150, 10, 3)),
    ],
)
def test_the_proposed_size_fits_most_images(originals, size):
    assert propose_size(originals) == size


@pytest.mark.parametrize("side, depth", [(1, 1), (10, 1), (28, 2), (64, 3), (150, 4), (256, 5)])
def test_the_proposed_depth_halves_down_to_a_small_map(side, depth):
    assert propose(1000, (side, side, 3)).depth == depth


def test_the_proposed_batch_is_the_models_default_but_half_of_it_for_deep_networks():
    default = inspect.signature(DCGAN).parameters["batch_size"].default
    for side, batch_size in ((64, default), (150, default), (180, default // 2)):
        assert propose(1000, (side, side, 3)).batch_size == batch_size


def test_what_to_expect_differs_from_one_image_to_a_million():
    assert len({expectation(10**power) for power in range(7)}) >= 6


def run_verb(verb, *words):
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    return verb.run(parser.parse_args(words))


def test_the_verb_prints_the_page_and_writes_the_other(seascapes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(inspect_verb, "_measure", lambda proposal: (10.0, 2**20))
    out = tmp_path / "page.html"
    assert (
        run_verb(inspect_verb, str(seascapes), "--img-size", "8", "8", "3", "--out", str(out)) == 0
    )
    assert "16 usable" in capsys.readouterr().out and out.read_text().startswith("<!doctype html>")


def test_the_cache_verb_lists_and_clears(seascapes, capsys):
    inspect_folder(seascapes, (8, 8, 3))
    assert run_verb(cache_verb) == 0
    assert "16 images" in capsys.readouterr().out
    assert run_verb(cache_verb, "--clear") == 0
    run_verb(cache_verb)
    assert "images  " not in capsys.readouterr().out


def test_facts_can_be_written_as_json(seascapes):
    """Plain values only: nothing of NumPy's has leaked into what others may store."""
    seen = inspect_folder(seascapes)
    json.dumps([seen.exact, seen.near, seen.gray, seen.transparent, seen.proposal.img_size])
