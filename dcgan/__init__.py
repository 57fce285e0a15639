"""Train a DCGAN on your own folder of images: `DCGAN(img_size=(150, 150, 3)).fit("sea/")`."""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dcgan.errors import (
    ArgumentError,
    DataError,
    DCGANError,
    ModelFileError,
    RunError,
    TrainingError,
)

if TYPE_CHECKING:
    from dcgan.data.image_set import open_images
    from dcgan.evaluation import compare, evaluate
    from dcgan.gan import DCGAN
    from dcgan.inspection.inspect import inspect
    from dcgan.networks.plan import Plan
    from dcgan.networks.presets import list_presets

__all__ = [
    "DCGAN",
    "ArgumentError",
    "DCGANError",
    "DataError",
    "ModelFileError",
    "Plan",
    "RunError",
    "TrainingError",
    "__version__",
    "compare",
    "evaluate",
    "inspect",
    "list_presets",
    "open_images",
]
__version__ = "0.1.0"

# Imported when they are asked for, so that `import dcgan` and `dcgan --help` load no framework.
_MODULES = {
    "DCGAN": "dcgan.gan",
    "Plan": "dcgan.networks.plan",
    "compare": "dcgan.evaluation",
    "evaluate": "dcgan.evaluation",
    "inspect": "dcgan.inspection.inspect",
    "list_presets": "dcgan.networks.presets",
    "open_images": "dcgan.data.image_set",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'dcgan' has no attribute {name!r}")
    _enable_fast_convolutions()
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


def _enable_fast_convolutions() -> None:
    """Turn on TensorFlow's faster convolutions, which it enables on some processors only.

    It reads the setting while it is imported, and what is imported already is not ours to change.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
