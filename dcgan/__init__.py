"""Train a DCGAN on your own folder of images: `DCGAN(img_size=(150, 150, 3)).fit("sea/")`."""

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
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'dcgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
