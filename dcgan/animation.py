"""The animation of a run's sample grids, and a few of them side by side."""

import io
import logging
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dcgan.atomic import write_atomically
from dcgan.images import GAP, RUN_IMAGE, save_png

MAX_FRAMES = 100
MAX_PIXELS = 400  # of the longer side: it is watched on a page, beside text
MAX_BYTES = 5_000_000  # of animation.gif; frames are left out until it fits
FRAME_MILLISECONDS = 120
LAST_MILLISECONDS = 2_000  # the end is looked at longer
MOMENTS = 8  # rows of epochs.png
IMAGES = 8  # columns of epochs.png
IMAGE_PIXELS = 100  # of the longer side of an image there
LABEL_PIXELS = 78  # room for "step 1234567" in Pillow's own font

logger = logging.getLogger("dcgan")


def write_animation(run: Path, img_size: tuple[int, int, int]) -> None:
    """Write `animation.gif` and `epochs.png` into a run's folder, and an MP4 where ffmpeg is.

    They are by-products: where one cannot be written this is said, and the training is a success.

    Args:
        run: the run's folder, with sample grids below `samples`. Without any, nothing is written.
        img_size: (height, width, channels) of one image.
    """
    previews = find_previews(run / "samples")
    if not previews:
        return
    try:
        frames = read_frames(previews)
        write_atomically(run / "animation.gif", gif_bytes(frames))
        save_png(run / "epochs.png", moments_grid(previews, img_size), RUN_IMAGE)
        if ffmpeg := find_ffmpeg():
            save_mp4(ffmpeg, frames, run / "animation.mp4", 1000 / FRAME_MILLISECONDS)
    except OSError as error:
        logger.warning("No animation was made of %s: %s.", run, error.strerror or error)


def find_previews(folder: str | Path) -> list[Path]:
    """A run's sample grids in the order in which they were made."""
    return sorted(Path(folder).glob("step_*.png"), key=_step)


def _step(preview: Path) -> int:
    return int(preview.stem.split("_")[1])


def read_frames(previews: list[Path]) -> list[Image.Image]:
    """At most `MAX_FRAMES` of the previews, evenly chosen, as RGB images made small enough."""
    chosen = np.unique(
        np.linspace(0, len(previews) - 1, min(MAX_FRAMES, len(previews))).astype(int)
    )
    frames = []
    for number in chosen:
        frame = _on_white(previews[number])
        frame.thumbnail((MAX_PIXELS, MAX_PIXELS), Image.Resampling.LANCZOS)
        frames.append(frame)
    return frames


def _on_white(preview: Path) -> Image.Image:
    with Image.open(preview) as image:
        if image.mode != "RGBA":
            return image.convert("RGB")
        image.load()
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def gif_bytes(frames: list[Image.Image]) -> bytes:
    """A GIF file of the frames that repeats; every other one is left out until it fits."""
    # Octree takes a hundredth of the time of Pillow's default, which asks a minute for 100 frames
    frames = [frame.quantize(256, method=Image.Quantize.FASTOCTREE) for frame in frames]
    while True:
        durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
        buffer = io.BytesIO()
        frames[0].save(
            buffer,
            "gif",
            save_all=True,
            append_images=frames[1:],
            duration=durations,
            loop=0,
            comment=RUN_IMAGE["Software"],  # never to be taken for an image to train on
        )
        if buffer.tell() <= MAX_BYTES or len(frames) < 3:
            return buffer.getvalue()
        frames = frames[::-2][::-1]  # from the back: the last one stays


def find_ffmpeg() -> str | None:
    """The program that encodes videos: that of the package imageio-ffmpeg, or the system's."""
    try:
        import imageio_ffmpeg
    except ImportError:
        return shutil.which("ffmpeg")
    return imageio_ffmpeg.get_ffmpeg_exe()


def save_mp4(ffmpeg: str, frames: Iterable[Image.Image], path: Path, fps: float) -> None:
    """Write RGB frames of one size as an MP4 file with the program `ffmpeg`.

    Raises:
        OSError: it could not be written; the message is what `ffmpeg` says.
    """
    first, *rest = frames
    width, height = (side // 2 * 2 for side in first.size)  # its color planes are halved
    command = [ffmpeg, "-loglevel", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb24"]
    command += ["-video_size", f"{width}x{height}", "-framerate", str(fps), "-i", "-"]
    command += ["-threads", "1", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path)]
    pixels = b"".join(frame.crop((0, 0, width, height)).tobytes() for frame in [first, *rest])
    done = subprocess.run(command, input=pixels, capture_output=True, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.decode(errors="replace").split())[-200:]
        raise OSError(f"{ffmpeg} says: {reason}")


def moments_grid(previews: list[Path], img_size: tuple[int, int, int]) -> np.ndarray:
    """A row for each of a few moments, the same latents below each other, its step beside it.

    Images change fastest early, so the moments lie closer there.

    Args:
        previews: grids of images of `img_size`, as `images.grid` lays them out.
        img_size: (height, width, channels) of one image.

    Returns:
        uint8 (height, width, 3).
    """
    chosen = np.unique(np.geomspace(1, len(previews), MOMENTS).round().astype(int)) - 1
    return np.concatenate([_row(previews[number], img_size[:2]) for number in chosen])


def _row(preview: Path, size: tuple[int, int]) -> np.ndarray:
    """The first images of a grid beside each other, made small, with the step before them."""
    images = Image.fromarray(_first_images(_on_white(preview), size))
    scale = min(1, IMAGE_PIXELS / max(size))
    width, height = (round(side * scale) for side in images.size)
    row = Image.new("RGB", (LABEL_PIXELS + width, height), "white")
    row.paste(images.resize((width, height), Image.Resampling.LANCZOS), (LABEL_PIXELS, 0))
    ImageDraw.Draw(row).text((4, height // 2), f"step {_step(preview)}", "black", anchor="lm")
    return np.asarray(row)


def _first_images(preview: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The first images of a grid in one row."""
    height, width = size
    columns = (preview.width - GAP) // (width + GAP)
    rows = (preview.height - GAP) // (height + GAP)
    pixels = np.asarray(preview)
    images = []
    for number in range(min(IMAGES, rows * columns)):
        top = number // columns * (height + GAP)
        left = number % columns * (width + GAP)
        images.append(pixels[top : top + height + GAP, left : left + width + GAP])
    return np.concatenate(images, axis=1)
