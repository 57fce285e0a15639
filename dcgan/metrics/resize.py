"""How is a picture of any size made into a small square one?"""

import numpy as np
from PIL import Image

from dcgan.data.alpha import premultiply


def resize(pictures: np.ndarray, side: int) -> np.ndarray:
    """Resize to squares, averaging where they shrink (Pillow's bilinear filter).

    Args:
        pictures: uint8 (n, H, W, C), C of 1, 3 or 4.
        side: of the result, in pixels.

    Returns:
        uint8 (n, side, side, C); of 4 channels the colours are multiplied by alpha, so that what
        cannot be seen counts for nothing.
    """
    resized = np.empty((len(pictures), side, side, pictures.shape[3]), np.uint8)
    for into, picture in zip(resized, pictures, strict=True):
        image = Image.fromarray(picture.squeeze(2) if picture.shape[2] == 1 else picture)
        smaller = image.resize((side, side), Image.Resampling.BILINEAR)
        into[...] = np.asarray(smaller).reshape(into.shape)
    return premultiply(resized) if resized.shape[-1] == 4 else resized
