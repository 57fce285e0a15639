"""From a folder, a file or an array of images to batches, and the drawn sample set."""

from importlib import import_module

__all__ = ["ImageSet", "open_images"]


def __getattr__(name: str):
    """Import on demand: a decoding process needs a part of this room, and needs it at once."""
    if name in __all__:
        return getattr(import_module("dcgan.data.image_set"), name)
    raise AttributeError(f"module 'dcgan.data' has no attribute {name!r}")
