"""Starting from another model: which of its layers fit, and how their weights are taken over."""

import logging
import os
import re
from collections.abc import Mapping

import numpy as np

from dcgan.errors import ArgumentError
from dcgan.training.saving import read_model
from dcgan.training.state import GENERATOR_ONLY, Learner, restart

logger = logging.getLogger("dcgan")

Weights = dict[str, dict[str, np.ndarray]]  # by layer and by name within it
_STAGE = re.compile(r"stage_(\d+)")


def start_from(learner: Learner, path: str | os.PathLike) -> tuple[int, int]:
    """Take the weights of a saved model over; see `DCGAN.start_from`."""
    if learner.optimizers is None:
        raise ArgumentError(GENERATOR_ONLY)
    arrays = read_model(path, own_networks=learner.model.has_own_networks())[0].arrays
    taken = total = 0
    for name in ("generator", "discriminator"):
        own = _layers(learner.variables, name)
        fitting = _fitting(_layers(arrays, name), own)
        taken, total = taken + len(fitting), total + len(own)
        for network in {name, f"training_{name}"} & set(learner.networks):
            for layer, weights in fitting.items():
                for weight, array in weights.items():
                    learner.variables[f"{network}/{layer}/{weight}"].assign(array)
    if not taken:
        raise ArgumentError(
            f"No layer of {str(path)!r} fits these networks. Use its depth, increment and "
            "kernel_size, which may have another img_size."
        )
    restart(learner)
    learner.state.fresh = False
    logger.info("Starting from %s: %d of %d layers.", path, taken, total)
    return taken, total


def _layers(arrays: Mapping, network: str) -> Weights:
    """The arrays or variables of one network, by layer."""
    layers: Weights = {}
    for name, array in arrays.items():
        owner, _, rest = name.partition("/")
        if owner == network:
            layer, _, weight = rest.partition("/")
            layers.setdefault(layer, {})[weight] = array
    return layers


def _fitting(given: Weights, own: Mapping) -> Weights:
    """The layers of `given` that fit, under the names of `own`.

    Stages are numbered from one end. In networks of another depth they are aligned at that end or
    at the other, whichever lets more of them fit.
    """
    offset = _depth(own) - _depth(given)
    best: Weights = {}
    for shift in dict.fromkeys((0, offset)):
        renamed = {_shifted(layer, shift): weights for layer, weights in given.items()}
        fitting = {
            layer: weights
            for layer, weights in renamed.items()
            if all(_shapes(renamed.get(part)) == _shapes(own.get(part)) for part in _unit(layer))
        }
        best = max(best, fitting, key=len)
    return best


def _unit(layer: str) -> list[str]:
    """The layers that are taken together with this one: a map of the latent with its factors."""
    stage, latent, _ = layer.partition("_latent_")
    return [layer, f"{stage}_latent_map", f"{stage}_latent_channels"] if latent else [layer]


def _depth(layers: Mapping) -> int:
    found = (_STAGE.match(layer) for layer in layers)
    return max((int(stage[1]) for stage in found if stage), default=0)


def _shifted(layer: str, shift: int) -> str:
    return _STAGE.sub(lambda stage: f"stage_{int(stage[1]) + shift}", layer)


def _shapes(weights: Mapping | None) -> dict[str, tuple]:
    return {name: tuple(weight.shape) for name, weight in (weights or {}).items()}
