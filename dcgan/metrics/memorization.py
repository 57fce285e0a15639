"""Memorization: the share of samples that are copies of training images."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from dcgan.errors import ArgumentError
from dcgan.images import enlarged_grid, enlargement, evenly, grid, thumbnails
from dcgan.metrics.manifold import squared_distances

SIDE = 16  # pixels: coarse enough to know a copy that is blurred, noisy, mirrored or shifted a bit
NEIGHBOURS = 10  # further ones whose distance a nearest image's distance is divided by
NEAREST_SHARE = 0.05  # of the reference images come as near as what is called a copy
SURE = 1e-3  # odds against chance below which copying is named
MAX_REFERENCES = 1_000  # more cost time and hardly sharpen the 5 %
SHOWN = 5  # nearest training images of each sample on a sheet
CHUNK = 256
MIN_IMAGES = 3  # training images: with fewer, none has two neighbours
DUPLICATE = 0.05  # a reference with so small a ratio is a training image twice, no new one


@dataclass(frozen=True)
class Memorization:
    """How many samples are copies of training images, and whether that can be chance.

    Args:
        share: of the samples that are nearer to one training image than 95 % of the reference
            images are (or all but one, where those are few); `expected` if nothing is copied.
        chance: odds of so large a share where samples are as new as the reference images.
        n_samples, n_train, n_reference: from how many images.
        n_duplicates: reference images left out, since they are training images as well.
        reference: "held-out", or "training" where none are held out but duplicates: each training
            image against all the others.
        ratios: float (n_samples,): distance to the nearest training image over the mean distance
            to the ten next; 0 is an exact copy.
        nearest: int (n_samples, up to 5): the nearest training images, nearest first.
    """

    share: float
    chance: float
    n_samples: int
    n_train: int
    n_reference: int
    n_duplicates: int
    reference: str
    ratios: np.ndarray = field(repr=False, compare=False)
    nearest: np.ndarray = field(repr=False, compare=False)

    @property
    def expected(self) -> float:
        """The share that is chance: about 0.05, and more where references are few."""
        return _near(self.n_reference) / (self.n_reference + 1)

    @property
    def copying(self) -> bool:
        """Whether so many near samples are no accident."""
        return self.chance < SURE

    def text(self) -> str:
        """The verdict in one sentence."""
        others = "held-out images are" if self.reference == "held-out" else "other images are"
        verdict = "copying" if self.copying else "no sign of copying"
        return (
            f"{self.share:.0%} of samples are closer to a training image than "
            + f"{1 - self.expected:.0%} of {others} ({self.expected:.0%} is chance): {verdict}."
            + f" Left out as duplicates: {self.n_duplicates}." * (self.n_duplicates > 0)
        )

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        plain = {k: v for k, v in asdict(self).items() if k not in ("ratios", "nearest")}
        return {**plain, "copying": self.copying, "text": self.text()}


def memorization(
    samples: np.ndarray, train: np.ndarray, held_out: np.ndarray | None = None
) -> Memorization:
    """Tell whether samples are nearer to training images than new images would be.

    Images are compared at 16 x 16 pixels, with the training images and their mirror images.
    What counts is how much nearer the nearest one is than the next ten (after Carlini et al. 2023,
    arXiv 2301.13188): the plain distance calls every blurred image a copy, for a blurred image
    is near to everything. Features would notice noise and blur on a copy, and take it for new.

    Args:
        samples, train, held_out: uint8 (n, H, W, C) of one shape. Without held-out images, each
            training image is compared with the others instead.

    Raises:
        ArgumentError: there are fewer than 3 training images or no samples.
    """
    held_out = train[:0] if held_out is None else held_out
    if len(train) < MIN_IMAGES or len(samples) == 0:
        raise ArgumentError(
            f"Copying needs at least {MIN_IMAGES} training images and a sample. Received: "
            f"{len(train)} training images and {len(samples)} samples."
        )
    thumbnails = _thumbnails(train)
    distinct = _distinct(thumbnails)
    references, duplicates, reference = _references(held_out, thumbnails[distinct])
    compared = len(distinct) - (reference == "training")  # as many as the references are with
    ratios, nearest = _nearness(_thumbnails(samples), thumbnails[distinct], compared)
    near = _near(len(references))
    copies = int((ratios < np.sort(references)[near - 1]).sum())
    return Memorization(
        share=copies / len(samples),
        chance=_chance(copies, len(samples), near, len(references)),
        n_samples=len(samples),
        n_train=len(train),
        n_reference=len(references),
        n_duplicates=duplicates,
        reference=reference,
        ratios=ratios,
        nearest=distinct[nearest],
    )


def sheet(samples: np.ndarray, train: np.ndarray, found: Memorization, rows: int = 8) -> np.ndarray:
    """Draw the most suspicious samples, each with its nearest training images to its right.

    Args:
        samples, train: what `memorization` was given.
        found: what it returned.
        rows: how many samples at most, those nearest to one training image first.

    Returns:
        uint8 (height, width, C).
    """
    chosen = np.argsort(found.ratios, kind="stable")[:rows]
    images = [p for i in chosen for p in (samples[i], *(train[j] for j in found.nearest[i]))]
    return enlarged_grid(np.stack(images), columns=1 + found.nearest.shape[1])


def nearest_pairs(samples: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Draw every sample and, to its right, the training image nearest to it.

    Args:
        samples, train: uint8 (n, H, W, C) of one shape, 4 or more to train on.

    Returns:
        uint8 (height, width, C), the samples that are most like a copy first.
    """
    ratios, nearest = _nearness(_thumbnails(samples), _thumbnails(train), len(train))
    order = np.argsort(ratios, kind="stable")
    pairs = np.concatenate([samples[order], train[nearest[order, 0]]], axis=2)
    factor = enlargement(*samples.shape[1:3])
    return grid(pairs.repeat(factor, 1).repeat(factor, 2))


