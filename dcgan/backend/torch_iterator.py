"""Iterators of a PyTorch loader with `state_dict`, as torchdata's, that say where they are."""

import json
from typing import Any

import torch


class LoaderIterator:
    """An iterator of a loader, with the loader's state as JSON; random streams are in it as uint8.

    Args:
        loader: with the methods `state_dict` and `load_state_dict` besides those of an iterable.
    """

    def __init__(self, loader: Any):
        self._loader = loader
        self._iterator = iter(loader)

    def __next__(self):
        return next(self._iterator)

    def get_state(self) -> bytes:
        """The position; raises `TypeError` where the loader's state holds what JSON cannot."""
        return json.dumps(self._loader.state_dict(), default=_to_plain).encode()

    def set_state(self, state: bytes) -> None:
        """Stand at a position; raises what the loader raises for one that is not its own."""
        self._loader.load_state_dict(json.loads(state, object_hook=_from_plain))
        self._iterator = iter(self._loader)


def _to_plain(value):
    if getattr(value, "dtype", None) != torch.uint8:
        raise TypeError(f"its state holds {type(value).__name__}")
    return {"uint8": value.tolist()}


def _from_plain(value):
    return torch.tensor(value["uint8"], dtype=torch.uint8) if value.keys() == {"uint8"} else value
