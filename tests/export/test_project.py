"""Projection: the latent of an image is found again, and of any image the nearest."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dcgan import ArgumentError, DataError
from dcgan.cli import main
from dcgan.export import project
from dcgan.images import save_png
from dcgan.latents import draw_latents, read_latent

QUICK = {"starts": 4, "steps": 80}


@pytest.fixture(autouse=True)
def few_tried(monkeypatch):
    """Fewer random latents, so that the search has more to do."""
    monkeypatch.setattr(project, "TRIED", 16)


@pytest.fixture
def gan(tiny):
    """A model whose images differ: an untrained generator's hardly do."""
    gan, random = tiny(), np.random.default_rng(0)
    for weight in gan.generator.weights:
        if weight.name == "kernel":
            weight.assign(random.normal(0, 0.3, weight.shape))
    return gan


def test_an_image_of_the_generator_is_found(gan):
    made = gan.generate(1, seed=99)[0]
    found = gan.project(made, **QUICK)
    assert found.error < found.random_errors.min() / 4
    again = gan.generate(latents=found.latent[None])[0]
    assert abs(again.astype(int) - found.image).max() <= 1  # another batch size
    assert np.array_equal(found.target, made)
    difference = found.image.astype(float) - made
    assert np.sqrt(np.mean(difference**2)) == pytest.approx(found.error, abs=0.3)  # rounding


def test_the_error_of_random_images_is_theirs(gan):
    made = gan.generate(1, seed=99)[0]
    found = gan.project(made, starts=1, steps=1)
    difference = gan.generate(16).astype(float) - made
    errors = np.sqrt(np.mean(difference**2, axis=(1, 2, 3)))
    np.testing.assert_allclose(found.random_errors, errors, atol=0.3)
    shown = abs(gan.generate(16).astype(int) - found.nearest).max((1, 2, 3))
    assert shown.min() <= 1


def test_without_a_discriminator_pixels_decide(gan, tmp_path):
    gan.save(tmp_path / "small.dcgan", generator_only=True)
    small = type(gan).load(tmp_path / "small.dcgan")
    made = gan.generate(1, seed=99)[0]
    found = small.project(made, **QUICK)
    assert found.error < found.random_errors.min() / 4


@pytest.mark.once
def test_a_model_that_is_broken_is_refused(tiny, images):
    broken = tiny()
    broken.generator.set_weights([np.nan * weight for weight in broken.generator.get_weights()])
    with pytest.raises(ArgumentError, match="not finite"):
        broken.project(images[0], **QUICK)


@pytest.mark.once
def test_the_same_call_finds_the_same_latent_no_longer_than_random_ones(gan, images):
    first, second = (gan.project(images[0], starts=2, steps=5) for _ in range(2))
    assert np.array_equal(first.latent, second.latent)
    assert first.latent.dtype == np.float32 and first.latent.shape == (8,)
    assert np.linalg.norm(first.latent) <= np.sqrt(8) * 1.001 or np.array_equal(
        first.latent, draw_latents(16, 8)[0]
    )


@pytest.mark.once
@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_every_number_of_channels(tiny, channels):
    gan = tiny(img_size=(16, 12, channels))
    found = gan.project(np.zeros((30, 30), np.uint8), starts=1, steps=1)
    assert found.image.shape == found.target.shape == (16, 12, channels)
    factor = 8  # whole, so that the longer side has 128 pixels
    assert found.comparison().size == (3 * 12 * factor + 4 * 2, 16 * factor + 2 * 2)
    assert found._repr_png_()[:4] == b"\x89PNG"


@pytest.mark.once
def test_the_verb_writes_what_walk_takes(gan, images, capsys):
    gan.save("a.dcgan")
    save_png("photo.png", images[0])
    assert main(["project", "a.dcgan", "photo.png", "--starts", "1", "--steps", "2"]) == 0
    printed = capsys.readouterr().out
    assert "of 255 levels; random images:" in printed
    latent = read_latent("photo-projected.npy")
    words = printed.splitlines()[-1].split(": dcgan ")[1].split()
    assert main([*words, "--seconds", "0.5", "--fps", "6"]) == 0
    frames = gan.walk([latent, 3], 0.5, fps=6).frames
    assert abs(frames[0].astype(int) - gan.generate(latents=latent[None])[0]).max() <= 1


@pytest.mark.once
def test_the_verb_lets_no_framework_speak(gan):
    gan.save("a.dcgan")
    words = [sys.executable, "-m", "dcgan", "project", "a.dcgan", "missing.jpg"]
    environment = {name: value for name, value in os.environ.items() if name[:3] != "TF_"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    ended = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == "dcgan: There is no image 'missing.jpg'.\n"


@pytest.mark.once
def test_what_is_no_image_or_no_latent_is_refused_by_name(gan, tmp_path):
    (tmp_path / "text.jpg").write_text("no image")
    with pytest.raises(DataError, match=r"text\.jpg.*cannot be used"):
        gan.project(tmp_path / "text.jpg")
    for options in ({"starts": 0}, {"steps": 0}, {"seed": -1}):
        with pytest.raises(ArgumentError, match=next(iter(options))):
            gan.project(np.zeros((16, 12, 3), np.uint8), **options)
    with pytest.raises(ArgumentError, match=r"text\.jpg.*no latent"):
        read_latent(tmp_path / "text.jpg")
    for latent in (np.zeros(7, np.float32), np.full(8, np.nan, np.float32), np.array(["a"] * 8)):
        with pytest.raises(ArgumentError, match="seeds"):
            gan.walk([3, latent])
