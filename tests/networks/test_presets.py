"""Are the presets the systems that they are named after, and does each train?"""

import math

import numpy as np
import pytest

from dcgan.cli import main
from dcgan.errors import ArgumentError
from dcgan.networks.plan import check_plan, count_weights, weight_shapes
from dcgan.networks.presets import PRESETS, class_system
from dcgan.networks.recipes import PLANNED, preset_options

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
PLAYERS = ("generator", "discriminator")


def digits(count):
    """Random images of MNIST's size."""
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1)).astype(np.uint8)


def layer_weights(name, player, layer):
    """Number of weights in one layer of a preset."""
    shapes = weight_shapes(PRESETS[name].plan, player)
    return sum(math.prod(s) for weight, s in shapes.items() if weight.split("/")[0] == layer)


@pytest.mark.parametrize("name", PRESETS)
def test_networks_have_the_published_number_of_weights(name):
    from dcgan.networks.build import build_discriminator, build_generator

    plan = PRESETS[name].plan
    check_plan(plan)
    built = (build_generator(plan).count_params(), build_discriminator(plan).count_params())
    assert built == COUNTS[name]
    assert tuple(count_weights(plan, player) for player in PLAYERS) == COUNTS[name]


def test_dcgan_64_has_as_many_trained_weights_as_pytorch_counts():
    trained = [
        sum(
            math.prod(shape)
            for weight, shape in weight_shapes(PRESETS["dcgan-64"].plan, player).items()
            if "/moving_" not in weight
        )
        for player in PLAYERS
    ]
    assert trained == [3_576_704, 2_765_568]


@pytest.mark.parametrize(
    ("name", "player", "layer", "count"),
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
def test_layers_have_the_number_of_weights_worked_out_by_hand(name, player, layer, count):
    assert layer_weights(name, player, layer) == count


@pytest.mark.parametrize(
    ("side", "base", "depth", "counts"),
    [
        (150, 19, 3, (7_245_251, 110_209)),
        (150, 5, 5, (1_404_579, 375_905)),
        (150, 3, 6, (1_317_635, 651_073)),
    ],
)
def test_theclass_system_has_its_counts_at_other_depths_too(side, base, depth, counts):
    plan = class_system((side, side, 3), (base, base), depth)
    assert tuple(count_weights(plan, player) for player in PLAYERS) == counts


@pytest.mark.parametrize("name", MNIST)
def test_a_training_step_of_a_preset_changes_both_networks(name):
    import keras

    from dcgan import DCGAN

    gan = DCGAN.from_preset(name)
    networks = (gan.generator, gan.discriminator)
    before = [network.get_weights() for network in networks]
    logs = gan.update(keras.ops.convert_to_tensor(digits(2)))
    assert all(np.isfinite(float(value)) for value in logs.values())
    for network, old in zip(networks, before, strict=True):
        new = network.get_weights()
        assert all((a != b).any() for a, b in zip(old, new, strict=True) if a.ndim > 1)
    assert gan.generate(2).shape == (2, 28, 28, 1)


def test_original_recipe_brings_the_optimizers_and_leaves_out_what_the_originals_had_not():
    from dcgan import DCGAN

    gan = DCGAN.from_preset("mnist-tutorial", seed=3)
    config = gan.get_config()
    assert (config["batch_size"], config["augmentation"], config["average"]) == (256, 0, 0)
    assert config["seed"] == 3
    for player in (gan.optimizer.generator, gan.optimizer.discriminator):
        assert type(player).__name__ == "Adam"
        assert player.beta_1 == 0.9
    assert gan.optimizer.rates == pytest.approx((1e-4, 1e-4))


def test_own_recipe_is_the_networks_with_this_packages_training():
    assert preset_options("sea", "own") == {"network_plan": PRESETS["sea"].plan}


def test_changes_go_before_the_preset_and_leave_it_as_it_was():
    made = preset_options("mnist-small", changes={"batch_size": 7, "average": 0.9})
    made["optimizer"]["config"]["learning_rate"] = 1.0
    again = preset_options("mnist-small")
    assert (made["batch_size"], made["average"]) == (7, 0.9)
    assert (again["batch_size"], again["average"]) == (32, 0.0)
    assert again["optimizer"]["config"]["learning_rate"] == 1e-3


@pytest.mark.parametrize("img_size", [(150, 150, 3), [150, 150, 3]])
def test_what_the_plan_says_may_be_said_again(img_size):
    assert "img_size" not in preset_options("sea", changes={"img_size": img_size})


@pytest.mark.parametrize("argument", sorted(PLANNED))
def test_changes_of_the_networks_are_refused_by_name(argument):
    with pytest.raises(ArgumentError, match=f"(?s)'sea'.*{argument}=77.*DCGAN"):
        preset_options("sea", changes={argument: 77})


def test_an_unknown_preset_or_recipe_is_refused_with_those_there_are():
    with pytest.raises(ArgumentError, match="mnist-paper.*Received: 'mnist-papper'.*Did you mean"):
        preset_options("mnist-papper")
    with pytest.raises(ArgumentError, match="Received: None"):
        preset_options(None)
    with pytest.raises(ArgumentError, match="'original' or 'own'"):
        preset_options("sea", "mine")


def test_presets_lists_each_in_a_line(capsys):
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(PRESETS)
    for line, (name, counts) in zip(lines, COUNTS.items(), strict=True):
        assert line.startswith(f"{name} ")
        assert all(f"{count:,}" in line for count in counts)
        assert PRESETS[name].source in line


def test_presets_with_a_name_says_what_differs_from_the_original(capsys):
    assert main(["presets", "mnist-paper"]) == 0
    out = capsys.readouterr().out
    assert PRESETS["mnist-paper"].note in out
    assert "batch_size: 128" in out and "epochs: 50" in out
    assert main(["presets", "mnist-papers"]) == 2


def test_a_preset_trains_from_a_file_goes_on_and_is_loaded(tmp_path, capsys):
    from dcgan import DCGAN

    np.savez(tmp_path / "mnist.npz", x_train=digits(8)[..., 0], y_train=np.zeros(8))
    command = ["--preset", "mnist-upsample", "mnist.npz", "--batch-size", "4", "--quiet"]
    assert main([*command, "--epochs", "1"]) == 0
    assert main([*command, "--epochs", "2"]) == 0
    gan = DCGAN.load("Results/mnist/last.dcgan")
    assert gan.record["step"] == 4
    assert gan.plan == PRESETS["mnist-upsample"].plan
    assert "samples.png" in capsys.readouterr().out


def test_mnist_without_a_network_says_what_to_do(monkeypatch, capsys):
    from keras.datasets import mnist

    def no_network():
        raise Exception("URL fetch failure on https://example.org: None -- no route")

    monkeypatch.setattr(mnist, "load_data", no_network)
    assert main(["--dataset", "mnist", "--preset", "mnist-upsample"]) == 2
    error = capsys.readouterr().err
    assert "no route" in error and "python main.py mnist.npz" in error


def test_a_path_and_a_dataset_are_one_too_many(capsys):
    assert main(["somewhere", "--dataset", "mnist"]) == 2
    assert "'somewhere'" in capsys.readouterr().err
