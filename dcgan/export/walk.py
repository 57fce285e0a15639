"""A walk through a generator's images, from seed to seed and back, at a constant visible speed."""

import base64
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dcgan.animation import find_ffmpeg, save_mp4
from dcgan.atomic import write_atomically
from dcgan.errors import MAX_SEED, ArgumentError, RunError, real, refuse, whole
from dcgan.images import grid, to_pillow
from dcgan.latents import draw_latents, slerp

FORMATS = (".mp4", ".webp", ".gif")
Seed = int | np.ndarray  # an array is a latent
MAX_FRAMES = 5_000
MAX_CELLS = 100
PROBES = 4  # images per frame between which the visible change is measured


@dataclass(frozen=True)
class Walk:
    """An animation that ends where it begins; displays itself in a notebook.

    Attributes:
        frames: uint8 `(count, H, W, C)`.
        fps: frames per second.
    """

    frames: np.ndarray
    fps: float

    def save(self, path: str | os.PathLike[str], scale: int = 1) -> None:
        """Write the animation; the ending of `path` is .mp4, .webp or .gif.

        Args:
            path: the file; missing folders are made.
            scale: whole factor by which pixels are enlarged.

        Raises:
            ArgumentError: another ending, or .mp4 where there is no encoder.
            RunError: the file cannot be written.
        """
        path, scale = Path(path), whole("scale", scale, 1, 64)
        ending = path.suffix.lower()
        if ending not in FORMATS:
            refuse("path", f"a name that ends in {', '.join(FORMATS)}", str(path))
        ffmpeg = find_ffmpeg() if ending == ".mp4" else None
        if ending == ".mp4" and ffmpeg is None:
            raise ArgumentError(
                "An .mp4 needs an encoder: pip install 'dcgan[video]'. Or write .webp or .gif."
            )
        images = [_shown(frame, scale) for frame in self.frames]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if ffmpeg is not None:
                partial = path.with_name(f".{path.name}.partial.mp4")
                save_mp4(ffmpeg, images, partial, self.fps)
                os.replace(partial, path)
            else:
                write_atomically(path, self._encoded(images, ending))
        except OSError as error:
            raise RunError(f"{str(path)!r} cannot be written: {error}") from error

    def _encoded(self, images: list[Image.Image], ending: str) -> bytes:
        buffer = io.BytesIO()
        images[0].save(
            buffer,
            ending.removeprefix("."),
            save_all=True,
            append_images=images[1:],
            duration=round(1000 / self.fps),
            loop=0,
        )
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        encoded = self._encoded([_shown(frame, 1) for frame in self.frames], ".webp")
        text = base64.b64encode(encoded).decode()
        return f'<img alt="a walk through generated images" src="data:image/webp;base64,{text}">'


def make_walk(
    generate: Callable[..., np.ndarray],
    input_size: int,
    seeds: Sequence[Seed],
    seconds: float = 12.0,
    *,
    fps: float = 24.0,
    rows: int = 1,
    columns: int = 1,
    truncation: float = 1.0,
) -> Walk:
    """Walk along arcs from the latent of each seed to the next, and back to the first.

    Frames are spaced by how much the image changes, not by angle, so that the eye sees a constant
    speed. The same seeds give the same frames, bit for bit on one machine and version.

    Args:
        generate: `generate(latents=..., truncation=...)` gives uint8 images `(n, H, W, C)`.
        input_size: length of a latent.
        seeds: at least two; a latent `(input_size,)` may stand for one.
        seconds: length of the animation.
        fps: frames per second.
        rows, columns: of images that walk side by side; image i of each seed in cell i.
        truncation: as in `DCGAN.generate`.

    Raises:
        ArgumentError: an argument is out of its limits.
    """
    if not isinstance(seeds, Sequence) or len(seeds) < 2:
        refuse("seeds", "at least two whole numbers", seeds)
    cells = whole("rows times columns", rows * columns, 1, MAX_CELLS)
    keys = np.stack([_latents(seed, cells, input_size) for seed in seeds])
    count = round(real("seconds", seconds, 0.1, 600) * real("fps", fps, 1, 60))
    count = whole("seconds times fps", count, 2, MAX_FRAMES)
    walks = [_walk(generate, keys[:, cell], count, truncation) for cell in range(cells)]
    if cells == 1:
        return Walk(walks[0], fps)
    frames = [grid(np.stack(images), columns) for images in zip(*walks, strict=True)]
    return Walk(np.stack(frames), fps)


def _latents(seed: Seed, cells: int, size: int) -> np.ndarray:
    """The latents `(cells, size)` of a seed; one that is given is that of every cell."""
    if not isinstance(seed, np.ndarray):
        return draw_latents(cells, size, whole("seeds", seed, 0, MAX_SEED))
    if seed.shape != (size,) or seed.dtype.kind != "f" or not np.isfinite(seed).all():
        refuse("seeds", f"whole numbers, or latents: finite floats of shape ({size},)", seed)
    return np.broadcast_to(seed.astype(np.float32), (cells, size))


def _walk(generate: Callable, keys: np.ndarray, count: int, truncation: float) -> np.ndarray:
    """`count` images of the loop through `keys` `(k, size)`, at a constant visible speed."""
    places = np.linspace(0, len(keys), PROBES * count + 1)
    images = generate(latents=_on_loop(keys, places), truncation=truncation)
    changes = np.abs(np.diff(images.astype(np.int16), axis=0)).mean((1, 2, 3), dtype=np.float64)
    way = np.concatenate([[0], np.cumsum(changes + 1e-6)])  # rises where nothing changes, too
    wanted = np.arange(count) / count * way[-1]  # the last frame leads back to the first
    latents = _on_loop(keys, np.interp(wanted, way, places))
    return generate(latents=latents, truncation=truncation)


def _on_loop(keys: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Latents at these places of the loop, where key i is at i and the first again at the end."""
    latents = []
    for place in places:
        number = min(int(place), len(keys) - 1)
        latents.append(slerp(keys[number], keys[(number + 1) % len(keys)], place - number))
    return np.stack(latents)


def _shown(frame: np.ndarray, scale: int) -> Image.Image:
    """A frame as an RGB image on white, its pixels enlarged."""
    image = to_pillow(frame)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    size = (image.width * scale, image.height * scale)
    return image.convert("RGB").resize(size, Image.Resampling.NEAREST)
