"""Model files: what of a model goes into one, and the parts that come out."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np

from dcgan.errors import ArgumentError, ModelFileError, whole
from dcgan.images import grid, shrink
from dcgan.networks.growing import phase_plans
from dcgan.networks.plan import Plan, dropout_layers, plan_from_dict, plan_to_dict, weight_shapes
from dcgan.optimizers import PLAIN_OPTIMIZERS, OptimizerPair, make_pair, optimizer_from_plain
from dcgan.options import Options, from_plain, to_plain
from dcgan.storage.document import CARD
from dcgan.storage.model_file import read_model_file, write_model_file
from dcgan.training.numbers import NAMES
from dcgan.training.state import NETWORKS, Learner, TrainingState, capture

logger = logging.getLogger("dcgan")

PREVIEW_IMAGES, PREVIEW_PIXELS = 16, 640  # the pixels of its longer side
SEED_SHAPE, SUMS_SHAPE = (2,), (1 + len(NAMES),)


def save_model(
    learner: Learner,
    path: str | os.PathLike,
    overwrite: bool = True,
    generator_only: bool = False,
    card: Mapping[str, str] | None = None,
) -> str:
    """Write a model file and return the SHA-256 of its generator; see `DCGAN.save`."""
    if not overwrite and os.path.lexists(path):
        raise ModelFileError(f"{str(path)!r} is there already. Give another path.")
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


def to_config(learner: Learner) -> dict:
    """What Keras calls the config of a model: all options, the plan and both optimizers."""
    pair = learner.pair
    options = to_plain(learner.options, "network", "training", "data", "run")
    del options["save_path"]  # nothing in a file names a place
    return {
        **options,
        "network_plan": plan_to_dict(learner.plan),
        "phase": learner.state.phase,
        "optimizer": _serialized(pair.generator),
        "discriminator_optimizer": _serialized(pair.discriminator),
    }


def _serialized(optimizer: keras.optimizers.Optimizer) -> dict:
    """Keras's form of an optimizer, without the module that PyTorch has for some of them."""
    plain = keras.optimizers.serialize(optimizer)
    if plain["class_name"] in PLAIN_OPTIMIZERS:
        plain |= {"module": "keras.optimizers", "registered_name": None}
    return plain


def parts_from_config(config: Mapping) -> tuple[Options, Plan, OptimizerPair, int]:
    """The parts that a model is made from, of what `to_config` gave."""
    given = dict(config)
    plan = plan_from_dict(given.pop("network_plan"))
    pair = make_pair(given.pop("optimizer"), given.pop("discriminator_optimizer"))
    phase = whole("phase", given.pop("phase"), 0, len(phase_plans(plan)) - 1)
    return from_plain(given), plan, pair, phase


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds, checked, as the parts that a model is made from."""

    options: Options
    plan: Plan
    optimizers: OptimizerPair | None
    training: dict
    arrays: dict[str, np.ndarray]
    model_hash: str
    card: dict[str, str]


def read_model(path: str | os.PathLike, own_networks: bool = False) -> SavedModel:
    """Read a model file or checkpoint; see `DCGAN.load`.

    Where a subclass builds the networks, their arrays are held against these once they are built.
    """
    file = read_model_file(path, None if own_networks else expected_arrays)
    options, plan, optimizers = _parts(file.document)
    return SavedModel(
        options,
        plan,
        None if file.generator_only else optimizers,
        file.document["training"],
        file.arrays,
        file.sha256,
        file.document.get(CARD, {}),
    )


def _parts(document: Mapping) -> tuple[Options, Plan, OptimizerPair | None]:
    """Options, plan and optimizers that a document describes.

    Raises:
        ArgumentError: one of them is unknown or out of its limits.
    """
    plan = plan_from_dict(document["plan"])
    options = from_plain(document["options"])
    described = document["optimizers"]
    if not described:
        return options, plan, None
    pair = [optimizer_from_plain(described[name]) for name in ("generator", "discriminator")]
    return options, plan, make_pair(*pair)


def expected_arrays(document: Mapping) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and dtype of every array but the optimizers', by arithmetic on a document.

    Raises:
        ModelFileError: the document's options, plan, optimizers or training state are wrong.
    """
    try:
        _, plan, _ = _parts(document)
        phases = phase_plans(plan)
        state = TrainingState.from_plain(document["training"])
        plan = phases[whole("phase", state.phase, 0, len(phases) - 1)]
    except (ArgumentError, KeyError, TypeError) as error:
        raise ModelFileError(f"The settings in the file are wrong: {error}") from error
    expected: dict[str, tuple[tuple[int, ...], str]] = {
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
