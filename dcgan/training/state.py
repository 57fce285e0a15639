"""What of a model is saved, and how does it come back? Named arrays and a plain record."""

import hashlib
import json
import logging
import os

import numpy as np
from keras import ops

from dcgan import options as arguments
from dcgan.errors import ArgumentError, ModelFileError
from dcgan.images import grid, png_bytes, shrink
from dcgan.networks import plan
from dcgan.optimizers import optimizer_from_plain, optimizer_to_plain
from dcgan.storage import model_file_old as model_file

logger = logging.getLogger("dcgan")

PREVIEW_IMAGES = 16
PREVIEW_PIXELS = 640  # of the longer side
METRIC_PREFIX = "state/mean/"
OPTIMIZERS = ("optimizer", "discriminator_optimizer")
ADDED = {"one_stage": False}  # settings that the first files lack, and how those were trained


def named_variables(gan) -> dict:
    """Every variable that training changes, by a name that stays the same for ever.

    `generator/...` is the average; then `training_generator/...`, `discriminator/...`, both
    optimizers, and under `state/` every random stream and the running means of the logs.
    """
    named = {}
    for name in ("generator", "training_generator", "discriminator"):
        for layer in getattr(gan, name).layers:
            weights = {id(weight) for weight in layer.weights}
            for variable in layer.variables:
                if id(variable) in weights:
                    named[f"{name}/{layer.name}/{variable.name}"] = variable
                else:  # a random stream: dropout's
                    named[f"state/random/{name}/{layer.name}"] = variable
    for name in ("generator", "discriminator"):
        for number, variable in enumerate(getattr(gan.optimizer, name).variables):
            named[f"optimizer/{name}/{number:04d}"] = variable
    for mean in gan.means:
        for number, variable in enumerate(mean.variables):
            named[f"{METRIC_PREFIX}{mean.name}/{number}"] = variable
    named["state/random/latents"] = gan.random.state
    return named


def to_arrays(gan) -> dict[str, np.ndarray]:
    """A copy of every variable as NumPy arrays."""
    return {name: np.array(ops.convert_to_numpy(v)) for name, v in named_variables(gan).items()}


def assign_arrays(gan, arrays, *, whole: bool) -> None:
    """Set every variable that `arrays` names; all are checked before the first is set.

    Raises:
        ModelFileError: an array has no variable, or another shape; or, with `whole`, a variable
            has no array.
    """
    variables = named_variables(gan)
    if whole and (missing := variables.keys() - arrays.keys()):
        raise ModelFileError(f"The saved state lacks {', '.join(sorted(missing)[:3])}.")
    for name, array in arrays.items():
        if name not in variables or tuple(variables[name].shape) != array.shape:
            raise ModelFileError(
                f"The saved state holds {name} of shape {array.shape}, which this model has not."
            )
    for name, array in arrays.items():
        variables[name].assign(array)


def settings(gan) -> dict:
    """All that a model is made from, as plain values: its options, its plan, its optimizers."""
    return {
        **arguments.plain_options({**gan.options, "network_plan": gan.plan}),
        "optimizer": optimizer_to_plain(gan.optimizer.generator),
        "discriminator_optimizer": optimizer_to_plain(gan.optimizer.discriminator),
    }


def run_options(gan) -> dict:
    """The settings as a run folder keeps them, the kind of each optimizer apart from its rates."""
    options = settings(gan)
    for name in OPTIMIZERS:
        options[f"{name}_settings"] = options[name]["config"]
        options[name] = options[name]["class"]
    shape = {**options["network_plan"], "initializer": None}  # a run that began has its weights
    if gan.options["network_plan"] is None:
        options["upsampling"] = gan.plan.upsampling  # what None chose, which may come to differ
    else:  # then the plan alone decides
        del options["upsampling"]
    layers = json.dumps(shape, sort_keys=True)
    options["network_plan"] = hashlib.sha256(layers.encode()).hexdigest()[:16]
    return options


def save_model(gan, path, overwrite: bool, generator_only: bool) -> None:
    """Write `gan` as a `.dcgan` file; see `DCGAN.save`."""
    if not overwrite and os.path.lexists(path):
        raise ModelFileError(f"{str(path)!r} is there already. Give another path.")
    if str(path).endswith((".keras", ".h5")):
        logger.warning(
            "%s will be a .dcgan file by another name, which DCGAN.load reads and Keras does not. "
            "For Keras: gan.generator.save(...).",
            path,
        )
    arrays = to_arrays(gan)
    if generator_only or not gan.complete:  # its other networks were never trained
        arrays = {name: a for name, a in arrays.items() if name.startswith("generator/")}
    document = {
        "config": settings(gan) | {"save_path": None},  # the path would tell who trained it
        "training": dict(gan.record),
        "data": dict(gan.data),
    }
    preview = png_bytes(shrink(grid(gan.generate(PREVIEW_IMAGES)), PREVIEW_PIXELS))
    gan.sha256 = model_file.write_model(path, document, arrays, preview)


def load_model(cls, path):
    """Read a `.dcgan` file into a new model; see `DCGAN.load`."""
    file = model_file.read_model(path, expected=expected_arrays)
    config = ADDED | file.document["config"]
    for name in OPTIMIZERS:
        config[name] = optimizer_from_plain(config[name])
    gan = cls(**config)
    assign_arrays(gan, file.arrays, whole=not file.generator_only)
    gan.record, gan.data = _record(file.document["training"]), file.document["data"]
    gan.sha256 = file.sha256
    gan.complete = not file.generator_only
    return gan


def _record(found: dict) -> dict:
    """A file's record of its training, if it is one."""
    good = {"step": int, "seconds": float, "run": str}
    if any(not isinstance(found.get(name), kind | None) for name, kind in good.items()):
        raise ModelFileError(f"The record of the training in the file cannot be: {found!r:.200}")
    return {name: found[name] for name in good}


def expected_arrays(document: dict) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shapes and types of the networks' arrays, by arithmetic on a file's plan.

    Raises:
        ModelFileError: the file's plan or options cannot be.
    """
    try:
        config = ADDED | document["config"]
        for name in OPTIMIZERS:
            optimizer_from_plain(config.pop(name))
        network_plan = arguments.check_options(config)["network_plan"]
        if network_plan is None:
            raise ArgumentError("network_plan is missing")
    except (ArgumentError, KeyError, TypeError) as error:
        raise ModelFileError(f"The settings in the file cannot be: {error}") from error
    expected = {}
    for name in ("generator", "training_generator", "discriminator"):
        shapes = plan.weight_shapes(network_plan, name.removeprefix("training_"))
        expected |= {f"{name}/{weight}": (shape, "float32") for weight, shape in shapes.items()}
    return expected
