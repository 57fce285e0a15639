"""A walk through a generator's images, from seed to seed and back, at a constant visible speed."""

import base64
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from dcgan.animation import encoded, save_frames
from dcgan.errors import MAX_SEED, real, refuse, whole
from dcgan.images import enlargement, grid, to_pillow
from dcgan.latents import draw_latents, slerp

Seed = int | np.ndarray  # an array is a latent
MAX_FRAMES = 5_000
MAX_CELLS = 100
PROBES = 4  # images per frame between which the visible change is measured
CHUNK = 64  # images generated at a time


@dataclass(frozen=True)
class Walk:
    """An animation that ends where it begins; displays itself in a notebook.

    Attributes:
        frames: uint8 images `(H, W, C)`, a sequence that generates them when they are asked for.
        fps: frames per second.
    """

    frames: Sequence[np.ndarray]
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
        scale = whole("scale", scale, 1, 64)
        save_frames(path, self._shown(scale), len(self.frames), self.fps)

    def _shown(self, scale: int) -> Iterator[Image.Image]:
        return (_shown(frame, scale) for frame in self.frames)

    def _repr_html_(self) -> str:
        scale = enlargement(*self.frames[0].shape[:2])
        file = encoded(self._shown(scale), len(self.frames), self.fps, ".webp")
        text = base64.b64encode(file).decode()
        return f'<img alt="a walk through generated images" src="data:image/webp;base64,{text}">'


class _Frames(Sequence):
    """The frames of a walk; a few of them are in memory at a time.

    Args:
        generate: latents `(n, size)` to uint8 images `(n, H, W, C)`.
        latents: float32 `(count, cells, size)`.
        columns: of the images side by side in a frame.
    """

    def __init__(self, generate: Callable, latents: np.ndarray, columns: int):
        self.generate, self.latents, self.columns = generate, latents, columns
        self._every = max(1, CHUNK // latents.shape[1])
        self._first, self._images = -1, np.empty(0)

    def __len__(self) -> int:
        return len(self.latents)

    def __getitem__(self, number):
        if isinstance(number, slice):
            return [self[index] for index in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        number %= len(self)
        first = number - number % self._every
        if first != self._first:  # the same frames are always generated together
            latents = self.latents[first : first + self._every]
            images = self.generate(latents.reshape(-1, latents.shape[2]))
            self._first, self._images = first, images.reshape(*latents.shape[:2], *images.shape[1:])
        images = self._images[number - first]
        return images[0] if len(images) == 1 else grid(images, self.columns)


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
    rows, columns = whole("rows", rows, 1, MAX_CELLS), whole("columns", columns, 1, MAX_CELLS)
    cells = whole("rows times columns", rows * columns, 1, MAX_CELLS)
    keys = np.stack([_latents(seed, cells, input_size) for seed in seeds])
    count = round(real("seconds", seconds, 0.1, 600) * real("fps", fps, 1, 60))
    count = whole("seconds times fps", count, 2, MAX_FRAMES)

    def images_of(latents: np.ndarray) -> np.ndarray:
        return generate(latents=latents, truncation=truncation)

    paths = [_at_constant_speed(images_of, keys[:, cell], count) for cell in range(cells)]
    return Walk(_Frames(images_of, np.stack(paths, 1), columns), fps)


def _latents(seed: Seed, cells: int, size: int) -> np.ndarray:
    """The latents `(cells, size)` of a seed; one that is given is that of every cell."""
    if not isinstance(seed, np.ndarray):
        return draw_latents(cells, size, whole("seeds", seed, 0, MAX_SEED))
    if seed.shape != (size,) or seed.dtype.kind != "f" or not np.isfinite(seed).all():
        refuse("seeds", f"whole numbers, or latents: finite floats of shape ({size},)", seed)
    return np.broadcast_to(seed.astype(np.float32), (cells, size))


def _at_constant_speed(images_of: Callable, keys: np.ndarray, count: int) -> np.ndarray:
    """`count` latents of the loop through `keys` `(k, size)`, whose images change evenly."""
    places = np.linspace(0, len(keys), PROBES * count + 1)
    way = [0.0]
    for first in range(0, len(places) - 1, CHUNK):
        images = images_of(_on_loop(keys, places[first : first + CHUNK + 1])).astype(np.int16)
        changes = np.abs(np.diff(images, axis=0)).mean((1, 2, 3), dtype=np.float64)
        way += list(way[-1] + np.cumsum(changes + 1e-6))  # rises where nothing changes, too
    wanted = np.arange(count) / count * way[-1]  # the last frame leads back to the first
    return _on_loop(keys, np.interp(wanted, way, places))


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
