"""The class: the step, generating, saving and loading, and Keras's ways of using a model."""

import inspect
import json
import os
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from dcgan import DCGAN, ArgumentError, ModelFileError
from dcgan.options import table

PARITY = Path(__file__).parent / "parity.json"
FORMS = {
    "one stage": {"discriminator_norm": "none", "upsampling": "antialiased"},
    "in turn": {"discriminator_norm": "batch", "upsampling": "transposed"},
}


def three_fixed_steps(tiny, **changes):
    """A tiny DCGAN after three steps from fixed weights, on fixed images and latents."""
    gan = tiny(augmentation=0.0, dropout=0.0, precision="float32", **changes)
    random = np.random.Generator(np.random.Philox(key=1))
    for network in (gan.training_generator, gan.discriminator):
        for weight in network.weights:
            around_one = weight.path.endswith(("gamma", "moving_variance", "_scale/bias"))
            level = 1.0 if around_one else 0.0
            spread = 0.0 if weight.name == "moving_variance" else 0.1
            weight.assign(level + spread * random.uniform(-1, 1, weight.shape))
    gan.generator.set_weights(gan.training_generator.get_weights())
    for _ in range(3):
        real = random.integers(0, 256, (6, *gan.img_size)).astype(np.uint8)
        latents = random.uniform(-1, 1, (6, gan.input_size)).astype(np.float32)
        gan.update(ops.convert_to_tensor(real), ops.convert_to_tensor(latents))
    return gan


def digest(arrays):
    """Three numbers that stand for each float array: sum, sum of sizes, and a weighted sum."""
    numbers = {}
    for name, array in arrays.items():
        left_out = name.startswith(("state/random", "state/sums", "state/augmentation"))
        if array.dtype == np.float32 and not left_out:
            flat = array.astype(np.float64).ravel()
            weights = np.cos(np.arange(len(flat)))
            numbers[name] = [flat.sum(), np.abs(flat).sum(), (flat * weights).sum()]
    return numbers


@pytest.mark.parametrize("form", FORMS)
def test_three_steps_give_the_stored_numbers_on_every_backend(tiny, form, arrays_of):
    # Written by TensorFlow; 1e-5 of an array's size leaves room for sums in another order.
    # To store anew after a change of the algorithm: STORE_PARITY=1 pytest tests/test_gan.py -n 0
    found = digest(arrays_of(three_fixed_steps(tiny, **FORMS[form])))
    stored = json.loads(PARITY.read_text())
    if os.environ.get("STORE_PARITY"):
        PARITY.write_text(json.dumps({**stored, form: found}, indent=1) + "\n")
    stored = stored[form]
    assert found.keys() == stored.keys()
    for name, numbers in found.items():
        size = max(1.0, stored[name][1])
        assert np.abs(np.subtract(numbers, stored[name])).max() <= 1e-5 * size, name


def changed(before, after):
    return {name.split("/")[0] for name in before if (before[name] != after[name]).any()}


def use_latent_maps(gan):
    """Let the maps of the latent, whose factors begin at 0, reach the images.

    With one sign they would silence all channels of some pixels, and D begin at a bend of its ReLU.
    """
    factors = gan.training_generator.get_layer("stage_1_latent_channels").kernel
    signs = np.where(np.arange(factors.shape[-1]) % 2, -1, 1)
    factors.assign(signs.reshape(1, 1, 1, -1).astype("float32"))


def test_one_stage_teaches_the_generator_what_asking_again_would(tiny, images, arrays_of):
    # with a discriminator that hardly learns, before and after its update are the same
    forms = []
    for one_stage in (True, False):
        gan = tiny(
            one_stage=one_stage,
            discriminator_norm="none",
            augmentation=0.0,
            discriminator_optimizer=1e-12,
            precision="float32",
        )
        assert gan.uses_one_stage is one_stage
        use_latent_maps(gan)
        gan.update(ops.convert_to_tensor(images[:4]), np.ones((4, 8), np.float32))
        forms.append(arrays_of(gan))
    moments = [name for name in forms[0] if name.startswith("optimizer/generator/")][2:]
    assert moments  # what Adam remembers of the gradients, after its count and its rate
    for name in moments:
        one, other = forms[0][name], forms[1][name]
        assert np.abs(one - other).max() <= 1e-4 * np.abs(other).max() > 0, name


def test_discriminator_step_leaves_both_generators_alone(tiny, images, arrays_of):
    gan = tiny()
    real = ops.convert_to_tensor(images[:4].astype(np.float32) / 127.5 - 1)
    before = arrays_of(gan)
    gan.discriminator_step(real, gan.training_generator(np.ones((4, 8), np.float32)))
    assert changed(before, arrays_of(gan)) == {"discriminator", "optimizer"}


