"""Growing networks: the plans of the phases, and networks that give what those before them gave."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from dcgan.networks import growing
from dcgan.networks.build import build_discriminator, build_generator
from dcgan.networks.growing import (
    enlarge_to,
    grow_discriminator,
    grow_generator,
    phase_plans,
    shrink_to,
)
from dcgan.networks.presets import PRESETS
from dcgan.networks.resolve import make_plan

OPTIONS = {
    "increment": 6,
    "kernel_size": (4, 4),
    "stride": (2, 2),
    "dropout": 0.0,
    "input_size": 8,
}
SMALLEST = growing.MIN_SIDE_GROWN  # as users have it


@pytest.fixture(autouse=True)
def small_images_grow(monkeypatch):
    """Let networks of small images grow, too."""
    monkeypatch.setattr("dcgan.networks.growing.MIN_SIDE_GROWN", 28)


def plan_of(img_size, depth, **options):
    return make_plan(img_size=img_size, depth=depth, **{**OPTIONS, **options})


@pytest.mark.once
def test_phases_halve_the_image_as_long_as_it_has_16_pixels():
    sizes = [plan.img_size for plan in phase_plans(plan_of((150, 150, 3), 4))]
    assert sizes == [(19, 19, 3), (38, 38, 3), (75, 75, 3), (150, 150, 3)]
    assert [plan.img_size for plan in phase_plans(plan_of((28, 28, 1), 3))] == [(28, 28, 1)]


@pytest.mark.once
def test_networks_of_small_images_do_not_grow(monkeypatch):
    monkeypatch.setattr("dcgan.networks.growing.MIN_SIDE_GROWN", SMALLEST)
    assert len(phase_plans(plan_of((300, 159, 3), 4))) == 1
    assert len(phase_plans(plan_of((300, 160, 3), 4))) > 1


@pytest.mark.once
def test_the_last_phase_is_the_plan_itself():
    plan = plan_of((64, 48, 3), 3)
    assert phase_plans(plan)[-1] is plan


@pytest.mark.once
@pytest.mark.parametrize("name", PRESETS)
def test_presets_do_not_grow(name):
    assert phase_plans(PRESETS[name].plan) == (PRESETS[name].plan,)


@pytest.mark.once
def test_other_networks_do_not_grow():
    plan = plan_of((64, 64, 3), 3)
    first, *others = plan.discriminator
    for other in (
        plan_of((64, 64, 3), 3, upsampling="resize"),
        plan_of((64, 64, 3), 3, stride=(1, 1)),
        plan_of((64, 64, 3), 3, stride=(2, 2), kernel_size=(1, 1)),
        plan_of((64, 64, 3), 3, increment=5),  # too few filters for an image and its negative
        replace(plan, discriminator=(replace(first, norm="batch"), *others)),
        replace(plan, generator=tuple(replace(stage, norm="none") for stage in plan.generator)),
        replace(plan, generator=(*plan.generator[:-2], replace(plan.generator[-1], stride=(2, 2)))),
    ):
        assert phase_plans(other) == (other,)


def test_shrinking_takes_means_and_repeats_the_border():
    images = np.arange(1 * 3 * 4 * 1, dtype="float32").reshape(1, 3, 4, 1)
    shrunk = ops.convert_to_numpy(shrink_to(ops.convert_to_tensor(images), (2, 2)))
    np.testing.assert_allclose(shrunk[0, :, :, 0], [[2.5, 4.5], [8.5, 10.5]])


def trained(plan):
    """Networks of a plan whose weights and statistics are not those of the start."""
    generator = build_generator(plan, seed=1, dtype="float32")
    discriminator = build_discriminator(plan, seed=2, dtype="float32")
    numbers = np.random.default_rng(0)
    for weight in (*generator.weights, *discriminator.weights):
        if "kernel" in weight.path or "bias" in weight.path:
            weight.assign(weight + numbers.normal(0, 0.05, weight.shape))
    return generator, discriminator


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("upsampling", ["transposed", "antialiased"])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_growing_changes_the_outputs_of_neither_network(norm, upsampling, training):
    plans = phase_plans(plan_of((64, 64, 3), 3, discriminator_norm=norm, upsampling=upsampling))
    assert len(plans) == 3
    latents = np.random.default_rng(1).standard_normal((64, 8), "float32")
    generator, discriminator = trained(plans[0])
    for plan in plans[1:]:
        images = ops.convert_to_numpy(generator(latents, training=False))
        grown = build_generator(plan, seed=5, dtype="float32")
        critic = build_discriminator(plan, seed=6, dtype="float32")
        grow_generator(generator, grown, plan, latents)
        grow_discriminator(discriminator, critic, plan, images)
        # Normalization in training takes other statistics: of the batch
        enlarged = enlarge_to(images, plan.img_size[:2])
        made = ops.convert_to_numpy(grown(latents, training=False))
        expected = enlarged
        if upsampling == "antialiased":
            for window in ((2, 1), (1, 2)):
                expected = keras.layers.AveragePooling2D(window, 1, "same")(expected)
            expected = ops.convert_to_numpy(expected)
        inner = (slice(None), slice(4, -4), slice(4, -4))  # the border is padded with zeros
        assert np.abs(made - expected)[inner].mean() < 0.05 * images.std()
        shrunk = ops.convert_to_numpy(shrink_to(ops.convert_to_tensor(enlarged), images.shape[1:3]))
        before = ops.convert_to_numpy(discriminator(shrunk, training=training))
        after = ops.convert_to_numpy(critic(enlarged, training=training))
        tolerance = 0.1 if training and norm == "batch" else 1e-4
        np.testing.assert_allclose(after, before, rtol=1e-6, atol=tolerance * before.std())
        generator, discriminator = grown, critic
        for layer in grown.layers:  # new factors are 0: give the next growth maps that count
            if layer.name.endswith("_latent_channels"):
                layer.kernel.assign(np.full(layer.kernel.shape, 0.1))


def test_all_weights_of_grown_networks_are_trained():
    """Zeros that stay zero would be lost."""
    first, second = phase_plans(plan_of((32, 32, 3), 2, discriminator_norm="none"))
    generator, discriminator = trained(first)
    critic = build_discriminator(second, seed=6, dtype="float32")
    grow_discriminator(discriminator, critic, second, np.zeros((4, 16, 16, 3), "float32"))
    kernel = ops.convert_to_numpy(critic.get_layer("stage_1").kernel)
    assert kernel.shape == (4, 4, 3, 6) and np.count_nonzero(kernel) == 2 * 2 * 3 * 6
    assert isinstance(critic, keras.Model)