def _near(references: int) -> int:
    """How many of the reference images come as near as what is called a copy."""
    return max(1, int(NEAREST_SHARE * references))


def _thumbnails(images: np.ndarray) -> np.ndarray:
    """float32 (n, 16, 16, C)."""
    return thumbnails(images, SIDE).astype(np.float32)


def _distinct(thumbnails: np.ndarray) -> np.ndarray:
    """The first of each that occurs more than once; all, where that leaves too few to compare."""
    numbers = [hash(thumbnail.tobytes()) for thumbnail in thumbnails]
    first = np.sort(np.unique(numbers, return_index=True)[1])
    return first if len(first) >= MIN_IMAGES else np.arange(len(thumbnails))


def _references(held_out: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, int, str]:
    """Ratios of images that are no copies, how many duplicates were left out, and which kind.

    Where all held-out images are training images as well, those are compared with each other.
    """
    if len(held_out):
        ratios, _ = _nearness(
            _thumbnails(held_out[evenly(len(held_out), MAX_REFERENCES)]), train, len(train)
        )
        new = ratios[ratios > DUPLICATE]
        if len(new):
            return new, len(ratios) - len(new), "held-out"
    chosen = evenly(len(train), MAX_REFERENCES)
    ratios, _ = _nearness(train[chosen], train, len(train) - 1, left_out=chosen)
    new = ratios[ratios > DUPLICATE]
    if len(new) == 0:  # the folder holds little else
        return ratios, 0, "training"
    return new, len(ratios) - len(new), "training"


def _nearness(
    images: np.ndarray, train: np.ndarray, usable: int, left_out: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Ratio and nearest training images of each image; `left_out[i]` is not compared with i.

    At most `usable` images decide the ratio.
    """
    kept = min(NEIGHBOURS + 1, usable)
    mirrored = train[:, :, ::-1].reshape(len(train), -1)
    flat, train = images.reshape(len(images), -1), train.reshape(len(train), -1)
    ratios, nearest = np.empty(len(flat)), np.empty((len(flat), min(SHOWN, usable)), int)
    for start in range(0, len(flat), CHUNK):
        here = slice(start, start + CHUNK)
        distance = squared_distances(flat[here], train)
        distance = np.minimum(distance, squared_distances(flat[here], mirrored))
        if left_out is not None:
            distance[np.arange(len(distance)), left_out[here]] = np.inf
        order = np.argpartition(distance, kept - 1, axis=1)[:, :kept]
        found = np.sqrt(np.take_along_axis(distance, order, 1))
        ranks = np.argsort(found, axis=1, kind="stable")
        found = np.take_along_axis(found, ranks, 1)
        nearest[here] = np.take_along_axis(order, ranks, 1)[:, : nearest.shape[1]]
        ratios[here] = found[:, 0] / np.maximum(found[:, 1:].mean(1), 1e-6)
    return ratios, nearest


def _chance(copies: int, samples: int, near: int, references: int) -> float:
    """Odds that at least `copies` of the samples rank before the `near`-th of the references.

    Exact where all are drawn alike, so that every ranking is as likely: a negative hypergeometric
    distribution.
    """

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    rest = references - near
    whole = log_choose(samples + references, samples)
    terms = (
        log_choose(count + near - 1, count)
        + log_choose(samples - count + rest, samples - count)
        - whole
        for count in range(copies, samples + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))
