"""What Keras needs to save a whole DCGAN as a `.keras` file and to load it again."""

import json
import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcgan.atomic import replace
from dcgan.errors import ArgumentError, ModelFileError, whole
from dcgan.networks.growing import phase_plans
from dcgan.networks.plan import plan_from_dict
from dcgan.optimizers import OPTIMIZERS, PLAIN_OPTIMIZERS, make_pair
from dcgan.options import from_plain, to_plain
from dcgan.storage.document import Refused, check_card
from dcgan.training.state import TrainingState, assign

MAX_CONFIG = 4 << 20  # bytes; ours has a few thousand
MAX_BYTES = 4 << 30  # of all that the file unpacks to


class KerasFile:
    """The methods by which `keras.saving` saves and loads a model; see `get_config`."""

    _learner: Callable
    _build: Callable

    def get_config(self) -> dict[str, Any]:
        """All options but the run folder, the plan and both optimizers as plain values."""
        learner = self._learner()
        config = to_plain(learner.options, "network", "training", "data", "run")
        del config["save_path"]  # nothing in a file names a place
        return {
            **config,
            "network_plan": asdict(learner.plan),
            "phase": learner.state.phase,
            "optimizer": _serialized(learner.pair.generator),
            "discriminator_optimizer": _serialized(learner.pair.discriminator),
        }

    @classmethod
    def from_config(cls, config):
        """A model of the same options, plan and optimizers as the one that gave `config`."""
        given = dict(config)
        plan = plan_from_dict(given.pop("network_plan"))
        pair = make_pair(*(given.pop(name) for name in OPTIMIZERS))
        phase = whole("phase", given.pop("phase"), 0, len(phase_plans(plan)) - 1)
        gan = cls.__new__(cls)
        gan._build(from_plain(given), plan, pair)
        gan._learner().enter(phase)
        return gan

    def get_compile_config(self) -> None:
        """Nothing: `from_config` compiles."""

    def save_own_variables(self, store) -> None:
        """Put what Keras does not know of into a file: the training state and random streams."""
        learner = self._learner()
        store["training"] = np.frombuffer(json.dumps(learner.state.to_plain()).encode(), np.uint8)
        for name, variable in _own(learner).items():
            store[name.replace("/", " ")] = keras.ops.convert_to_numpy(variable)

    def load_own_variables(self, store) -> None:
        """Take back what `save_own_variables` gave."""
        learner, own = self._learner(), _own(self._learner())
        learner.state.become(TrainingState.from_plain(json.loads(bytes(store["training"]))))
        assign(own, {name: np.array(store[name.replace("/", " ")]) for name in own})


def save_keras(gan: keras.Model, path: str | os.PathLike, card: dict[str, str]) -> None:
    """Write a `.keras` file of the whole model, in one piece or not at all.

    It holds no card; one that no other file could hold is refused all the same.
    """
    try:
        check_card(card)
    except Refused as error:
        raise ModelFileError(f"{str(path)!r} {error}.") from error
    partial = Path(path).with_name(f".{Path(path).name}.partial.keras")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        keras.saving.save_model(gan, partial)
        replace(partial, path)
    except OSError as error:
        raise ModelFileError(f"Cannot write {str(path)!r}: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def load_keras(path: str | os.PathLike) -> Any:
    """Read a `.keras` file of a whole DCGAN, with Keras, which may run no code of the file's.

    Raises:
        ModelFileError: it is none, or damaged.
    """
    if not os.path.exists(path):
        raise ModelFileError(f"{str(path)!r} does not exist: check the path.")
    try:
        try:
            _check(path)
        except (RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ArgumentError(str(error)) from error  # nested too deep, encrypted, cut off
        return keras.saving.load_model(path, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{str(path)!r} cannot be loaded as a Keras file of a whole DCGAN, which "
            f"save('name.keras') writes: {str(error).partition(chr(10))[0][:300]}"
        ) from error


def _check(path: str | os.PathLike) -> None:
    """Refuse a file that names other classes than ours, before Keras imports one."""
    with zipfile.ZipFile(path) as file:
        if sum(member.file_size for member in file.infolist()) > MAX_BYTES:
            raise ArgumentError("it unpacks to more than 4 GiB")
        if file.getinfo("config.json").file_size > MAX_CONFIG:
            raise ArgumentError("its config is too large")
        content = json.loads(file.read("config.json"))
    if content["class_name"] == "Functional":
        raise ArgumentError("it holds a generator alone, which keras.models.load_model loads")
    if content["class_name"] != "DCGAN" or content["registered_name"] != "dcgan>DCGAN":
        raise ArgumentError(f"it holds a model of class {content['class_name']!r:.99}")
    config = content["config"]
    for name in OPTIMIZERS:
        optimizer = config[name]
        if optimizer["class_name"] not in PLAIN_OPTIMIZERS:
            raise ArgumentError(f"its {name} is of class {optimizer['class_name']!r:.99}")
        if optimizer["module"] != "keras.optimizers":
            raise ArgumentError(f"its {name} is from {optimizer['module']!r:.99}")
    if json.dumps(content).count('"class_name"') != 1 + len(OPTIMIZERS):
        raise ArgumentError("it names more classes than ours do")


def _serialized(optimizer: keras.optimizers.Optimizer) -> dict:
    """Keras's form of an optimizer, without the module that PyTorch has for some of them."""
    plain = keras.optimizers.serialize(optimizer)
    if plain["class_name"] in PLAIN_OPTIMIZERS:
        plain |= {"module": "keras.optimizers", "registered_name": None}
    return plain


def _own(learner) -> dict[str, keras.Variable]:
    """The variables that no layer and no optimizer of the model has."""
    return {name: v for name, v in learner.variables.items() if name.startswith("state/")}
