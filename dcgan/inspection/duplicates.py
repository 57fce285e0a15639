"""Images that occur twice, exactly or so nearly that they look the same."""

import hashlib
from collections import defaultdict

import numpy as np
from PIL import Image

from dcgan.data.image_set import Subset
from dcgan.images import to_pillow

CHUNK = 256  # images looked at together
MAX_COMPARED = 20_000  # images; each is compared with each, 200 million pairs
HASH_BITS_APART = 6  # of 64; what a light crop, a scaling or a saving as JPEG changes
UNLIKE = 0.02  # squared difference of thumbnails, relative to their contrast; real pairs of other
# images start at 0.1, other copies of one end at 0.02 (photographs and digits, looked at by hand)
NOISE = 200.0  # added to the contrast: images without any may differ by 2 of 255
PAIRS_AT_ONCE = 8192
THUMBNAIL = 16  # pixels


def exact_duplicates(pixels: np.ndarray) -> list[list[int]]:
    """Groups of the indices of images that are equal in every pixel."""
    groups = defaultdict(list)
    for index, image in enumerate(Subset(pixels)):
        groups[hashlib.blake2b(image.tobytes(), digest_size=16).digest()].append(index)
    return [group for group in groups.values() if len(group) > 1]


def near_duplicates(pixels: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of images that look the same and are not equal, the nearest first.

    A difference hash finds candidates: for an 8 x 8 grid, is it brighter than what lies to its
    right? Small thumbnails then decide. Only the first 20,000 images are compared.
    """
    looks = [_look(image) for image in Subset(pixels[:MAX_COMPARED])]
    hashes = np.array([look[0] for look in looks], np.uint64)
    thumbnails = np.stack([look[1] for look in looks])
    found: list[tuple[float, int, int]] = []
    for start in range(0, len(hashes), CHUNK):
        apart = np.bitwise_count(hashes[start : start + CHUNK, None] ^ hashes[None, :])
        rows, others = np.nonzero(apart <= HASH_BITS_APART)
        later = others > rows + start
        ones, others = rows[later] + start, others[later]
        for first in range(0, len(ones), PAIRS_AT_ONCE):
            pairs = slice(first, first + PAIRS_AT_ONCE)
            unlike = _unlike(thumbnails[ones[pairs]], thumbnails[others[pairs]])
            near = np.flatnonzero(unlike < UNLIKE)
            found += zip(unlike[near], ones[pairs][near], others[pairs][near], strict=True)
    near_pairs = [(int(one), int(other)) for _, one, other in sorted(found)]
    return [pair for pair in near_pairs if not np.array_equal(pixels[pair[0]], pixels[pair[1]])]


def _unlike(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far apart the thumbnails of each pair are, as a share of their contrast."""
    contrast = np.sqrt(ones.var(axis=1) * others.var(axis=1))
    return ((ones - others) ** 2).mean(axis=1) / (contrast + NOISE)


def _look(image: np.ndarray) -> tuple[int, np.ndarray]:
    """An image's difference hash, and its thumbnail as one row of float32."""
    full = to_pillow(image)
    small = full.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    grid = np.asarray(full.convert("L").resize((9, 8), Image.Resampling.BOX))
    bits = np.packbits(grid[:, :-1] > grid[:, 1:])
    return int.from_bytes(bits.tobytes()), np.asarray(small, np.float32).ravel()
