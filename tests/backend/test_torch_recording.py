"""A recorded training step is, number for number, the step that Keras takes."""

import keras
import numpy as np
import pytest
from keras import ops

from dcgan import DCGAN
from dcgan.optimizers import PLAIN_OPTIMIZERS

if keras.backend.backend() != "torch":
    pytest.skip("for PyTorch alone", allow_module_level=True)
import torch

FORMS = {
    "augmented": {"augmentation": 1.0},
    "dropout": {"dropout": 0.3, "precision": "mixed_bfloat16"},
    "one stage": {"discriminator_norm": "none", "upsampling": "antialiased", "augmentation": 0.5},
}
FORMS |= {name: {"optimizer": getattr(keras.optimizers, name)(1e-3)} for name in PLAIN_OPTIMIZERS}
FORMS["accumulated"] = {"optimizer": keras.optimizers.Adam(1e-3, gradient_accumulation_steps=2)}
CANNOT = {"SGD", "Adadelta", "Nadam", "accumulated"}  # Keras reads a number in their step


@pytest.fixture
def pair(tiny):
    """A function that makes two equal models, of which the second records nothing."""

    def make(**changes):
        models = [tiny(eagerly, **changes) for eagerly in (False, True)]
        for model in models:
            model.make_train_function()
        return models

    return make


def train(model, batches):
    return [{name: float(x) for name, x in model.train_function([one]).items()} for one in batches]


def assert_equal(models, arrays_of):
    first, second = map(arrays_of, models)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], name)


def batches_of(images, count, size=4):
    random = np.random.default_rng(0)
    return [images[random.permutation(len(images))[:size]] for _ in range(count)]


def recordings(model):
    return list(model.train_function._recordings)


@pytest.mark.parametrize("form", FORMS)
def test_recorded_steps_are_those_of_keras(pair, arrays_of, images, form):
    recorded, plain = pair(**FORMS[form])
    batches = batches_of(images, 8)
    assert train(recorded, batches) == train(plain, batches)
    assert_equal((recorded, plain), arrays_of)
    assert len(recordings(recorded)) == (form not in CANNOT)


def test_a_recording_does_not_go_through_keras(pair, images, monkeypatch):
    recorded, plain = pair(dropout=0.1)
    batches = batches_of(images, 4)
    train(recorded, batches)
    train(plain, batches)

    def call(layer, *arguments, **options):
        raise AssertionError(layer.name)

    monkeypatch.setattr(keras.layers.Layer, "__call__", call)
    train(recorded, batches)
    with pytest.raises(AssertionError, match="training_generator"):
        train(plain, batches)


def test_variables_may_change_between_steps(pair, arrays_of, images):
    models = pair(augmentation=1.0)
    batches = batches_of(images, 5)
    for model in models:
        train(model, batches)
        model.optimizer.learning_rate = 0.01
        model.augment.set(0.5, 10.0)
        model.reset_metrics()
        model.random.state.assign([7, 7])
        model.generator.set_weights([weight * 2 for weight in model.generator.get_weights()])
        train(model, batches)
    assert_equal(models, arrays_of)


def test_each_shape_and_dtype_has_its_own_recording(pair, arrays_of, images):
    models = pair()
    floats = [batch / np.float32(127.5) - 1 for batch in batches_of(images, 4)]
    for batches in (batches_of(images, 4), batches_of(images, 4, size=3), floats):
        for model in models:
            train(model, batches)
    assert len(recordings(models[0])) == 3
    assert_equal(models, arrays_of)


def test_what_is_compiled_anew_is_recorded_anew(pair, images):
    recorded, _ = pair()
    train(recorded, batches_of(images, 4))
    before = recorded.train_function
    recorded.make_train_function()
    assert recorded.train_function is before
    recorded.make_train_function(force=True)
    assert recordings(recorded) == []


def test_labels_are_not_used_here_either(pair, arrays_of, images):
    recorded, plain = pair()
    batches = batches_of(images, 4)
    train(recorded, [(batch, np.arange(len(batch))) for batch in batches])
    train(plain, batches)
    assert_equal((recorded, plain), arrays_of)


class HingeGAN(DCGAN):
    def discriminator_loss(self, real_logits, fake_logits):
        return ops.mean(ops.relu(1 - real_logits) + ops.relu(1 + fake_logits))


class ReadingGAN(DCGAN):
    """Its loss is of another form in each step, as a number says that it reads."""

    def discriminator_loss(self, real_logits, fake_logits):
        number = self.read(real_logits.detach())
        return ops.mean(ops.relu(1 - real_logits)) + number * ops.mean(ops.relu(1 + fake_logits))


def read_and_go_on(logits):
    try:
        return float(logits[0])
    except Exception:
        return 1.0


def of_few(logits):
    return logits[logits > logits.mean()].mean()


def counted(logits):
    total = ops.convert_to_tensor(0.5)
    total += logits.mean()  # in place
    return total


READERS = {
    "array": lambda logits: ops.convert_to_numpy(logits).mean(),
    "list": lambda logits: logits.tolist()[0][0],
    "branch": lambda logits: 2.0 if logits.mean() > 0 else 1.0,
    "in vain": read_and_go_on,
    "shape": of_few,
    "in place": counted,
    "noise": lambda logits: torch.rand(()).item(),
}


def of_kind(kind, recorded=True):
    gan = kind(img_size=(16, 12, 3), depth=2, increment=4, batch_size=4, augmentation=1.0)
    gan.run_eagerly = not recorded
    gan.make_train_function()
    return gan


def test_losses_of_a_subclass_are_recorded(arrays_of, images):
    recorded, plain = of_kind(HingeGAN), of_kind(HingeGAN, recorded=False)
    batches = batches_of(images, 5)
    assert train(recorded, batches) == train(plain, batches)
    assert len(recordings(recorded)) == 1
    assert_equal((recorded, plain), arrays_of)


@pytest.mark.parametrize("name", READERS)
def test_a_loss_that_reads_numbers_is_not_recorded(arrays_of, images, name):
    models = of_kind(ReadingGAN), of_kind(ReadingGAN, recorded=False)
    batches = batches_of(images, 6)
    for model in models:
        model.read = READERS[name]
        torch.manual_seed(0)
        numbers = train(model, batches)
    assert recordings(models[0]) == []
    if name != "noise":  # which is drawn once more where the step is taken again
        assert train(models[0], batches) == train(models[1], batches)
        assert_equal(models, arrays_of)
    assert np.isfinite(list(numbers[-1].values())).all()


class CountingGAN(DCGAN):
    updates = 0

    def update(self, real, latents=None):
        self.updates += 1
        return super().update(real, latents)


def test_a_step_of_a_subclass_is_taken_as_it_is(images):
    gan = of_kind(CountingGAN)
    train(gan, batches_of(images, 5))
    assert gan.updates == 5


def test_a_counter_in_a_layer_may_be_an_integer():
    from dcgan.backend import move

    variable = keras.Variable(4, trainable=False, dtype="int32")
    move(variable, torch.tensor(8), 0.5)
    assert int(variable.value) == 6
