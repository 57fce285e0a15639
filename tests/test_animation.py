"""Frames as files: each of them, in order, a few at a time."""

import io
import os
import stat
import sys

import numpy as np
import pytest
from PIL import Image

from dcgan import ArgumentError, animation
from dcgan.animation import encoded, save_frames, save_mp4

pytestmark = pytest.mark.once


def levels(count):
    """`count` frames, each brighter than the last."""
    for level in range(count):
        yield Image.fromarray(np.full((6, 9, 3), 250 * level // count, np.uint8))


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_every_frame_is_there_in_order_and_the_animation_repeats(ending):
    with Image.open(io.BytesIO(encoded(levels(5), 5, 10, ending))) as image:
        shown = []
        for number in range(image.n_frames):
            image.seek(number)
            shown.append(np.asarray(image.convert("L")).mean())
        assert image.info["loop"] == 0 and image.info["duration"] == 100
    assert shown == pytest.approx([0, 50, 100, 150, 200], abs=3)


def test_frames_are_asked_for_one_by_one():
    taken = []
    sequence = animation._Sequence((taken.append(0) or frame for frame in levels(9)), 9)
    for number in range(9):
        sequence.seek(number)
        assert len(taken) == number + 1


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for ffmpeg is a shell script")
def test_ffmpeg_gets_every_frame_and_its_failure_is_raised(tmp_path):
    program = tmp_path / "ffmpeg"
    program.write_text('#!/bin/sh\nfor last; do :; done\ncat > "$last"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    save_mp4(str(program), levels(3), tmp_path / "a.mp4", 8)
    assert (tmp_path / "a.mp4").stat().st_size == 3 * 6 * 8 * 3  # an even width
    program.write_text("#!/bin/sh\necho no such codec >&2\nexit 1\n")
    with pytest.raises(OSError, match="no such codec"):
        save_mp4(str(program), levels(3), tmp_path / "b.mp4", 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "ffmpeg"]


def test_an_mp4_without_an_encoder_names_the_extra_and_the_other_formats(monkeypatch, tmp_path):
    monkeypatch.setattr(animation, "find_ffmpeg", lambda: None)
    with pytest.raises(ArgumentError, match=r"pip install 'dcgan\[video\]'.*\.webp"):
        save_frames(tmp_path / "a.mp4", levels(2), 2, 8)


def test_the_encoder_is_that_of_the_extra_alone(monkeypatch, tmp_path):
    program = tmp_path / "ffmpeg"
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert animation.find_ffmpeg() is None
