"""Model files: what of a model goes into one, and the parts that come out."""

import logging
import os
from collections.abc import Mapping
from typing import Any

from dcgan.errors import ModelFileError, whole
from dcgan.images import grid, shrink
from dcgan.networks.growing import phase_plans
from dcgan.networks.plan import Plan, dropout_layers, plan_from_dict, weight_shapes
from dcgan.optimizers import OptimizerPair, make_pair, optimizer_from_plain
from dcgan.options import Options, from_plain
from dcgan.storage.document import CARD
from dcgan.storage.model_file import ModelFile, read_model_file, write_model_file
from dcgan.training.numbers import NAMES
from dcgan.training.state import NETWORKS, Learner, TrainingState, capture

logger = logging.getLogger("dcgan")

PREVIEW_IMAGES, PREVIEW_PIXELS = 16, 640  # the pixels of its longer side
SEED_SHAPE, SUMS_SHAPE = (2,), (1 + len(NAMES),)

Parts = tuple[Options, Plan, OptimizerPair | None]  # None: the generator alone


def save_model(
    learner: Learner,
    path: str | os.PathLike,
    generator_only: bool = False,
    card: Mapping[str, str] | None = None,
) -> str:
    """Write a model file and return the SHA-256 of its generator; see `DCGAN.save`."""
    if str(path).endswith((".keras", ".h5")):
        raise ModelFileError(
            f"{str(path)!r} would hold the generator alone, which is an export and not a model to "
            "be trained. Use export(path) for it, or save a .dcgan file."
        )
    document, arrays = capture(learner)
    if card:
        document[CARD] = dict(card)
    if generator_only or learner.optimizers is None:
        arrays = {name: a for name, a in arrays.items() if name.startswith("generator/")}
        document["optimizers"] = {}
    preview = shrink(grid(learner.generate(PREVIEW_IMAGES)), PREVIEW_PIXELS)
    return write_model_file(path, document, arrays, preview)


def read_model(path: str | os.PathLike, own_networks: bool = False) -> tuple[ModelFile, Parts]:
    """Read a model file or checkpoint, and the parts that a model is built from; see `DCGAN.load`.

    Where a subclass builds the networks, their arrays are held against these once they are built.
    """
    file = read_model_file(path, check_settings if own_networks else expected_arrays)
    options, plan, optimizers = _parts(file.document)
    return file, (options, plan, None if file.generator_only else optimizers)


def _parts(document: Mapping) -> Parts:
    """Options, plan and optimizers that a document describes.

    Raises as `check_settings` does, which is called before.
    """
    plan = plan_from_dict(document["plan"])
    options = from_plain(document["options"])
    described = document["optimizers"]
    if not described:
        return options, plan, None
    pair = [optimizer_from_plain(described[name]) for name in ("generator", "discriminator")]
    return options, plan, make_pair(*pair)


def check_settings(document: Mapping[str, Any]) -> None:
    """Refuse a document whose options, plan, optimizers or training state are wrong.

    Raises:
        ArgumentError: one of them is out of its limits.
        KeyError, TypeError: a part is missing, or of another kind.
    """
    _plan_in_phase(document)


def _plan_in_phase(document: Mapping) -> Plan:
    _, plan, _ = _parts(document)
    phases = phase_plans(plan)
    state = TrainingState.from_plain(document["training"])
    return phases[whole("phase", state.phase, 0, len(phases) - 1)]


def expected_arrays(document: Mapping) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and dtype of every array but the optimizers', by arithmetic on a document.

    Raises as `check_settings` does.
    """
    plan = _plan_in_phase(document)
    expected: dict[str, tuple[tuple[int, ...], str]] = {
        "state/augmentation": ((), "float32"),
        "state/sums": (SUMS_SHAPE, "float32"),
        "state/random/latents": (SEED_SHAPE, "int64"),
    }
    for mean in NAMES:
        expected |= {f"state/mean/{mean}/{number}": ((), "float32") for number in range(2)}
    for name in NETWORKS:
        network = name.removeprefix("training_")
        for weight, shape in weight_shapes(plan, network).items():
            expected[f"{name}/{weight}"] = (shape, "float32")
        for layer in dropout_layers(plan, network):
            expected[f"state/random/{name}/{layer}"] = (SEED_SHAPE, "int64")
    return expected
