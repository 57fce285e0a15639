"""The page on which a user browses a generator's seeds and the directions in which it changes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dcgan.errors import MAX_SEED, printable, real, refuse, whole
from dcgan.images import shrink
from dcgan.latents import draw_latents
from dcgan.pages.directions import find_directions, first_layer
from dcgan.pages.templating import render, webp

MAX_SEEDS = 5_000  # of one page, which a browser holds in memory
MAX_PIXELS = 160  # of the longer side of an image on the page
MIN_TILE = 88  # CSS pixels; smaller images are enlarged
QUALITY = 85  # of WebP
DIRECTIONS = 8
POSITIONS = tuple(step / 2 for step in range(-6, 7))  # standard deviations
STRIP_EVERY = 2  # positions from one image of a strip to the next
AROUND = 4  # seeds along whose directions images are made
CHUNK = 64  # images in memory at full size


def browse_page(
    model: Any,
    seeds: Sequence[int],
    *,
    name: str,
    command: str,
    truncation: float = 1.0,
    report: Callable[[int], object] = lambda images: None,
) -> str:
    """A self-contained page of the image of each seed, and of what the strongest directions do.

    The image of a seed is its number 0. Images longer than 160 pixels are made smaller.

    Args:
        model: a `DCGAN`.
        seeds: whose images; the first four are also shown along the directions.
        name: what the user calls the model.
        command: words that generate images with it; `--seeds` are added.
        truncation: as in `DCGAN.generate`.
        report: called with the number of images made since the last call.

    Returns:
        HTML that needs no network and no other file.

    Raises:
        ArgumentError: an argument is out of its limits.
    """
    truncation = real("truncation", truncation, 0, 1)
    if not 1 <= len(seeds) <= MAX_SEEDS:
        refuse("seeds", f"from 1 to {MAX_SEEDS:,} whole numbers", seeds)
    seeds = list(dict.fromkeys(whole("seeds", seed, 0, MAX_SEED) for seed in seeds))
    latents = np.concatenate([draw_latents(1, model.input_size, seed) for seed in seeds])
    latents *= np.float32(truncation)
    images, (width, height) = _encoded(model, latents, report)
    strips = _strips(model, latents[:AROUND], report)
    added = "" if truncation == 1 else f" --truncation {truncation:g}"
    return render(
        "browse.html",
        name=printable(name),
        width=width,
        height=height,
        tile=max(MIN_TILE, width),
        enlarged=width < MIN_TILE,
        count=len(seeds),
        around=seeds[:AROUND],
        strips=[strip["share"] for strip in strips],
        positions=POSITIONS,
        data={
            "seeds": seeds,
            "images": images,
            "strips": strips,
            "positions": POSITIONS,
            "every": STRIP_EVERY,
            "key": f"dcgan-stars-{model.model_hash}",
            "command": command + added,
        },
    )


def images_on_page(seeds: int) -> int:
    """How many images `browse_page` makes for so many seeds, at most."""
    return seeds + min(seeds, AROUND) * DIRECTIONS * len(POSITIONS)


def _strips(model: Any, latents: np.ndarray, report: Callable[[int], object]) -> list[dict]:
    """Each direction's share, and for each of these latents one image for each of `POSITIONS`."""
    directions = find_directions(first_layer(model.generator), model.input_size, DIRECTIONS)
    moves = np.asarray(POSITIONS, np.float32)[:, None]
    strips = []
    for step, share in zip(directions.steps, directions.shares, strict=True):
        images = [_encoded(model, latent + moves * step, report)[0] for latent in latents]
        strips.append({"share": float(share), "images": images})
    return strips


def _encoded(
    model: Any, latents: np.ndarray, report: Callable[[int], object]
) -> tuple[list[str], tuple[int, int]]:
    """The images of these latents as base64 of WebP files, and their (width, height)."""
    texts = []
    size = (0, 0)
    for first in range(0, len(latents), CHUNK):
        part = latents[first : first + CHUNK]
        for image in model.generate(latents=part):
            small = shrink(image, MAX_PIXELS)
            size = (small.shape[1], small.shape[0])
            texts.append(webp(small, QUALITY))
        report(len(part))
    return texts, size
