"""The training state, and how it and all weights are captured and restored."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property

import keras
import numpy as np
from keras import ops

from dcgan.augment import Augmentation
from dcgan.errors import (
    MAX_COUNT,
    ArgumentError,
    Choice,
    ModelFileError,
    dataclass_from,
    real,
    whole,
)
from dcgan.networks.build import FLOAT32_LAYERS
from dcgan.networks.plan import Plan
from dcgan.optimizers import OptimizerPair, optimizer_to_plain
from dcgan.options import PRECISIONS, Options, to_plain
from dcgan.storage.document import POSITION
from dcgan.training.health import STATUSES, Health
from dcgan.training.numbers import StepNumbers

RUN_ID = re.compile(r"[0-9a-f]{32}")
MAX_RATE = 1e9
NETWORKS = ("generator", "training_generator", "discriminator")
GENERATOR_ONLY = (
    "This model was loaded from a generator-only file, which lacks the discriminator and both "
    "optimizers, so it can generate but not be trained. Load the file that save(path) wrote "
    "without generator_only=True."
)


@dataclass(frozen=True)
class DataFacts:
    """What a model was trained on: number of images, fingerprint, how many of them are held out."""

    count: int
    fingerprint: str
    held_out: int


@dataclass
class TrainingState:
    """Everything about a training that is not a weight.

    Attributes:
        step: training steps of the run.
        images_seen: real images shown to the discriminator.
        seconds: time spent in training.
        epochs: epochs completed, which a dataset of unknown length could not say otherwise.
        run_id: identifies the run; None before the first `fit`.
        learning_rates: of both optimizers as the user gave them.
        rollbacks: how often training was rolled back.
        precision: dtype policy of the two networks in training.
        status: how training goes, one of `health.STATUSES`.
        data: what the images were, or None where that is unknown.
        health: what the measurements so far have shown.
        fresh: whether the weights are those that the networks began with.
        phase, phase_step: which of the plans of growing networks is trained, and steps within it.
    """

    step: int = 0
    images_seen: int = 0
    seconds: float = 0.0
    epochs: int = 0
    run_id: str | None = None
    learning_rates: tuple[float, float] = (0.0, 0.0)
    rollbacks: int = 0
    precision: str = "float32"
    status: str = "learning"
    data: DataFacts | None = None
    health: Health = field(default_factory=Health)
    fresh: bool = True
    phase: int = 0
    phase_step: int = 0

    def to_plain(self) -> dict:
        """The state as values that JSON can hold."""
        return {**asdict(self), "learning_rates": list(self.learning_rates)}

    @classmethod
    def from_plain(cls, values: Mapping) -> "TrainingState":
        """The state that `to_plain` gave.

        Raises:
            ArgumentError: a part is unknown, or of a wrong kind or range.
        """
        state: TrainingState = dataclass_from(cls, values)
        if state.run_id is not None and not RUN_ID.fullmatch(state.run_id):
            raise ArgumentError(f"run_id is wrong. Received: {state.run_id!r}")
        Choice(STATUSES).check("status", state.status)
        Choice(PRECISIONS).check("precision", state.precision)
        real("seconds", state.seconds, 0, MAX_COUNT)
        for rate in state.learning_rates:
            real("learning_rates", rate, 0, MAX_RATE)
        return state

    def become(self, other: "TrainingState") -> None:
        """Take over every part of another state."""
        for row in fields(self):
            setattr(self, row.name, getattr(other, row.name))


@dataclass(frozen=True)
class Learner:
    """The pieces of a model that training and files work with; its networks change as they grow.

    Attributes:
        model: the Keras model, for Keras's own callbacks.
        options, plan, state: its options, plan and training state.
        phases: the plans that growing networks pass through; the last one is `plan`.
        numbers: its losses and scores.
        augment: its augmentation.
        latents_seed: state of the random stream of latents and augmentation.
        generate: `generate(n, seed)` gives uint8 images `(n, H, W, C)`.
    """

    model: keras.Model
    options: Options
    plan: Plan
    phases: tuple[Plan, ...]
    state: TrainingState
    numbers: StepNumbers
    augment: Augmentation
    latents_seed: keras.Variable
    generate: Callable[..., np.ndarray]

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The generator (the EMA), training_generator and discriminator by name.

        The generator alone where only that was loaded.
        """
        found = {name: getattr(self.model, name) for name in NETWORKS}
        return {name: network for name, network in found.items() if network is not None}

    @property
    def optimizers(self) -> OptimizerPair | None:
        """The pair of optimizers, or None with the generator alone."""
        return getattr(self.model, "optimizer", None)

    def enter(self, phase: int) -> None:
        """Build the networks of a phase of training, with fresh weights and fresh optimizers."""
        rates, eagerly = self.state.learning_rates, self.model.run_eagerly
        self.state.phase = phase
        for network in self.networks.values():
            self.model._tracker.untrack(network)  # Keras would keep both
        self.model.rebuild(self.optimizers and self.optimizers.fresh())
        self.state.learning_rates, self.model.run_eagerly = rates, eagerly
        self.__dict__.pop("variables", None)

    @property
    def pair(self) -> OptimizerPair:
        """The optimizers of a model that can be trained; raises `ArgumentError` for others."""
        if self.optimizers is None:
            raise ArgumentError(GENERATOR_ONLY)
        return self.optimizers

    @cached_property
    def variables(self) -> dict[str, keras.Variable]:
        """Every variable that training changes, by a name that never changes.

        `generator/...`, `training_generator/...`, `discriminator/...`, both optimizers, and under
        `state/` every random stream, the running means, the sums of the log and the share of the
        augmentation's strength.
        """
        named = {}
        for name, network in self.networks.items():
            for layer in network.layers:
                weights = {id(weight) for weight in layer.weights}
                for variable in layer.variables:
                    if id(variable) in weights:
                        within = variable.path.removeprefix(f"{layer.name}/")  # layers in it
                        named[f"{name}/{layer.name}/{within}"] = variable
                    else:  # the random stream of a dropout layer
                        named[f"state/random/{name}/{layer.name}"] = variable
        if self.optimizers is None:
            return named
        for name in ("generator", "discriminator"):
            for number, variable in enumerate(getattr(self.optimizers, name).variables):
                named[f"optimizer/{name}/{number:04d}"] = variable
        for mean in self.numbers.means:
            for number, variable in enumerate(mean.variables):
                named[f"state/mean/{mean.name}/{number}"] = variable
        named["state/augmentation"] = self.augment.share
        named["state/sums"] = self.numbers.sums
        named["state/random/latents"] = self.latents_seed
        return named


