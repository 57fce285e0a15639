"""How is transparency kept while training? Colours multiplied by alpha inside, straight outside."""

import numpy as np


def premultiply(pictures: np.ndarray) -> np.ndarray:
    """Straight to premultiplied: uint8 (..., 4) to uint8 (..., 4), colours times alpha / 255."""
    alpha = pictures[..., 3:].astype(np.uint16)
    colours = (pictures[..., :3] * alpha + 127) // 255
    return np.concatenate([colours.astype(np.uint8), pictures[..., 3:]], axis=-1)


def unpremultiply(pictures: np.ndarray) -> np.ndarray:
    """Premultiplied to straight: uint8 (..., 4) to uint8 (..., 4).

    Where nothing is to be seen (alpha 0) the colour is black. A colour brighter than its alpha,
    which only a network can make, becomes the brightest there is.
    """
    alpha = pictures[..., 3:].astype(np.uint16)
    colours = (pictures[..., :3] * np.uint16(255) + alpha // 2) // np.maximum(alpha, 1)
    colours = np.where(alpha > 0, np.minimum(colours, 255), 0)
    return np.concatenate([colours.astype(np.uint8), pictures[..., 3:]], axis=-1)
