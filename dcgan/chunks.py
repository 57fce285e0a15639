"""How many pictures at a time? So few that memory suffices, whatever their size."""

import math

MOST = 64  # pictures: more are hardly faster
MOST_FLOATS = 2**24  # in the pictures of one chunk; 64 MiB


def chunks(count: int, img_size: tuple[int, int, int]) -> list[slice]:
    """Consecutive slices that together are `range(count)`."""
    size = max(1, min(MOST, MOST_FLOATS // math.prod(img_size)))
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]
