"""The pair of optimizers, and the plain form in which files hold them."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from dcgan import ArgumentError
from dcgan.backend import move
from dcgan.optimizers import (
    PLAIN_OPTIMIZERS,
    make_optimizer,
    make_pair,
    optimizer_from_plain,
    optimizer_to_plain,
    update_ema,
)


def test_the_pair_holds_every_variable_of_both(tiny):
    pair = tiny().optimizer
    inside = {id(v) for one in (pair.generator, pair.discriminator) for v in one.variables}
    assert inside < {id(v) for v in pair.variables}


def test_plain_form_gives_the_same_settings_back():
    made = keras.optimizers.AdamW(3e-4, weight_decay=0.01, beta_1=0.3, clipnorm=1.0)
    again = optimizer_from_plain(optimizer_to_plain(made))
    assert type(again) is type(made)
    assert optimizer_to_plain(again) == optimizer_to_plain(made)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"class": "Adam"},
        {"class": "Optimizer", "config": {}},
        {"class": "__import__", "config": {}},
        {"class": "Adam", "config": {"learning_rate": {"class_name": "Lambda"}}},
        {"class": "Adam", "config": {"surprise": 1}},
        {"class": "Adam", "config": {"learning_rate": -1.0}},
        {"class": ["Adam"], "config": {}},
        {"class": "Adam", "config": {"beta_1": 7.0}},
        {"class": "Adam", "config": {"beta_1": None}},
        {"class": "Adam", "config": {"beta_2": True}},
        {"class": "Adam", "config": {"epsilon": -1e-7}},
        {"class": "Adam", "config": {"epsilon": "tiny"}},
        {"class": "Adam", "config": {"amsgrad": 1}},
        {"class": "Adam", "config": {"clipnorm": -1.0}},
        {"class": "Adam", "config": {"learning_rate": 1e300}},
        {"class": "SGD", "config": {"momentum": -0.5}},
        {"class": "RMSprop", "config": {"rho": 1e9}},
    ],
)
def test_an_optimizer_of_the_wrong_kind_or_range_is_refused(values):
    with pytest.raises(ArgumentError):
        optimizer_from_plain(values)


def test_what_could_not_be_saved_is_refused_at_the_door():
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, 100)
    with pytest.raises(ArgumentError, match="LearningRateScheduler"):
        make_optimizer(keras.optimizers.Adam(schedule))
    with pytest.raises(ArgumentError, match="discriminator_optimizer"):
        make_pair(None, "muon")


def test_the_ratio_of_both_rates_survives_a_rate_of_zero():
    pair = make_pair(1e-3, 2e-3)
    pair.learning_rate = 0.0
    pair.learning_rate = 5e-4
    assert pair.rates == pytest.approx((5e-4, 1e-3))


def test_a_learning_rate_may_be_numpys():
    assert float(make_optimizer(np.float64(3e-4)).learning_rate) == pytest.approx(3e-4)


@pytest.mark.parametrize("name", PLAIN_OPTIMIZERS)
def test_every_keras_optimizer_passes_its_own_check(name):
    made = make_optimizer(getattr(keras.optimizers, name)())
    assert type(optimizer_from_plain(optimizer_to_plain(made))) is type(made)


@pytest.mark.parametrize(("kind", "expected"), [("float32", 5.5), ("int32", 5)])
def test_the_average_moves_weights_of_every_kind(kind, expected):
    average, trained = (keras.Variable(value, dtype=kind, trainable=False) for value in (6, 5))
    networks = [SimpleNamespace(weights=[weight]) for weight in (average, trained)]
    update_ema(*networks, 0.5, np.float32(1e9), move)
    assert float(keras.ops.convert_to_numpy(average)) == expected