def test_generator_step_moves_no_trained_weight_of_the_discriminator(tiny):
    gan = tiny()
    use_latent_maps(gan)
    weights = gan.training_generator.trainable_variables
    fake, pull_back = gan.pullback(
        lambda: gan.training_generator(np.ones((4, 8), np.float32), training=True), weights
    )
    before = [ops.convert_to_numpy(v).copy() for v in gan.discriminator.trainable_variables]
    kernels = [ops.convert_to_numpy(v).copy() for v in weights]
    gan.generator_step(fake, pull_back, None, None)
    after = [ops.convert_to_numpy(v) for v in gan.discriminator.trainable_variables]
    assert all((b == a).all() for b, a in zip(before, after, strict=True))
    moved = [(b != ops.convert_to_numpy(v)).any() for b, v in zip(kernels, weights, strict=True)]
    assert all(moved)


def test_batch_normalization_learns_statistics_in_the_step(tiny, images, arrays_of):
    gan = tiny()
    before = arrays_of(gan)
    gan.update(ops.convert_to_tensor(images[:4]))
    after = arrays_of(gan)
    moving = [name for name in before if name.split("/")[-1].startswith("moving_")]
    assert len(moving) == 2 * 2 * 3 + 2  # two generators with three layers, discriminator with one
    assert all((before[name] != after[name]).any() for name in moving)


def test_the_kept_generator_is_an_ema_statistics_included(tiny, images, arrays_of):
    gan = tiny(ema_momentum=0.9)
    old = arrays_of(gan)
    gan.update(ops.convert_to_tensor(images[:4]))
    new = arrays_of(gan)
    momentum = (1 + 1) / (10 + 1)  # of the first step: lower than 0.9
    for name, array in new.items():
        if name.startswith("generator/"):
            expected = momentum * old[name] + (1 - momentum) * new[f"training_{name}"]
            assert np.allclose(array, expected, atol=1e-7), name


def test_with_ema_momentum_0_the_trained_generator_is_kept(tiny, images, arrays_of):
    gan = tiny(ema_momentum=0)
    gan.update(ops.convert_to_tensor(images[:4]))
    arrays = arrays_of(gan)
    names = [name for name in arrays if name.startswith("generator/")]
    # one float32 rounding apart: the average is moved by the difference
    assert all(np.allclose(arrays[n], arrays[f"training_{n}"], atol=1e-6) for n in names)


def test_uint8_and_floats_in_minus_one_to_one_are_the_same_images(tiny, images):
    latents = np.ones((4, 8), np.float32)
    logs = []
    for real in (images[:4], images[:4].astype(np.float32) / 127.5 - 1):
        result = tiny(augmentation=0.0).update(ops.convert_to_tensor(real), latents)
        logs.append([float(value) for value in result.values()])
    assert np.allclose(logs[0], logs[1], atol=1e-5)


def test_a_image_is_the_same_however_many_are_made(tiny):
    gan = tiny()
    many = gan.generate(70, seed=5)
    assert many.shape == (70, 16, 12, 3) and many.dtype == np.uint8
    # a batch of another size may be summed in another order: at most one level of brightness
    assert np.abs(gan.generate(3, seed=5).astype(int) - many[:3]).max() <= 1
    assert (gan.generate(70, seed=5) == many).all()
    assert (gan.generate(3, seed=6) != many[:3]).any()


def test_generate_takes_latents(tiny):
    gan = tiny()
    latents = np.zeros((2, 8), np.float32)
    images = gan.generate(latents=latents)
    assert images.shape == (2, 16, 12, 3)
    assert (images[0] == images[1]).all()
    assert gan.generate(0).shape == (0, 16, 12, 3)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_number_of_channels_trains_and_generates(tiny, channels):
    gan = tiny(img_size=(13, 11, channels))
    real = np.random.default_rng(0).integers(0, 256, (4, 13, 11, channels)).astype(np.uint8)
    logs = gan.update(ops.convert_to_tensor(real))
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert gan.generate(2).shape == (2, 13, 11, channels)


