"""Train a DCGAN on your own folder of images: `DCGAN(img_size=(150, 150, 3)).fit("sea/")`."""

import gc
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
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

JAX_CACHE = "JAX_COMPILATION_CACHE_DIR"
MAX_COMPILED_BYTES = 1 << 30  # JAX then deletes what was used least recently

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
    _choose_backend()
    _set_up_tensorflow()
    _set_up_jax()
    with _garbage_collector_paused(), _frameworks_held_back():
        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


def _choose_backend() -> None:
    """Take JAX or PyTorch where the user chose nothing and TensorFlow is not installed."""
    if "keras" in sys.modules or os.environ.get("KERAS_BACKEND") or find_spec("tensorflow"):
        return
    settings = Path(os.environ.get("KERAS_HOME", "~/.keras"), "keras.json").expanduser()
    if settings.exists() and '"backend": "tensorflow"' not in settings.read_text():
        return
    for name in ("jax", "torch"):
        if find_spec(name):
            os.environ["KERAS_BACKEND"] = name
            return


def _set_up_tensorflow() -> None:
    """Turn TensorFlow's faster convolutions on, which some processors lack, and its notes off.

    It reads the settings while it is imported, and what is imported already is not ours to change.
    That a function was traced again, for another number of images, is nothing to act on.
    """
    logging.getLogger("tensorflow").addFilter(_is_no_retracing)
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors are raised in Python


def _set_up_jax() -> None:
    """Let JAX keep what it compiles, so that a resumed run starts sooner, if the user has not."""
    if os.environ.get("KERAS_BACKEND") != "jax" or "jax" in sys.modules:
        return
    from dcgan.data.cache import compiled_folder

    if JAX_CACHE not in os.environ and (folder := compiled_folder()):
        os.environ[JAX_CACHE] = str(folder)
        os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(MAX_COMPILED_BYTES))


def _is_no_retracing(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


@contextmanager
def _garbage_collector_paused() -> Iterator[None]:
    """Look for no garbage during imports, which leave none: that takes a fifth of their time.

    What was imported is old from then on, which is looked through least.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()  # into the oldest generation
        if was_enabled:
            gc.enable()


@contextmanager
def _frameworks_held_back() -> Iterator[None]:
    """Drop what a framework's C++ writes to stderr while imported, unless the import fails.

    Python's own messages and warnings pass.
    """
    own = sys.stderr
    if "keras" in sys.modules or own is None or own.closed:
        yield
        return
    try:
        screen = os.dup(2)
    except OSError:  # the process has no stderr
        yield
        return
    # The descriptor stays open, since a framework's log may keep this stream
    passing = open(screen, "w", buffering=1, closefd=False)
    with tempfile.TemporaryFile() as held:
        own.flush()
        os.dup2(held.fileno(), 2)
        if own is sys.__stderr__:
            sys.stderr = passing
        try:
            yield
        except BaseException:
            held.seek(0)
            shutil.copyfileobj(held, passing.buffer)
            passing.flush()
            raise
        finally:
            sys.stderr = own
            os.dup2(screen, 2)
