"""A walk: a loop at constant visible speed, the same for the same seeds."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dcgan import ArgumentError
from dcgan.animation import find_ffmpeg
from dcgan.export import walk as walks
from dcgan.export.walk import CHUNK, Walk, make_walk
from dcgan.latents import draw_latents

pytestmark = pytest.mark.once


def uneven(latents, truncation=1.0):
    """A generator whose images change fast in one place: a steep edge of the first number."""
    values = 255 / (1 + np.exp(-8 * truncation * latents[:, :3]))
    return np.repeat(np.repeat(values[:, None, None, :], 4, 1), 4, 2).astype(np.uint8)


def changes(frames):
    """Mean change from each frame to the next, and from the last to the first."""
    frames = np.stack(frames)
    following = np.roll(frames, -1, axis=0).astype(int)
    return abs(following - frames).mean((1, 2, 3))


def test_frames_are_spaced_by_how_much_the_image_changes():
    even = changes(make_walk(uneven, 8, [1, 2, 3], 4, fps=20).frames)
    angles = walks._on_loop(
        np.concatenate([draw_latents(1, 8, s) for s in (1, 2, 3)]), np.arange(80) / 80 * 3
    )
    by_angle = changes(uneven(angles))
    assert even.max() < 2 * np.median(even)
    assert by_angle.max() > 4 * np.median(by_angle)


def test_the_walk_is_a_closed_loop():
    steps = changes(make_walk(uneven, 8, [1, 2], 4, fps=20).frames)
    assert steps[-1] < 2 * np.median(steps)


def test_it_starts_at_the_image_of_the_first_seed(tiny):
    gan = tiny()
    frames = np.stack(gan.walk([3, 17], 1, fps=8).frames)
    assert frames.shape == (8, 16, 12, 3) and frames.dtype == np.uint8
    assert abs(frames[0].astype(int) - gan.generate(1, seed=3)[0]).max() <= 1  # other batch size


def test_the_same_seeds_give_the_same_frames(tiny):
    gan = tiny()
    first, second = (gan.walk([3, 17], 0.5, fps=8).frames for _ in range(2))
    assert np.array_equal(first, second)


def test_images_walk_side_by_side(tiny):
    frames = np.stack(tiny().walk([3, 17], 0.5, fps=8, rows=2, columns=3).frames)
    assert frames.shape == (4, 2 * 16 + 3 * 2, 3 * 12 + 4 * 2, 3)


def test_few_of_the_images_are_in_memory_at_a_time(tmp_path):
    largest = []

    def generate(latents, truncation):
        largest.append(len(latents))
        return uneven(latents)

    walk = make_walk(generate, 8, [1, 2], 25, fps=20, rows=2, columns=2)
    walk.save(tmp_path / "a.webp")
    assert len(walk.frames) == 500 and max(largest) <= CHUNK + 1
    assert np.array_equal(walk.frames[-1], walk.frames[499])


@pytest.mark.parametrize("ending", ["webp", "gif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_animations_are_written_and_enlarged(ending, channels, tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (6, 4, 5, channels)).astype(np.uint8)
    Walk(frames, 10).save(tmp_path / "deep" / f"a.{ending}", scale=3)
    with Image.open(tmp_path / "deep" / f"a.{ending}") as image:
        assert image.size == (15, 12) and image.n_frames == 6
        assert image.info["loop"] == 0


@pytest.mark.skipif(find_ffmpeg() is None, reason="needs an encoder")
def test_a_video_is_written(tmp_path):
    frames = np.zeros((6, 15, 17, 3), np.uint8)
    Walk(frames, 10).save(tmp_path / "a.mp4", scale=2)
    assert (tmp_path / "a.mp4").read_bytes()[4:8] == b"ftyp"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("seeds", "options", "named"),
    [
        ([3], {}, "seeds"),
        ([3, -1], {}, "seeds"),
        ([3, 4], {"seconds": 0}, "seconds"),
        ([3, 4], {"fps": 1000}, "fps"),
        ([3, 4], {"rows": 0}, "rows"),
        ([3, 4], {"rows": -2, "columns": -3}, "rows"),
    ],
)
def test_what_cannot_be_walked_is_refused_by_name(tiny, seeds, options, named):
    with pytest.raises(ArgumentError, match=named):
        tiny().walk(seeds, **options)


def test_a_notebook_shows_it_large_enough_to_see():
    frames = np.stack([np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)])
    shown = Walk(frames, 10)._repr_html_().split("base64,")[1].split('"')[0]
    with Image.open(io.BytesIO(base64.b64decode(shown))) as image:
        assert image.size == (128, 128) and image.n_frames == 2