@pytest.mark.parametrize(
    "bad",
    [
        {"n": -1},
        {"n": 2.5},
        {"n": "3"},
        {"n": 10**9},
        {"seed": -1},
        {"seed": 1.5},
        {"latents": np.zeros((2, 9))},
        {"latents": np.full((2, 8), np.nan)},
        {"latents": "seven"},
    ],
)
def test_generate_refuses_by_name(tiny, bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        tiny().generate(**bad)


def test_save_and_load_give_identical_images(tiny, images, tmp_path, arrays_of):
    gan = tiny(dropout=0.2, optimizer="rmsprop")
    gan.update(ops.convert_to_tensor(images[:4]))
    gan.save(tmp_path / "new folder" / "sea.dcgan")
    loaded = DCGAN.load(tmp_path / "new folder" / "sea.dcgan")
    assert (loaded.generate(5, seed=3) == gan.generate(5, seed=3)).all()
    before, after = arrays_of(gan), arrays_of(loaded)
    assert before.keys() == after.keys()
    assert all((before[name] == after[name]).all() for name in before)
    assert type(loaded.optimizer.generator).__name__ == "RMSprop"


def test_a_file_that_is_there_can_be_left_alone(tiny, tmp_path):
    tiny().save(tmp_path / "sea.dcgan")
    before = (tmp_path / "sea.dcgan").read_bytes()
    with pytest.raises(ModelFileError, match="is there already"):
        tiny(seed=1).save(tmp_path / "sea.dcgan", overwrite=False)
    assert (tmp_path / "sea.dcgan").read_bytes() == before


def test_a_generator_only_file_generates_and_says_why_it_cannot_train(tiny, images, tmp_path):
    gan = tiny()
    gan.save(tmp_path / "small.dcgan", generator_only=True)
    gan.save(tmp_path / "whole.dcgan")
    loaded = DCGAN.load(tmp_path / "small.dcgan")
    assert (loaded.generate(3) == gan.generate(3)).all()
    sizes = [(tmp_path / name).stat().st_size for name in ("small.dcgan", "whole.dcgan")]
    assert sizes[0] < sizes[1] / 2
    loaded.save(tmp_path / "again.dcgan")
    for incomplete in (loaded, DCGAN.load(tmp_path / "again.dcgan")):
        with pytest.raises(ArgumentError, match="generator-only"):
            incomplete.fit(images, epochs=1)


def test_config_makes_the_same_model_again(tiny, arrays_of):
    gan = tiny(dropout=0.3, optimizer=1e-3, seed=9, upsampling="resize")
    again = DCGAN.from_config(json.loads(json.dumps(gan.get_config())))
    assert again.plan == gan.plan
    assert again.optimizer.rates == gan.optimizer.rates
    before, after = arrays_of(gan), arrays_of(again)
    assert all((before[name] == after[name]).all() for name in before)


def test_both_optimizers_keep_the_paper_defaults_and_can_differ(tiny):
    for optimizer in (tiny().optimizer.generator, tiny().optimizer.discriminator):
        config = optimizer.get_config()
        assert config["learning_rate"] == pytest.approx(2e-4)
        assert config["beta_1"] == 0.5
    gan = tiny(optimizer=1e-3, discriminator_optimizer=keras.optimizers.SGD(0.1))
    assert gan.optimizer.rates == pytest.approx((1e-3, 0.1))
    gan.optimizer.learning_rate = 5e-4  # as Keras's schedule callbacks set it
    assert gan.optimizer.rates == pytest.approx((5e-4, 0.05))


def test_one_optimizer_instance_serves_both_networks_without_sharing_state(tiny):
    shared = keras.optimizers.Adam(1e-3)
    gan = tiny(optimizer=shared, discriminator_optimizer=shared)
    assert gan.optimizer.generator is not gan.optimizer.discriminator
    assert not shared.built


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("img_size", (0, 0, 3)),
        ("img_size", (150, 150)),
        ("img_size", (150, 150, 2)),
        ("img_size", "150"),
        ("img_size", (10**6, 10**6, 3)),
        ("img_size", (150.0, 150, 3)),
        ("depth", 5),
        ("depth", 0),
        ("increment", -1),
        ("batch_size", 0),
        ("kernel_size", (4, 0)),
        ("kernel_size", (4, 4, 4)),
        ("stride", None),
        ("input_size", 10.5),
        ("dropout", 1.5),
        ("dropout", float("nan")),
        ("optimizer", float("nan")),
        ("optimizer", -1.0),
        ("optimizer", "adamant"),
        ("discriminator_optimizer", object()),
        ("seed", -1),
        ("ema_momentum", 1.0),
        ("augmentation", 2),
        ("horizontal_flip", "yes"),
        ("resize", "squash"),
        ("background", (0, 0, 256)),
        ("upsampling", "nearest"),
        ("discriminator_norm", "layer"),
        ("precision", "mixed_float16"),
        ("network_plan", 7),
        ("save_path", ""),
    ],
)
def test_a_bad_argument_is_refused_by_name(tiny, name, value):
    with pytest.raises(ArgumentError, match=name):
        tiny(**{name: value})


