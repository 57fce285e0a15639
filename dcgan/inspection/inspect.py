"""Facts about a folder of images before any training, a proposal, and what to expect."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dcgan.data.decode import ImageSet, peek
from dcgan.data.image_set import Subset, open_images
from dcgan.data.scan import scan_folder
from dcgan.data.target import GRAY_MODES
from dcgan.errors import counted, printable, ranked
from dcgan.inspection.advice import (
    USUAL_STEPS,
    Proposal,
    expectation,
    propose,
    propose_size,
    sizes_in_words,
)
from dcgan.inspection.duplicates import MAX_COMPARED, exact_duplicates, near_duplicates

PEEKED = 500  # files whose size decides the proposal
SHOWN = 8  # names or reasons on the one page
COLOR_APART = 6  # of 255: channels that differ less are gray, but for the loss of JPEG

Measure = Callable[[Proposal], tuple[float, float | None]]


@dataclass(frozen=True)
class Inspection:
    """The facts about a source of images.

    Args:
        source: what was looked at.
        images: the usable ones, as the network would see them, and what was skipped.
        sizes: how many images have each (width, height).
        gray, transparent: how many have no color, and how many have some transparency.
        exact: groups of names of equal images.
        near: pairs of names of images that only look equal.
        proposal: settings to begin with.
        seconds: that 1,000 steps take, and
        memory: bytes of this process while training, both measured; None if nothing was.
    """

    source: str
    images: ImageSet
    sizes: Counter
    gray: int
    transparent: int
    exact: list[list[str]]
    near: list[tuple[str, str]]
    proposal: Proposal
    seconds: float | None = None
    memory: float | None = None

    @property
    def odd(self) -> list[str]:
        """Names of images of another size than most, where nearly all have one size."""
        usual, count = ranked(self.sizes)[0]
        if count < 0.9 * len(self.images):
            return []
        pairs = zip(self.images.names, self.images.originals, strict=True)
        return [name for name, original in pairs if original[:2] != usual]

    def text(self) -> str:
        """One page for a terminal."""
        lines = [
            f"{printable(self.source)}: {counted(len(self.images), 'usable image')}, "
            f"{counted(len(self.images.skipped), 'file')} skipped",
            *_some([f"  {n}: {why}" for n, why in self.images.skipped]),
            "",
            f"Sizes (width x height): {sizes_in_words(self.sizes)}",
            *_some([f"  of another size: {name}" for name in self.odd]),
            f"Gray: {self.gray:,}. With transparency: {self.transparent:,}.",
            f"Exact duplicates: {counted(len(self.exact), 'group')}.",
            *_some(["  " + " = ".join(group) for group in self.exact]),
            f"Near duplicates: {counted(len(self.near), 'pair')}"
            + (f" in the first {MAX_COMPARED:,}." if len(self.images) > MAX_COMPARED else "."),
            *_some([f"  {one} ~ {other}" for one, other in self.near]),
            "",
            f"Proposed: {self.proposal.text()}, {self.steps_in_words()}",
            *self.measured_in_words(),
            f"Expect: {expectation(len(self.images))}",
        ]
        return "\n".join(lines) + "\n"

    def steps_in_words(self) -> str:
        """How long `fit` trains if it is not told."""
        return f"{USUAL_STEPS:,} steps of {self.proposal.batch_size} images"

    def measured_in_words(self) -> list[str]:
        """A line with the time and the memory of training, if they were measured."""
        if self.seconds is None:
            return []
        whole = self.seconds * USUAL_STEPS / 1000
        return [
            f"Measured here: {_duration(self.seconds)} per 1,000 steps, {_duration(whole)} for all "
            + "of them"
            + (f", {self.memory / 2**20:,.0f} MB of memory." if self.memory else ".")
        ]


def inspect(
    source: str | os.PathLike,
    img_size: tuple[int, int, int] | int | None = None,
    *,
    resize: str = "crop",
    background: tuple[int, int, int] = (255, 255, 255),
    measure: Measure | None = None,
    verbose: int = 1,
) -> Inspection:
    """Look at every image in a folder or file before any training.

    The images are decoded on the way, so that training with the same size starts at once.

    Args:
        source: what `open_images` takes.
        img_size: as for `open_images`; proposed from the images if None.
        resize, background: as for `open_images`.
        measure: takes a `Proposal`, trains a few steps with it, and returns seconds per 1,000
            steps and bytes of memory.
        verbose: 0 shows no progress bar.

    Returns:
        what was found; its `text()` is a page for a terminal, and
        `dcgan.pages.inspected.inspection_page` makes one for a browser.

    Raises:
        DataError: there are no images in `source`, or more than half are broken.

    Examples:
        >>> print(inspect("sea/").text())
    """
    if img_size is None:
        img_size = _size_for(source)
    images = open_images(source, img_size, resize=resize, background=background, verbose=verbose)
    proposal = propose(images.pixels.shape[1:])
    seconds, memory = measure(proposal) if measure else (None, None)
    names, originals = images.names, images.originals
    return Inspection(
        source=os.fspath(source),
        images=images,
        sizes=Counter((original.width, original.height) for original in originals),
        gray=_count_gray(images),
        transparent=sum(original.transparent for original in originals),
        exact=[[names[index] for index in group] for group in exact_duplicates(images.pixels)],
        near=[(names[one], names[other]) for one, other in near_duplicates(images.pixels)],
        proposal=proposal,
        seconds=seconds,
        memory=memory,
    )


def _size_for(source: str | os.PathLike) -> tuple[int, int, int]:
    """A size that fits the images, from the headers of some of them."""
    if os.path.isdir(source):
        files = scan_folder(source).files
        chosen = files[:: max(1, -(-len(files) // PEEKED))]
        originals = [original for found in chosen if (original := peek(found.path)) is not None]
        if originals:
            return propose_size(originals)
    # An array file, or nothing that is an image: `open_images` says which
    return propose_size(open_images(source, (8, 8, 3), verbose=0).originals)


def _count_gray(images: ImageSet) -> int:
    """How many show no color, whatever their file says."""
    if images.pixels.shape[3] == 1:
        return sum(original.mode in GRAY_MODES for original in images.originals)
    return sum(
        int(np.ptp(image[..., :3], axis=2).max()) <= COLOR_APART for image in Subset(images.pixels)
    )


def _some(lines: list[str]) -> list[str]:
    """The first lines, safe to print, and how many more there are."""
    more = [f"  ... and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
    return [printable(line) for line in lines[:SHOWN]] + more


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
