"""Presets: the systems that they are named after, weight by weight, and their training."""

import math

import numpy as np
import pytest

from dcgan.errors import ArgumentError
from dcgan.networks.plan import check_plan, count_weights, weight_shapes
from dcgan.networks.presets import PRESETS, class_system, list_presets, preset_options
from dcgan.options import table

# Generator's and discriminator's weights, BatchNorm's statistics included: from the layer tables of
# the systems. Those of faces are this project's, as the original could not build it.
COUNTS = {
    "sea": (2_940_515, 199_585),
    "faces": (1_962_179, 378_625),
    "faces-deep": (1_435_715, 651_649),
    "mnist-upsample": (708_609, 80_769),
    "mnist-paper": (1_687_297, 1_555_457),
    "mnist-tutorial": (2_330_945, 212_865),
    "mnist-small": (840_705, 212_865),
    "dcgan-64": (3_578_624, 2_767_360),
}
MNIST = [name for name in PRESETS if name.startswith("mnist")]
NETWORKS = ("generator", "discriminator")
SHAPING = sorted(name for name, row in table().items() if row.metadata["group"] == "network")


def digits(count):
    """Random images of MNIST's size."""
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1)).astype(np.uint8)


def layer_weights(name, network, layer):
    """Number of weights in one layer of a preset."""
    shapes = weight_shapes(PRESETS[name].plan, network)
    return sum(math.prod(s) for weight, s in shapes.items() if weight.split("/")[0] == layer)


@pytest.mark.once
@pytest.mark.parametrize("name", PRESETS)
def test_networks_have_the_published_number_of_weights(name):
    from dcgan.networks.build import build_discriminator, build_generator

    plan = PRESETS[name].plan
    check_plan(plan)
    built = (build_generator(plan).count_params(), build_discriminator(plan).count_params())
    assert built == COUNTS[name]
    assert PRESETS[name].weights == COUNTS[name]


def test_dcgan_64_has_as_many_trained_weights_as_pytorch_counts():
    trained = [
        sum(
            math.prod(shape)
            for weight, shape in weight_shapes(PRESETS["dcgan-64"].plan, network).items()
            if "/moving_" not in weight
        )
        for network in NETWORKS
    ]
    assert trained == [3_576_704, 2_765_568]


@pytest.mark.parametrize(
    ("name", "network", "layer", "count"),
    [
        ("sea", "generator", "base", (200 + 1) * 10 * 10 * 128),
        ("sea", "generator", "base_norm", 4 * 10 * 10 * 128),  # a mean for each unit
        ("sea", "generator", "stage_4", 3 * 3 * 64 * 3 + 3),
        ("sea", "discriminator", "stage_1", 3 * 3 * 3 * 32 + 32),
        ("sea", "discriminator", "stage_1_norm", 4 * 32),
        ("sea", "discriminator", "logit", 10 * 10 * 128 + 1),
        ("faces", "generator", "base", (200 + 1) * 7 * 6 * 160),
        ("faces-deep", "discriminator", "logit", 4 * 3 * 192 + 1),
        ("mnist-upsample", "generator", "base_norm", 4 * 128),  # a mean for each channel
        ("mnist-upsample", "generator", "stage_1", 3 * 3 * 128 * 64 + 64),
        ("mnist-paper", "generator", "base_norm", 4 * 7 * 7 * 256),
        ("mnist-paper", "discriminator", "logit", 2 * 2 * 512 + 1),
        ("mnist-tutorial", "generator", "base", 100 * 7 * 7 * 256),
        ("mnist-tutorial", "generator", "stage_3", 5 * 5 * 64 + 1),  # its one bias
        ("mnist-small", "generator", "base", (100 + 1) * 7 * 7 * 128),
        ("dcgan-64", "discriminator", "logit", 4 * 4 * 512),
    ],
)
def test_layers_have_the_number_of_weights_computed_by_hand(name, network, layer, count):
    assert layer_weights(name, network, layer) == count


