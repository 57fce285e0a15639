"""The pair of optimizers, one for each network, that Keras sees as a single optimizer."""

import numbers
from collections.abc import Callable, Mapping
from typing import Any

import keras

from dcgan.errors import ArgumentError

# Radford et al. 2016, section 4: Adam with learning rate 2e-4 and beta_1 0.5.
LEARNING_RATE = 2e-4
BETA_1 = 0.5

OPTIMIZERS = ("optimizer", "discriminator_optimizer")  # the options that set them
SHARES = ("beta_1", "beta_2", "momentum", "rho", "ema_momentum")  # settings in [0, 1)
MAX_SETTING = 1e6

# The optimizers that a model file may name: Keras's own, with plain settings.
PLAIN_OPTIMIZERS = (
    "Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Nadam RMSprop SGD".split()
)


@keras.saving.register_keras_serializable("dcgan")
class OptimizerPair(keras.optimizers.Optimizer):
    """Holds the generator's and the discriminator's optimizer, so that Keras sees every variable.

    `learning_rate` is the generator's. Setting it, as Keras's schedule callbacks do, scales the
    discriminator's by the same factor.

    Args:
        generator, discriminator: built-in Keras optimizers.
    """

    def __init__(self, generator, discriminator, name="optimizer_pair", **_):
        super().__init__(learning_rate=0.0, name=name)
        self.generator = keras.optimizers.get(generator)
        self.discriminator = keras.optimizers.get(discriminator)
        self._ratio = self.rates[1] / self.rates[0]

    def build_pair(self, generator: keras.Model, discriminator: keras.Model) -> None:
        """Create both optimizers' variables, so that they can be restored before the first step."""
        if not self.built:
            super().build([])
            self.generator.build(generator.trainable_variables)
            self.discriminator.build(discriminator.trainable_variables)

    @property
    def variables(self):
        """Every variable of both, the pair's own first."""
        if not hasattr(self, "discriminator"):  # Keras asks while its own constructor runs
            return super().variables
        return super().variables + self.generator.variables + self.discriminator.variables

    @property
    def learning_rate(self):
        """The generator's learning rate."""
        return self.generator.learning_rate if hasattr(self, "generator") else 0.0

    @learning_rate.setter
    def learning_rate(self, value):
        self.rates = (value, float(value) * self._ratio)

    @property
    def rates(self) -> tuple[float, float]:
        """The learning rates of the generator and of the discriminator."""
        generator, discriminator = (
            float(keras.ops.convert_to_numpy(one.learning_rate))
            for one in (self.generator, self.discriminator)
        )
        return generator, discriminator

    @rates.setter
    def rates(self, values):
        self.generator.learning_rate, self.discriminator.learning_rate = values

    def fresh(self) -> "OptimizerPair":
        """A pair of the same settings that has taken no step."""
        return OptimizerPair(make_optimizer(self.generator), make_optimizer(self.discriminator))

    def finalize_variable_values(self, variables) -> None:
        """Nothing to do: each optimizer of the pair has its own variables."""

    def get_config(self) -> dict:
        """Both optimizers, serialized."""
        return {
            "name": self.name,
            "generator": keras.optimizers.serialize(self.generator),
            "discriminator": keras.optimizers.serialize(self.discriminator),
        }


def make_optimizer(optimizer, argument: str = "optimizer"):
    """Make a Keras optimizer from what a user gives for one.

    Args:
        optimizer: None for Adam with this package's learning rate and beta_1; a learning rate; a
            Keras optimizer's name (with Keras's own settings), config or instance. An instance is
            copied, since its state belongs to one network.
        argument: name of the argument, for the error.

    Raises:
        ArgumentError: it is none of these, or its learning rate is not a positive number.
    """
    if optimizer is None:
        optimizer = LEARNING_RATE
    try:
        if isinstance(optimizer, numbers.Real) and not isinstance(optimizer, bool):
            made = keras.optimizers.Adam(float(optimizer), beta_1=BETA_1)
        elif isinstance(optimizer, keras.optimizers.Optimizer):
            made = type(optimizer).from_config(optimizer.get_config())
        else:
            made = keras.optimizers.get(optimizer)
        rate = float(keras.ops.convert_to_numpy(made.learning_rate))
    except (ValueError, TypeError, AttributeError) as error:
        raise ArgumentError(
            f"{argument} must be a learning rate, a Keras optimizer or its name. "
            f"Received: {optimizer!r:.200} ({str(error).partition(chr(10))[0][:200]})"
        ) from error
    name, config = type(made).__name__, made.get_config()
    if name not in PLAIN_OPTIMIZERS or isinstance(config["learning_rate"], dict):
        raise ArgumentError(
            f"{argument} must be one of {', '.join(PLAIN_OPTIMIZERS)} with a number for its "
            "learning rate, or it could not be saved; for a schedule use Keras's "
            f"LearningRateScheduler callback. Received: {name}"
        )
    if not 0 < rate < float("inf"):
        raise ArgumentError(f"{argument}'s learning rate must be positive. Received: {rate}")
    return made


