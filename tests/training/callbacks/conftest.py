"""Callbacks that break a training in a given way, and what its run folder says afterwards."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from dcgan.storage.model_file import read_model_file


def _at(steps, damage):
    """A callback that damages the model after each of these steps."""
    waiting = sorted(steps)

    def act(batch, logs=None):
        model = callback.model
        if waiting and model.state.step >= waiting[0]:
            waiting.pop(0)
            damage(model)

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=act)
    return callback


@pytest.fixture
def breaking_at():
    """A function from steps to a callback that makes a weight NaN after each of them."""

    def damage(model):
        kernel = model.training_generator.get_layer("base").kernel
        kernel.assign(np.full(kernel.shape, np.nan, np.float32))

    return lambda steps: _at(steps, damage)


@pytest.fixture
def collapsing_at():
    """A function from steps to a callback that makes the generator constant after each of them."""

    def damage(model):
        for network in (model.training_generator, model.generator):
            for layer in network.layers:
                if isinstance(layer, keras.layers.Dense):  # what receives the latent
                    layer.kernel.assign(np.zeros(layer.kernel.shape, np.float32))

    return lambda steps: _at(steps, damage)


@pytest.fixture
def noisy():
    """A function that gives a generator strong random weights: its samples vary much."""

    def change(gan):
        random = np.random.default_rng(0)
        for weight in gan.training_generator.trainable_weights:
            if weight.name == "kernel" and "_latent_" not in weight.path:
                weight.assign(random.normal(0, 0.5, weight.shape).astype(np.float32))
        gan.generator.set_weights(gan.training_generator.get_weights())
        return gan

    return change


@pytest.fixture
def log_lines():
    """A function from a run folder to the lines of its log that have a key."""

    def read(run, key):
        lines = Path(run, "log.jsonl").read_text().splitlines()
        return [line for line in map(json.loads, lines) if key in line]

    return read


@pytest.fixture
def newest_state():
    """A function from a run folder to the training state of its newest checkpoint."""

    def read(run):
        newest = max(Path(run, "checkpoints").iterdir())
        return read_model_file(newest).document["training"]

    return read