def test_every_variable_has_a_name_and_no_two_share_one(tiny):
    gan = tiny(dropout=0.1)
    named = gan._learner().variables
    augment = gan.augment
    settings = {id(v) for v in (augment.strength, augment.ramp_images, gan.numbers.first_broken)}
    trained = [*gan.variables, *gan.optimizer.generator.variables, *gan.metrics_variables]
    assert {id(v) for v in trained} - settings == {id(v) for v in named.values()} - {
        id(v) for v in gan.optimizer.discriminator.variables
    }
    assert len({id(v) for v in named.values()}) == len(named)


def test_every_option_is_an_attribute_with_the_value_that_was_given(tiny):
    given = {"depth": 1, "dropout": 0.25, "augmentation": 0.5, "one_stage": False, "seed": 7}
    gan = tiny(**given, upsampling="resize")
    assert {name: getattr(gan, name) for name in given} == given
    assert (gan.upsampling, gan.plan.upsampling) == ("resize", "resize")
    assert tiny(optimizer=1e-3).options.optimizer == 1e-3


def test_a_size_that_contradicts_the_plan_is_refused(tiny):
    plan = tiny().plan
    assert DCGAN(network_plan=plan).img_size == (16, 12, 3)
    with pytest.raises(ArgumentError, match="img_size contradicts network_plan"):
        DCGAN(network_plan=plan, img_size=(20, 20, 3))


def test_signature_and_docstring_have_the_options_of_the_table():
    parameters = [p for p in inspect.signature(DCGAN.__init__).parameters.values()][1:]
    assert [p.name for p in parameters] == [*table()]
    assert [p.default for p in parameters] == [row.default for row in table().values()]
    keyword_only = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    assert keyword_only == [*table()][10:]
    args = inspect.getdoc(DCGAN).split("Args:")[1].split("\n\n")[0]
    assert re.findall(r"^    (\w+):", args, re.M) == [*table()]


def test_augmentation_changes_without_a_new_step_and_none_costs_nothing(tiny):
    gan = tiny(augmentation=0.5)
    assert gan.augment.set(0.25, ramp_images=10) is False
    assert gan.augment.set(0.0, ramp_images=10) is True
    images = ops.convert_to_tensor(np.zeros((2, 16, 12, 3), np.float32))
    assert gan.augment(images, seed=gan.random) is images


def test_a_plan_too_wide_for_the_memory_loads_but_neither_generates_nor_trains(tiny, monkeypatch):
    tiny().save("wide.dcgan")
    monkeypatch.setattr("dcgan.data.memory.free_memory", lambda: 1_000)
    gan = DCGAN.load("wide.dcgan")
    with pytest.raises(ArgumentError, match="Each image needs .* GB are free"):
        gan.generate(1)
    with pytest.raises(ArgumentError, match="Training needs .*batch_size"):
        gan.fit(np.zeros((4, 16, 12, 3), np.uint8), epochs=1)


def test_a_subclass_with_losses_of_its_own_trains_with_them_in_turn(images):
    class Own(DCGAN):
        def discriminator_loss(self, real_logits, fake_logits):
            return 0 * ops.mean(real_logits) + 0 * ops.mean(fake_logits) + 3

        def generator_loss(self, fake_logits):
            return 0 * ops.mean(fake_logits) + 5

    options = {"img_size": (16, 12, 3), "depth": 2, "increment": 2, "discriminator_norm": "none"}
    gan = Own(**options)
    assert not gan.uses_one_stage and DCGAN(**options).uses_one_stage
    gan.run_eagerly = True
    logs = gan.train_on_batch(images[:4], return_dict=True)
    assert logs["d_loss"] == 3 and logs["g_loss"] == 5


def test_a_generator_alone_cannot_be_compiled(tiny):
    tiny().save("g.dcgan", generator_only=True)
    with pytest.raises(ArgumentError, match="generator-only"):
        DCGAN.load("g.dcgan").compile()


def test_numpys_whole_numbers_are_whole_numbers(tiny):
    assert tiny(img_size=np.int64(16)).img_size == (16, 16, 3)


def test_a_whole_number_is_the_side_of_a_square_in_color(tiny):
    gan = tiny(img_size=12)
    assert gan.img_size == (12, 12, 3) and gan.generate(2).shape == (2, 12, 12, 3)


def test_without_a_batch_size_deep_networks_take_half_as_many_images_per_step(tiny):
    deep = {"img_size": (32, 32, 1), "increment": 1, "depth": 5}
    assert tiny(batch_size=None).batch_size == 16
    assert tiny(batch_size=None, **deep).options.batch_size == 8
    assert tiny(batch_size=3, **deep).batch_size == 3
