"""The animation: every moment in order, small enough, and nothing else."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from dcgan.animation import find_ffmpeg
from dcgan.errors import ArgumentError, RunError
from dcgan.images import enlarged_grid, grid, save_png
from dcgan.pages import development

pytestmark = pytest.mark.once


@pytest.fixture
def previews(tmp_path):
    """A function that writes `count` previews of six images, each brighter than the last."""

    def make(count, img_size=(6, 4, 3), lay_out=grid, in_run=False):
        folder = tmp_path / "samples" if in_run else tmp_path
        folder.mkdir(exist_ok=True)
        for number in range(count):
            images = np.full((6, *img_size), 250 * number // count, np.uint8)
            images[:, 0, 0] = np.arange(6)[:, None]  # tells the images apart
            step = 500 * (number + 1)
            name = f"step_{step:07d}_epoch_{number // 2 + 1:04d}.png"
            save_png(folder / name, lay_out(images))
        return tmp_path if in_run else development.find_previews(tmp_path)

    return make


def frames_of(gif):
    with Image.open(io.BytesIO(gif)) as image:
        return [
            (np.asarray(image.convert("RGB")), image.info["duration"])
            for number in range(image.n_frames)
            if image.seek(number) is None
        ]


def test_previews_are_found_in_the_order_of_their_steps(tmp_path):
    names = [
        "step_9999500_epoch_0009.png",
        "step_10000000_epoch_10000.png",
        "step_0000500_epoch_0001.png",
    ]
    of_users = ["notes.txt", "step_final.png", "step_12b_epoch_3.png", "step_1_epoch_1_crop.png"]
    for name in [*names, *of_users]:
        (tmp_path / name).touch()
    assert [preview.name for preview in development.find_previews(tmp_path)] == [
        names[2],
        names[0],
        names[1],
    ]


def test_the_animation_shows_each_preview_in_order_and_holds_the_last(previews):
    found = previews(5)
    frames = frames_of(development.gif_bytes(development.read_frames(found)))
    means = [pixels.mean() for pixels, _ in frames]
    assert len(frames) == 5
    assert means == sorted(means)
    assert [duration for _, duration in frames] == [120, 120, 120, 120, 2000]


def test_the_animation_is_bounded_in_frames_pixels_and_bytes(previews, monkeypatch):
    monkeypatch.setattr(development, "MAX_FRAMES", 8)
    monkeypatch.setattr(development, "MAX_PIXELS", 10)
    found = previews(30)
    frames = development.read_frames(found)
    assert len(frames) == 8
    assert max(frames[0].size) == 10
    with Image.open(found[-1]) as last:
        assert np.asarray(frames[-1]).mean() == pytest.approx(np.asarray(last).mean(), abs=5)
    whole = development.gif_bytes(frames)
    monkeypatch.setattr(development, "MAX_BYTES", len(whole) - 1)
    fewer = frames_of(development.gif_bytes(frames))
    assert len(fewer) == 4
    assert (fewer[-1][0] == frames_of(whole)[-1][0]).all()


@pytest.mark.parametrize("lay_out", [grid, enlarged_grid])  # as before, and as today
def test_moments_are_rows_of_the_same_images_first_and_last_among_them(previews, lay_out):
    found = previews(40, lay_out=lay_out)
    preview = development.moments_grid(found, (6, 4, 3))
    side, row_height = 128 // 6, 128 // 6 * 6 + 2
    assert preview.shape == (8 * row_height, development.LABEL_PIXELS + 6 * (4 * side + 2) + 2, 3)
    first = preview[2::row_height, development.LABEL_PIXELS + 2 :: 4 * side + 2, 0]
    assert (first[:, :6] == np.arange(6)).all()
    brightness = preview[row_height // 2 :: row_height, development.LABEL_PIXELS + 2 * side, 0]
    assert brightness[0] == 0 and brightness[-1] == 250 * 39 // 40
    assert (np.diff(brightness.astype(int)) > 0).all()
    assert preview[:, : development.LABEL_PIXELS].min() < 128  # something is written there


def test_large_images_are_small_among_the_moments(previews):
    preview = development.moments_grid(previews(1, (256, 192, 3)), (256, 192, 3))
    assert preview.shape == (260 // 2 - 2, development.LABEL_PIXELS + (6 * 194 + 2) // 2, 3)


@pytest.mark.parametrize("channels", [1, 4])
def test_gray_and_transparent_previews_are_shown_on_white(previews, channels):
    found = previews(1, (6, 4, channels))
    frames = development.read_frames(found)
    assert frames[0].mode == "RGB"
    assert frames[0].getpixel((0, 0)) == (255, 255, 255)
    assert development.moments_grid(found, (6, 4, channels)).shape[2] == 3


def test_training_leaves_an_animation_and_moments(tiny, images, monkeypatch, animated):
    monkeypatch.setattr(development, "find_ffmpeg", lambda: None)
    gan = tiny(save_path="run", sample_steps=2, optimizer=0.05)  # no two frames are alike
    gan.fit(images, epochs=2, verbose=0)
    with Image.open("run/animation.gif") as image:
        assert image.n_frames == 3
    with Image.open("run/epochs.png") as image:
        assert image.height == 3 * (128 + 2)
    assert not os.path.exists("run/animation.mp4")


@pytest.mark.parametrize("ending", [".webp", ".gif", ".mp4"])
def test_a_run_is_animated_in_full_size_and_enlarged(previews, tmp_path, ending):
    if ending == ".mp4" and find_ffmpeg() is None:
        pytest.skip("needs an encoder")
    run = previews(3, in_run=True)
    out = tmp_path / "deep" / f"a{ending}"
    assert development.save_animation(run, out, scale=2, fps=4) == 3
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    if ending == ".mp4":
        assert out.read_bytes()[4:8] == b"ftyp"
        return
    with Image.open(out) as image:
        with Image.open(development.find_previews(run / "samples")[0]) as grid_of_samples:
            assert image.size == tuple(2 * side for side in grid_of_samples.size)
        assert image.n_frames >= 3
    if ending == ".gif":
        lengths = [duration for _, duration in frames_of(out.read_bytes())]
        assert lengths == [250, 250, 250 + 2000]  # the last is held


def test_a_run_without_grids_and_another_ending_are_refused(tmp_path):
    with pytest.raises(RunError, match="no grids"):
        development.save_animation(tmp_path, tmp_path / "a.webp")
    with pytest.raises(ArgumentError, match=".mp4, .webp, .gif"):
        development.save_animation(tmp_path, tmp_path / "a.avi")


def test_a_damaged_preview_costs_the_animation_and_not_the_training(tmp_path, caplog):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "step_0000500_epoch_0001.png").write_bytes(b"not an image")
    development.write_animation(tmp_path, (6, 4, 3))
    assert "No animation was made" in caplog.text
    assert not (tmp_path / "animation.gif").exists()


def test_a_grid_of_another_size_costs_the_animation_and_not_the_training(previews, caplog):
    run = previews(2, in_run=True)
    Image.new("RGB", (3, 3)).save(run / "samples" / "step_0000700_epoch_0001.png")
    development.write_animation(run, (6, 4, 3))
    assert "No animation was made" in caplog.text


def test_an_animation_is_never_a_training_image(tmp_path):
    from dcgan.data.image_set import open_images

    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    (tmp_path / "animation.gif").write_bytes(development.gif_bytes(frames))
    frames[0].save(tmp_path / "mine.gif")
    opened = open_images(tmp_path, (16, 16, 3), verbose=0)
    assert opened.names == ["mine.gif"]
    assert [name for name, _ in opened.skipped] == ["animation.gif"]
