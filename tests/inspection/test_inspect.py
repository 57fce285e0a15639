"""Inspections: the facts about a folder, and a page that is whole and safe to open."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import DataError
from dcgan.inspection.inspect import inspect
from dcgan.pages.inspected import inspection_page

pytestmark = pytest.mark.once


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
    seen = inspect(seascapes)
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
    seen = inspect(tmp_path)
    assert seen.transparent == 1 and seen.proposal.img_size == (20, 20, 3)


def test_the_text_is_one_page_with_the_facts(seascapes):
    seen = inspect(seascapes, measure=lambda proposal: (120.0, 2**30))
    text = seen.text()
    assert len(text.splitlines()) < 50
    for fact in ("16 usable images, 1 file skipped", "60 x 48 (15)", "DCGAN(img_size=(48, 60, 3)"):
        assert fact in text
    assert "2 min per 1,000 steps" in text and "1,024 MB" in text
    assert "2 min per 1,000 steps" in inspection_page(seen)


def test_nothing_is_measured_unless_asked(seascapes):
    seen = inspect(seascapes, (16, 16, 1))
    assert seen.seconds is None and "Measured" not in seen.text()
    assert seen.images.pixels.shape == (16, 16, 16, 1) and seen.gray == 1


def test_the_page_fetches_nothing_and_escapes_names(seascapes):
    page = inspection_page(inspect(seascapes))
    assert "<script>" not in page and "&lt;script&gt;.jpg" in page
    sources = re.findall(r'(?:src|href)="([^"]{23})', page)
    assert len(sources) >= 3 and set(sources) == {"data:image/webp;base64,"}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_one_image_is_enough_for_a_page(tmp_path, channels):
    Image.new("RGBA", (3, 2), (9, 9, 9, 99)).save(tmp_path / "a.png")
    seen = inspect(tmp_path, (5, 4, channels))
    assert seen.transparent == 1 and "memorized" in inspection_page(seen)


def test_an_array_file_can_be_inspected(tmp_path):
    np.save(tmp_path / "a.npy", draw_seascapes(4, (20, 24, 1)))
    seen = inspect(tmp_path / "a.npy")
    assert seen.proposal.img_size == (20, 24, 1) and seen.gray == 4


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="empty"):
        inspect(tmp_path)


def test_facts_can_be_written_as_json(seascapes):
    """Plain values only: nothing of NumPy's has leaked into what others may store."""
    seen = inspect(seascapes)
    json.dumps([seen.exact, seen.near, seen.gray, seen.transparent, seen.proposal.img_size])
