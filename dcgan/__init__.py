"""Train a DCGAN on your own folder of images: `DCGAN(img_size=(150, 150, 3)).fit("sea/")`."""

import os
from importlib import import_module

from dcgan.errors import (
    ArgumentError,
    DataError,
    DCGANError,
    ModelFileError,
    RunError,
    TrainingError,
)

__all__ = [
    "DCGAN",
    "ArgumentError",
    "DCGANError",
    "DataError",
    "ModelFileError",
    "RunError",
    "TrainingError",
    "__version__",
]
__version__ = "0.1.0"

# TensorFlow turns its faster convolutions on by itself on some processors only, and reads this
# when it is imported
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def __getattr__(name: str):
    """Import Keras only when `DCGAN` is asked for, so that `--help` answers at once."""
    if name == "DCGAN":
        return import_module("dcgan.gan").DCGAN
    raise AttributeError(f"module 'dcgan' has no attribute {name!r}")