def capture(learner: Learner) -> tuple[dict, dict[str, np.ndarray]]:
    """Everything that is saved of a model: its document of plain values, and its arrays.

    Whole numbers are int64 on every backend, so that files do not depend on it.
    """
    document = {
        "options": to_plain(learner.options, "network", "training", "data"),
        "plan": asdict(learner.plan),
        "optimizers": {},
        "training": learner.state.to_plain(),
    }
    if learner.optimizers is not None:
        for name in ("generator", "discriminator"):
            optimizer = getattr(learner.optimizers, name)
            document["optimizers"][name] = optimizer_to_plain(optimizer)
    arrays = {}
    for name, variable in learner.variables.items():
        array = np.array(ops.convert_to_numpy(variable))
        arrays[name] = array.astype(np.int64) if array.dtype.kind in "iu" else array
    return document, arrays


def restore(learner: Learner, training: Mapping, arrays: Mapping[str, np.ndarray]) -> None:
    """Put back what `capture` gave: the training state, and every variable.

    Raises:
        ArgumentError: the training state is none that this model can have.
        ModelFileError: a variable has no array, or an array does not fit its variable. Then no
            variable was changed.
    """
    state = TrainingState.from_plain(training)
    if state.phase != learner.state.phase:
        learner.enter(whole("phase", state.phase, 0, len(learner.phases) - 1))
    named = learner.variables
    arrays = {name: array for name, array in arrays.items() if name != POSITION}
    if missing := sorted(named.keys() - arrays.keys()):
        raise ModelFileError(f"The saved state lacks {', '.join(missing[:3])}.")
    assign(named, arrays)
    if learner.options.precision is not None:  # asked for in this call
        state.precision = learner.state.precision
    elif state.precision != learner.state.precision:
        _set_precision(learner, state.precision)
    learner.state.become(state)


def restart(learner: Learner) -> None:
    """Count steps from 0 with fresh optimizers: what they know is of other images.

    The EMA then follows the weights closely at first, and augmentation starts from nothing.
    """
    networks, fresh = learner.networks, learner.pair.fresh()
    fresh.build_pair(networks["training_generator"], networks["discriminator"])
    for variable, new in zip(learner.pair.variables, fresh.variables, strict=True):
        variable.assign(new)
    learner.augment.share.assign(0.0)


def _set_precision(learner: Learner, precision: str) -> None:
    """Let the networks in training compute in another precision; the step is compiled anew."""
    for name, network in learner.networks.items():
        for layer in network.layers if name != "generator" else ():
            if layer.name not in FLOAT32_LAYERS:
                layer.dtype_policy = keras.dtype_policies.get(precision)
    learner.model.make_train_function(force=True)


def assign(variables: Mapping[str, keras.Variable], arrays: Mapping[str, np.ndarray]) -> None:
    """Set the variables that `arrays` names; all are checked before the first is set.

    Raises:
        ModelFileError: an array has no variable, or another shape.
    """
    for name, array in arrays.items():
        if name not in variables or tuple(variables[name].shape) != array.shape:
            raise ModelFileError(
                f"The saved state has {name} of shape {array.shape}, which does not match this "
                "model."
            )
    for name, array in arrays.items():
        variables[name].assign(array)
