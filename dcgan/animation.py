"""Frames as one file: an MP4 video, or an animated WebP or GIF."""

import io
import itertools
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from dcgan.atomic import write_atomically
from dcgan.errors import ArgumentError, RunError, refuse

FORMATS = (".mp4", ".webp", ".gif")


def check_format(path: str | os.PathLike[str]) -> Path:
    """The path, if frames can be written to a file of its ending.

    Raises:
        ArgumentError: another ending than .mp4, .webp or .gif, or .mp4 where there is no encoder.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        refuse("path", f"a name that ends in {', '.join(FORMATS)}", str(path))
    if path.suffix.lower() == ".mp4" and find_ffmpeg() is None:
        raise ArgumentError(
            "An .mp4 needs an encoder: pip install 'dcgan[video]'. Or write .webp or .gif."
        )
    return path


def save_frames(
    path: str | os.PathLike[str], frames: Iterable[Image.Image], count: int, fps: float
) -> None:
    """Write RGB frames of one size as an animation that repeats.

    Frames are asked for one after the other, so that not all of them are in memory.

    Args:
        path: the file, of an ending that `check_format` takes; missing folders are made.
        frames: at least one.
        count: how many there are.
        fps: frames per second.

    Raises:
        ArgumentError: the ending is another one.
        RunError: the file cannot be written.
    """
    path = check_format(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".mp4":
            save_mp4(find_ffmpeg() or "ffmpeg", frames, path, fps)
        else:
            write_atomically(path, encoded(frames, count, fps, path.suffix))
    except OSError as error:
        raise RunError(f"{str(path)!r} cannot be written: {error}") from error


def encoded(frames: Iterable[Image.Image], count: int, fps: float, ending: str) -> bytes:
    """The content of a .webp or .gif file; see `save_frames`."""
    buffer = io.BytesIO()
    kind = ending.removeprefix(".").lower()
    _Sequence(frames, count).save(buffer, kind, save_all=True, duration=round(1000 / fps), loop=0)
    return buffer.getvalue()


def find_ffmpeg() -> str | None:
    """The program that encodes videos, of the package imageio-ffmpeg; None without it."""
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):  # not installed, or without a program for this machine
        return None


def save_mp4(ffmpeg: str, frames: Iterable[Image.Image], path: Path, fps: float) -> None:
    """Write RGB frames of one size as an MP4 file with the program `ffmpeg`, whole or not at all.

    Raises:
        OSError: it could not be written; the message is what `ffmpeg` says.
    """
    frames = iter(frames)
    first = next(frames)
    width, height = (side // 2 * 2 for side in first.size)  # its color planes are halved
    partial = path.with_name(f".{path.name}.partial.mp4")
    command = [ffmpeg, "-loglevel", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb24"]
    command += ["-video_size", f"{width}x{height}", "-framerate", str(fps), "-i", "-"]
    command += ["-threads", "1", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(partial)]
    box = (0, 0, width, height)
    pixels = (frame.crop(box).tobytes() for frame in itertools.chain([first], frames))
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            said = _feed(process, pixels)
        if process.returncode:
            raise OSError(f"{ffmpeg} says: {' '.join(said.split())[-200:]}")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _feed(process: subprocess.Popen, pieces: Iterable[bytes]) -> str:
    """Give a process its input, and return what it has written to stderr."""
    try:
        for piece in pieces:
            process.stdin.write(piece)  # type: ignore[union-attr]
    except BrokenPipeError:  # it has ended, and says why
        pass
    except BaseException:
        process.kill()
        raise
    return process.communicate()[1].decode(errors="replace")


class _Sequence(Image.Image):
    """Frames as the one image with many frames that Pillow's writers ask for the next one."""

    def __init__(self, frames: Iterable[Image.Image], count: int):
        super().__init__()
        self.n_frames = count
        self._frames, self._position = iter(frames), -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        while self._position < frame:
            shown = next(self._frames)
            self.im, self._mode, self._size = shown.im, shown.mode, shown.size
            self._position += 1
