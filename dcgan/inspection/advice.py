"""Proposals of size and depth, and what so many images allow."""

import math
from collections import Counter
from dataclasses import asdict, dataclass
from statistics import median_high
from typing import Any

from dcgan.data.decode import Original
from dcgan.data.target import GRAY_MODES
from dcgan.errors import ranked
from dcgan.networks.resolve import usual_batch_size

MAX_PROPOSED_SIDE = 150  # proposed at most: what a laptop trains in an evening
MIN_MAP = 10  # pixels; the discriminator halves an image down to this or just below
MUCH = 1.5  # times: from here on, enlarging is warned of
NEARLY_SQUARE = 1.1  # an aspect ratio up to this (or its inverse) is treated as 1
SHOWN = 8  # sizes that are listed
USUAL_STEPS = 24_000  # of a run that is given no end

EXPECTATIONS = (  # for fewer than so many images
    (2, "One image can only be memorized: every sample will be that image."),
    (50, "So few are memorized: expect copies and blends of them, not new images."),
    (300, "Few: expect variations close to the originals. Leave the augmentation on, add flipped "
          "images if left and right may change places, and compare samples with the originals."),
    (1_500, "A small set: textures, colors and layouts are learned, fine detail stays soft. More "
            "images of the same kind help more than more steps."),
    (10_000, "Enough for recognizable, varied images, if they are of one kind and framed alike."),
    (100_000, "Plenty: what limits the images now is the network and the time, not the data."),
    (math.inf, "More than a network of this size can use up: a larger `increment` will pay."),
)  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """Settings to begin with."""

    img_size: tuple[int, int, int]
    depth: int

    @property
    def batch_size(self) -> int:
        """Images per step of a model with these settings."""
        return usual_batch_size(self.depth)

    def options(self) -> dict[str, Any]:
        """Arguments of `DCGAN`."""
        return asdict(self)

    def text(self) -> str:
        """The call that takes them."""
        return f"DCGAN({', '.join(f'{name}={value}' for name, value in self.options().items())})"


def expectation(count: int) -> str:
    """In words, what training on `count` images can give."""
    return next(words for limit, words in EXPECTATIONS if count < limit)


def propose_size(originals: list[Original]) -> tuple[int, int, int]:
    """(height, width, channels) that fit most of the images and enlarge few of them."""
    width = median_high([original.width for original in originals])
    height = median_high([original.height for original in originals])
    aspect = median_high([original.width / original.height for original in originals])
    if 1 / NEARLY_SQUARE <= aspect <= NEARLY_SQUARE:
        height = width = min(width, height, MAX_PROPOSED_SIDE)
    else:
        scale = min(1.0, MAX_PROPOSED_SIDE / max(width, height))
        height, width = round(height * scale), round(width * scale)
    kinds = Counter(
        4 if original.transparent else 1 if original.mode in GRAY_MODES else 3
        for original in originals
    )
    return max(MIN_MAP, height), max(MIN_MAP, width), ranked(kinds)[0][0]


def sizes_in_words(sizes: Counter) -> str:
    """The most frequent of these (width, height), and how many images have each."""
    common = [f"{w} x {h} ({n:,})" for (w, h), n in ranked(sizes)[:SHOWN]]
    rest = len(sizes) - len(common)
    return ", ".join(common) + (f" and {rest:,} others" if rest else "")


def enlarged(originals: list[Original], img_size: tuple[int, int, int]) -> str | None:
    """A warning where most images would be enlarged, which costs time and shows nothing new."""
    height = median_high([original.height for original in originals])
    width = median_high([original.width for original in originals])
    if max(img_size[0] / height, img_size[1] / width) < MUCH:
        return None
    proposal = propose(propose_size(originals))
    return (
        f"Most images are about {height} x {width} and are enlarged to {img_size[0]} x "
        f"{img_size[1]}, which takes longer and shows no more. In their size: {proposal.text()}."
    )


def propose(img_size: tuple[int, int, int]) -> Proposal:
    """Size and depth for images of `img_size`."""
    shorter = min(img_size[:2])
    depth = max(1, math.ceil(math.log2(shorter / MIN_MAP)))
    return Proposal(img_size, depth)
