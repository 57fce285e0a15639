"""What is in this folder, before any training? Plain facts, a proposal, and what to expect."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dcgan.data.advice import Proposal, expectation, propose, propose_size
from dcgan.data.decode import peek
from dcgan.data.duplicates import MOST_COMPARED, exact_duplicates, near_duplicates
from dcgan.data.inspect_page import page
from dcgan.data.pictures import PictureSet, open_pictures
from dcgan.data.reader import PictureReader
from dcgan.data.scan import scan_folder
from dcgan.data.words import counted, printable

PEEKED = 500  # files whose size decides the proposal
SHOWN = 8  # names, sizes or reasons on the one page
COLOUR_APART = 6  # of 255: channels that differ less are grey, but for the loss of JPEG
CHUNK = 256

Measure = Callable[[Proposal], tuple[float, float]]


@dataclass(frozen=True)
class Inspection:
    """The facts about a source of pictures.

    Args:
        source: what was looked at.
        pictures: the usable ones, as the network would see them, and what was skipped.
        sizes: how many pictures have each (width, height).
        grey, transparent: how many have no colour, and how many have some transparency.
        exact: groups of names of equal pictures.
        near: pairs of names of pictures that only look equal.
        proposal: settings to begin with.
        seconds: that 1,000 steps take, and
        memory: bytes of this process while training, both measured; None if nothing was.
    """

    source: str
    pictures: PictureSet
    sizes: Counter
    grey: int
    transparent: int
    exact: list[list[str]]
    near: list[tuple[str, str]]
    proposal: Proposal
    seconds: float | None = None
    memory: float | None = None

    @property
    def odd(self) -> list[str]:
        """Names of pictures of another size than most, where nearly all have one size."""
        (usual, count), *_ = self.sizes.most_common(1)
        if count < 0.9 * len(self.pictures):
            return []
        pairs = zip(self.pictures.names, self.pictures.originals, strict=True)
        return [name for name, original in pairs if original[:2] != usual]

    def text(self) -> str:
        """One page for a terminal."""
        height, width, channels = self.proposal.img_size
        lines = [
            f"{printable(self.source)}: {counted(len(self.pictures), 'usable picture')}, "
            f"{counted(len(self.pictures.skipped), 'file')} skipped",
            *_some([f"  {n}: {why}" for n, why in self.pictures.skipped]),
            "",
            f"Sizes (width x height): {self._sizes_in_words()}",
            *_some([f"  of another size: {name}" for name in self.odd]),
            f"Grey: {self.grey:,}. With transparency: {self.transparent:,}.",
            f"Exact duplicates: {counted(len(self.exact), 'group')}.",
            *_some(["  " + " = ".join(group) for group in self.exact]),
            f"Near duplicates: {counted(len(self.near), 'pair')}"
            + (f" in the first {MOST_COMPARED:,}." if len(self.pictures) > MOST_COMPARED else "."),
            *_some([f"  {one} ~ {other}" for one, other in self.near]),
            "",
            f"Proposed: --img-size {height} {width} {channels} --depth {self.proposal.depth} "
            f"--batch-size {self.proposal.batch_size}, {self.proposal.steps:,} steps",
            *self.measured_in_words(),
            f"Expect: {expectation(len(self.pictures))}",
        ]
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """A self-contained page with the same facts and the pictures themselves."""
        return page(self)

    def _sizes_in_words(self) -> str:
        common = [f"{w} x {h} ({n:,})" for (w, h), n in self.sizes.most_common(SHOWN)]
        rest = len(self.sizes) - len(common)
        return ", ".join(common) + (f" and {rest:,} others" if rest else "")

    def measured_in_words(self) -> list[str]:
        """A line with the time and the memory of training, if they were measured."""
        if self.seconds is None:
            return []
        whole = self.seconds * self.proposal.steps / 1000
        return [
            f"Measured here: {_duration(self.seconds)} per 1,000 steps, {_duration(whole)} for all "
            + "of them"
            + (f", {self.memory / 2**20:,.0f} MB of memory." if self.memory else ".")
        ]


def inspect_folder(
    source: str | os.PathLike,
    img_size: tuple[int, int, int] | None = None,
    *,
    resize: str = "crop",
    background: tuple[int, int, int] = (255, 255, 255),
    measure: Measure | None = None,
    verbose: int = 1,
) -> Inspection:
    """Look at every picture in `source` and say what was found.

    The pictures are decoded on the way, so that training with the same size starts at once.

    Args:
        source: what `open_pictures` takes.
        img_size: (height, width, channels) to look at them in; proposed from them if None.
        resize, background: as for `open_pictures`.
        measure: takes a `Proposal`, trains a few steps with it, and returns seconds per 1,000
            steps and bytes of memory.
        verbose: 0 shows no progress bar.

    Raises:
        DataError: there are no pictures in `source`, or more than half are broken.
    """
    if img_size is None:
        img_size = _size_for(source)
    pictures = open_pictures(
        source, img_size, resize=resize, background=background, verbose=verbose
    )
    proposal = propose(len(pictures), img_size)
    seconds, memory = measure(proposal) if measure else (None, None)
    names, originals = pictures.names, pictures.originals
    return Inspection(
        source=os.fspath(source),
        pictures=pictures,
        sizes=Counter((original.width, original.height) for original in originals),
        grey=_count_grey(pictures),
        transparent=sum(original.transparent for original in originals),
        exact=[[names[index] for index in group] for group in exact_duplicates(pictures.pixels)],
        near=[(names[one], names[other]) for one, other in near_duplicates(pictures.pixels)],
        proposal=proposal,
        seconds=seconds,
        memory=memory,
    )


def _size_for(source: str | os.PathLike) -> tuple[int, int, int]:
    """A size that fits the pictures, from the headers of some of them."""
    if os.path.isdir(source):
        files = scan_folder(source).files
        chosen = files[:: max(1, len(files) // PEEKED)]
        originals = [original for found in chosen if (original := peek(found.path)) is not None]
        if originals:
            return propose_size(originals)
    # An array file, or nothing that is a picture: `open_pictures` says which
    return propose_size(open_pictures(source, (8, 8, 3), verbose=0).originals)


def _count_grey(pictures: PictureSet) -> int:
    """How many show no colour, whatever their file says."""
    if pictures.pixels.shape[3] == 1:
        return sum(
            original.mode in ("1", "L", "LA", "I;16", "I", "F") for original in pictures.originals
        )
    reader, grey = PictureReader(pictures.pixels), 0
    for start in range(0, len(pictures), CHUNK):
        chunk = reader.take(np.arange(start, min(start + CHUNK, len(pictures))))[..., :3]
        spread = chunk.max(axis=3) - chunk.min(axis=3)
        grey += int((spread.reshape(len(chunk), -1).max(axis=1) <= COLOUR_APART).sum())
    return grey


def _some(lines: list[str]) -> list[str]:
    """The first lines, safe to print, and how many more there are."""
    more = [f"  ... and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
    return [printable(line) for line in lines[:SHOWN]] + more


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