@pytest.mark.parametrize(
    ("side", "base", "depth", "counts"),
    [
        (150, 19, 3, (7_245_251, 110_209)),
        (150, 5, 5, (1_404_579, 375_905)),
        (150, 3, 6, (1_317_635, 651_073)),
    ],
)
def test_the_class_system_has_its_counts_at_other_depths_too(side, base, depth, counts):
    plan = class_system((side, side, 3), (base, base), depth)
    assert tuple(count_weights(plan, network) for network in NETWORKS) == counts


@pytest.mark.parametrize("name", MNIST)
def test_a_training_step_of_a_preset_changes_both_networks(name):
    import keras

    from dcgan import DCGAN

    gan = DCGAN.from_preset(name)
    networks = (gan.generator, gan.discriminator)
    before = [network.get_weights() for network in networks]
    gan.run_eagerly = keras.backend.backend() != "jax"  # which compiles each operation
    logs = gan.train_on_batch(digits(2), return_dict=True)
    assert all(np.isfinite(float(value)) for value in logs.values())
    for network, old in zip(networks, before, strict=True):
        new = network.get_weights()
        assert all((a != b).any() for a, b in zip(old, new, strict=True) if a.ndim > 1)
    assert gan.generate(2).shape == (2, 28, 28, 1)


@pytest.mark.once
def test_original_recipe_brings_its_optimizers_and_no_augmentation_and_no_ema():
    from dcgan import DCGAN

    gan = DCGAN.from_preset("mnist-tutorial", seed=3)
    options = gan.options
    assert (options.batch_size, options.augmentation, options.ema_momentum) == (256, 0, 0)
    assert (options.one_stage, options.seed) == (False, 3)
    for optimizer in (gan.optimizer.generator, gan.optimizer.discriminator):
        assert type(optimizer).__name__ == "Adam"
        assert optimizer.beta_1 == 0.9
        assert float(optimizer.learning_rate) == pytest.approx(1e-4)


def test_own_recipe_is_the_networks_with_this_packages_training():
    assert preset_options("sea", "own") == {"network_plan": PRESETS["sea"].plan}


def test_changes_replace_the_presets_values_and_leave_the_preset_as_it_was():
    made = preset_options("mnist-small", changes={"batch_size": 7, "ema_momentum": 0.9})
    made["optimizer"]["config"]["learning_rate"] = 1.0
    again = preset_options("mnist-small")
    assert (made["batch_size"], made["ema_momentum"]) == (7, 0.9)
    assert (again["batch_size"], again["ema_momentum"]) == (32, 0.0)
    assert again["optimizer"]["config"]["learning_rate"] == 1e-3


@pytest.mark.parametrize("img_size", [(150, 150, 3), [150, 150, 3]])
def test_what_the_plan_says_may_be_repeated(img_size):
    assert "img_size" not in preset_options("sea", changes={"img_size": img_size})


@pytest.mark.parametrize("option", SHAPING)
def test_changes_of_the_networks_are_refused_by_name(option):
    with pytest.raises(ArgumentError, match=f"'sea'.*{option}=77.*DCGAN"):
        preset_options("sea", changes={option: 77})


def test_the_options_that_shape_the_networks_are_those_of_the_table():
    assert {"kernel_size", "img_size", "dropout", "upsampling", "network_plan"} < set(SHAPING)
    assert not {"batch_size", "seed", "resize", "save_path"} & set(SHAPING)


def test_an_unknown_preset_or_recipe_is_refused_with_those_there_are():
    with pytest.raises(
        ArgumentError, match="mnist-paper.*Received: preset='mnist-papper'.*Did you mean"
    ):
        preset_options("mnist-papper")
    with pytest.raises(ArgumentError, match="Received: preset=None"):
        preset_options(None)
    with pytest.raises(ArgumentError, match="'original' or 'own'"):
        preset_options("sea", "mine")


def test_the_list_of_presets_is_a_copy():
    listed = list_presets()
    assert listed == PRESETS
    listed["sea"].training["batch_size"] = 1
    listed.clear()
    assert preset_options("sea")["batch_size"] == 32


def test_every_presets_training_is_made_of_known_options():
    known = {name for name, row in table().items() if row.metadata["group"] == "training"}
    assert all(preset.training.keys() <= known for preset in list_presets().values())
