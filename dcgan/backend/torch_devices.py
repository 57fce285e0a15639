"""One device, which is what Keras uses with PyTorch: all rows of a batch are its own."""

from collections.abc import Callable

from dcgan.backend.torch_recording import draw


def shard(tensor, axis: int = 0):
    """The tensor itself."""
    return tensor


def draw_shard(function: Callable, shape: tuple, *range, seed, axis: int = 0):
    """What a function of `keras.random` draws."""
    return draw(lambda: function(shape, *range, seed=seed))


def list_devices() -> list[str]:
    """The one device, whatever the machine has."""
    return ["cpu"]


def device_count() -> int:
    """One."""
    return 1
