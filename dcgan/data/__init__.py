"""How does a folder become batches? Scan, decode, cache, order; and the drawn sample set."""

from dcgan.data.pictures import PictureSet, open_pictures

__all__ = ["PictureSet", "open_pictures"]
