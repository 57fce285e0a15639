"""How the samples of a run developed: an animation of its grids, and a few of them side by side."""

import io
import logging
import re
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dcgan.animation import check_format, find_ffmpeg, save_frames, save_mp4
from dcgan.atomic import write_atomically
from dcgan.errors import RunError, real, whole
from dcgan.images import GAP, RUN_IMAGE, enlargement, evenly, grid, save_png

MAX_FRAMES = 100
MAX_PIXELS = 400  # of the longer side: it is watched on a page, beside text
MAX_BYTES = 5_000_000  # of animation.gif; frames are left out until it fits
FRAME_MILLISECONDS = 120
FPS = 1000 / FRAME_MILLISECONDS
LAST_MILLISECONDS = 2_000  # the end is looked at longer
MOMENTS = 8  # rows of epochs.png
IMAGES = 8  # columns of epochs.png
IMAGE_PIXELS = 128  # of the longer side of an image there, at most
LABEL_PIXELS, LABEL_FONT = 124, 16  # room for "step 1,234,567", and the size of the letters
NAME = re.compile(r"step_\d+_epoch_\d+\.png")  # of a grid; others in the folder are not ours
NEAREST = Image.Resampling.NEAREST

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
            save_mp4(ffmpeg, frames, run / "animation.mp4", FPS)
    except (OSError, ValueError) as error:  # ValueError: of other sizes than the run's own
        reason = getattr(error, "strerror", None) or error
        logger.warning("No animation was made of %s: %s.", run, reason)


def save_animation(run: Path, path: str | PathLike, scale: int = 1, fps: float = FPS) -> int:
    """Write all sample grids of a run as an animation in full size; the last is held for a while.

    Args:
        run: the run's folder.
        path: the file; its ending is .mp4, .webp or .gif.
        scale: whole factor by which pixels are enlarged.
        fps: grids per second.

    Returns:
        how many grids it shows.

    Raises:
        ArgumentError: an argument is out of its limits, or .mp4 where there is no encoder.
        RunError: the run has no grids, or the file cannot be written.
    """
    path, scale, fps = check_format(path), whole("scale", scale, 1, 64), real("fps", fps, 1, 60)
    previews = find_previews(run / "samples")
    if not previews:
        raise RunError(f"{str(run)!r} has no grids of samples that could be animated.")
    shown = previews + previews[-1:] * round(fps * LAST_MILLISECONDS / 1000)
    size = _on_white(previews[-1]).size  # all have it, but those of an earlier version
    enlarged = (size[0] * scale, size[1] * scale)
    frames = (_on_white(preview).resize(enlarged, NEAREST) for preview in shown)
    save_frames(path, frames, len(shown), fps)
    return len(previews)


def find_previews(folder: str | Path) -> list[Path]:
    """A run's sample grids in the order in which they were made."""
    found = (path for path in Path(folder).glob("step_*.png") if NAME.fullmatch(path.name))
    return sorted(found, key=step_of)


def step_of(preview: Path) -> int:
    """The training step of a grid of samples."""
    return int(preview.stem.split("_")[1])


def read_frames(previews: list[Path]) -> list[Image.Image]:
    """At most `MAX_FRAMES` of the previews, evenly chosen, as RGB images made small enough."""
    last = _on_white(previews[-1])
    last.thumbnail((MAX_PIXELS, MAX_PIXELS), Image.Resampling.LANCZOS)
    return [
        _on_white(previews[number]).resize(last.size, Image.Resampling.LANCZOS)
        for number in evenly(len(previews), MAX_FRAMES)
    ]


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


def moments_grid(previews: list[Path], img_size: tuple[int, int, int]) -> np.ndarray:
    """A row for each of a few moments, the same latents below each other, its step beside it.

    Images change fastest early, so the moments lie closer there.

    Args:
        previews: grids of images of `img_size`, as `images.enlarged_grid` lays them out.
        img_size: (height, width, channels) of one image.

    Returns:
        uint8 (height, width, 3).
    """
    chosen = np.unique(np.geomspace(1, len(previews), MOMENTS).round().astype(int)) - 1
    return np.concatenate([_row(previews[number], img_size[:2]) for number in chosen])


def _row(preview: Path, size: tuple[int, int]) -> np.ndarray:
    """The first images of a grid beside each other, with the step before them."""
    images = _first_images(_on_white(preview), size)
    factor = max(1, IMAGE_PIXELS // max(size))
    shown = Image.fromarray(grid(images.repeat(factor, 1).repeat(factor, 2), len(images)))
    scale = min(1, IMAGE_PIXELS / max(size))
    width, height = (round(side * scale) for side in shown.size)
    row = Image.new("RGB", (LABEL_PIXELS + width, height - GAP), "white")
    row.paste(shown.resize((width, height), Image.Resampling.LANCZOS), (LABEL_PIXELS, 0))
    font = ImageFont.load_default(LABEL_FONT)
    ImageDraw.Draw(row).text(
        (LABEL_PIXELS - 8, row.height // 2),
        f"step {step_of(preview):,}",
        "black",
        font,
        anchor="rm",
    )
    return np.asarray(row)


def _first_images(preview: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The first images of a grid as they were before it enlarged them: uint8 (n, H, W, 3)."""
    factor = enlargement(*size)
    if (preview.width - GAP) % (size[1] * factor + GAP):  # a grid of an earlier version
        factor = 1
    height, width = (side * factor for side in size)
    columns = (preview.width - GAP) // (width + GAP)
    rows = (preview.height - GAP) // (height + GAP)
    pixels = np.asarray(preview)
    images = []
    for number in range(min(IMAGES, rows * columns)):
        top = GAP + number // columns * (height + GAP)
        left = GAP + number % columns * (width + GAP)
        images.append(pixels[top : top + height : factor, left : left + width : factor])
    return np.stack(images)