def make_pair(optimizer=None, discriminator_optimizer=None) -> OptimizerPair:
    """The pair of both networks' optimizers; the discriminator's is like the generator's if None.

    Raises:
        ArgumentError: one of them is no optimizer.
    """
    if isinstance(optimizer, OptimizerPair):
        return optimizer
    generator = make_optimizer(optimizer)
    other = generator if discriminator_optimizer is None else discriminator_optimizer
    return OptimizerPair(generator, make_optimizer(other, "discriminator_optimizer"))


def optimizer_to_plain(optimizer) -> dict:
    """An optimizer as its class name and plain settings, with its present learning rate."""
    config = optimizer.get_config()
    del config["name"]  # Keras numbers its optimizers; the number means nothing
    config["learning_rate"] = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    return {"class": type(optimizer).__name__, "config": config}


def optimizer_from_plain(values: dict):
    """The optimizer that `optimizer_to_plain` described: one of Keras's own with plain settings.

    Raises:
        ArgumentError: it is not one of Keras's own, or a setting is unknown or of a wrong kind.
    """
    try:
        name, config = values["class"], values["config"]
        if name not in PLAIN_OPTIMIZERS:
            raise ValueError(f"{name!r} is not one of {', '.join(PLAIN_OPTIMIZERS)}")
        cls = getattr(keras.optimizers, name)
        defaults = cls().get_config()
        for setting, value in config.items():
            _check_setting(setting, value, defaults[setting])
        return make_optimizer(cls(**config))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArgumentError(f"The optimizer cannot be made: {str(error)[:300]}") from error


def changed_settings(name: str, earlier: Mapping, now: Mapping) -> str:
    """What of an optimizer's plain settings is not as it was: `optimizer beta 1 0.5 > 0.9`."""
    keys = sorted(key for key in earlier.keys() | now.keys() if earlier.get(key) != now.get(key))
    return "; ".join(
        f"{name} {key.replace('_', ' ')} {_in_short(earlier.get(key))} > {_in_short(now.get(key))}"
        for key in keys
    )


def _in_short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)  # of 32 bits


def _check_setting(name: str, value: Any, default: Any) -> None:
    """Refuse a setting of another kind than its default, or out of any useful range."""
    number = type(value) in (int, float)
    if isinstance(default, bool) or isinstance(default, str):
        good = type(value) is type(default)
    elif value is None or not number:
        good = value is None and default is None
    elif name in SHARES:
        good = 0 <= value < 1
    else:  # a few have negative defaults: Ftrl's learning_rate_power, Adafactor's beta_2_decay
        good = (0 if default is None or default >= 0 else -10) <= value <= MAX_SETTING
    if not good:
        raise ValueError(f"{name} is wrong. Received: {value!r:.100}")


def update_ema(average, trained, momentum: float, steps, move: Callable) -> None:
    """Move every weight of `average` towards `trained`, BatchNorm's statistics included.

    Args:
        average, trained: two models of the same shape.
        momentum: share of the average that stays, in [0, 1). Early on it is lower,
            (1 + steps) / (10 + steps) as in TensorFlow's ExponentialMovingAverage, so that the
            random start is soon forgotten.
        steps: training steps so far, a float32 scalar tensor.
        move: what moves a variable, as `dcgan.backend.move`.
    """
    share = 1 - keras.ops.minimum(momentum, (1 + steps) / (10 + steps))
    for mean, weight in zip(average.weights, trained.weights, strict=True):
        move(mean, weight.value, share)
