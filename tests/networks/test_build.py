"""Networks: the shapes that the plan says."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from dcgan.networks.build import build_discriminator, build_generator
from dcgan.networks.plan import UPSAMPLINGS, count_weights, weight_shapes
from dcgan.networks.resolve import make_plan


def plan(img_size, depth, kernel, stride, **changes):
    return make_plan(
        img_size=img_size,
        depth=depth,
        increment=3,
        kernel_size=(kernel, kernel),
        stride=stride,
        dropout=0.1,
        input_size=4,
        **changes,
    )


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize(
    ("img_size", "depth", "kernel", "stride"),
    [  # on every backend those whose maps are cut off, for a kernel of each kind
        ((17, 33, 3), 2, 4, (2, 2)),
        ((31, 47, 4), 3, 5, (3, 3)),
        ((20, 57, 3), 5, 3, (1, 2)),
        pytest.param((16, 16, 1), 4, 3, (2, 2), marks=pytest.mark.once),
        pytest.param((150, 150, 3), 4, 3, (2, 2), marks=pytest.mark.once),
        pytest.param((200, 180, 3), 5, 4, (2, 2), marks=pytest.mark.once),
        pytest.param((19, 64, 1), 3, 4, (3, 3), marks=pytest.mark.once),
        pytest.param((64, 256, 4), 6, 5, (2, 2), marks=pytest.mark.once),
    ],
)
def test_networks_match_the_plan(img_size, depth, kernel, stride, upsampling):
    made = plan(img_size, depth, kernel, stride, upsampling=upsampling)
    generator, discriminator = build_generator(made), build_discriminator(made)
    images = keras.ops.convert_to_numpy(generator(np.ones((2, 4), np.float32)))
    assert images.shape == (2, *img_size)
    assert np.abs(images).max() <= 1
    assert discriminator(images).shape == (2, 1)
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        shapes = {
            f"{layer.name}/{weight.name}": tuple(weight.shape)
            for layer in network.layers
            for weight in layer.weights
        }
        assert shapes == weight_shapes(made, name)
        assert network.count_params() == count_weights(made, name)


def wide_plan(**changes):
    """One with so many weights that their spread can be told."""
    return make_plan(
        img_size=(64, 64, 3),
        increment=32,
        kernel_size=(4, 4),
        stride=(2, 2),
        dropout=0,
        input_size=100,
        **changes,
    )


def test_initial_weights_are_normal_with_deviation_0_02():
    made = replace(wide_plan(depth=3, discriminator_norm="batch"), initializer="normal")
    kernels = [
        keras.ops.convert_to_numpy(weight).ravel()
        for network in (build_generator(made), build_discriminator(made, seed=500))
        for weight in network.trainable_weights
        if weight.name == "kernel" and "_latent_" not in weight.path
    ]
    values = np.concatenate(kernels)
    # the standard error of a deviation from n normal values is its value / sqrt(2 n)
    assert abs(values.std() - 0.02) < 5 * 0.02 / np.sqrt(2 * len(values))
    assert abs(values.mean()) < 5 * 0.02 / np.sqrt(len(values))
    assert len({kernel[:9].tobytes() for kernel in kernels}) == len(kernels)


def test_the_latent_scales_each_channel_by_factors_around_one():
    generator = build_generator(wide_plan(depth=3))
    names = [f"stage_1_{part}" for part in ("relu", "factors", "scaled")]
    part = keras.Model(generator.input, [generator.get_layer(name).output for name in names])
    latents = np.random.default_rng(0).standard_normal((50, 100), "float32")
    maps, factors, scaled = map(keras.ops.convert_to_numpy, part(latents))
    np.testing.assert_allclose(scaled, maps * factors, rtol=1e-5)
    # 100 products of N(0, 1) and N(0, 0.02)
    assert abs(factors.mean() - 1) < 0.01 and 0.15 < factors.std() < 0.25


def test_a_map_of_the_latent_reaches_each_channel_by_a_factor_of_its_own():
    generator = build_generator(wide_plan(depth=3))
    parts = ("stage_1_blur_across", "stage_1_latent_2d", "stage_1_latent_added")
    part = keras.Model(generator.input, [generator.get_layer(name).output for name in parts])
    latents = np.random.default_rng(0).standard_normal((200, 100), "float32")
    before, map_2d, after = map(keras.ops.convert_to_numpy, part(latents))
    assert np.array_equal(before, after)  # so it begins
    assert abs(map_2d.mean()) < 0.05 and 0.9 < map_2d.std() < 1.1
    factors = np.arange(before.shape[-1], dtype=np.float32)
    generator.get_layer("stage_1_latent_channels").set_weights([factors.reshape(1, 1, 1, -1)])
    before, map_2d, after = map(keras.ops.convert_to_numpy, part(latents))
    # float32 sums
    np.testing.assert_allclose(after, before + map_2d * factors, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("side", "first"), [(101, 26), (8, 2)])
def test_large_stages_those_at_full_size_and_networks_of_others_have_no_latent_map(side, first):
    made = plan((side, side, 3), 3, 4, (2, 2))
    assert [stage.size[0] for stage in made.generator] == [first, 2 * first - side % 2, side, side]
    maps = [name for name in weight_shapes(made, "generator") if "_latent_map/" in name]
    inner = [f"stage_{number}_latent_map/kernel" for number in (1, 2)]
    assert maps == (inner if side == 8 else inner[:1])  # 51x51 pixels are more than 2,500
    plain = replace(made, latent_maps=False)
    assert not any("_latent_" in name for name in weight_shapes(plain, "generator"))
    assert not any("_latent_" in layer.name for layer in build_generator(plain).layers)


def test_the_last_stage_and_the_networks_of_others_are_not_scaled():
    made = wide_plan(depth=3)
    scaled = [name for name in weight_shapes(made, "generator") if "_scale/kernel" in name]
    assert scaled == [f"stage_{number}_scale/kernel" for number in (1, 2, 3)]
    plain = replace(made, self_modulation=False)
    layers = build_generator(plain).layers
    assert not any("scale" in name for name in weight_shapes(plain, "generator"))
    assert not any(isinstance(layer, keras.layers.Multiply) for layer in layers)


@pytest.mark.parametrize(("kernel", "step"), [(4, 2), (3, 2), (5, 2), (2, 2), (5, 3), (4, 3)])
def test_transposed_convolutions_begin_without_a_grid(kernel, step):
    made = plan((27, 27, 3), 3, kernel, (step, step))
    layer = build_generator(made, seed=5).get_layer("stage_3")
    even = layer(np.ones((1, 6, 6, layer.kernel.shape[-1]), np.float32))
    inner = keras.ops.convert_to_numpy(even)[0, step:-step, step:-step]
    # float32 sums of a dozen products
    np.testing.assert_allclose(inner, np.broadcast_to(inner[0, 0], inner.shape), rtol=1e-4)
    assert abs(inner).min() > 0


@pytest.mark.parametrize(("kernel", "stride"), [(4, (2, 2)), (3, (2, 2)), (5, (3, 2)), (3, (1, 2))])
def test_blur_upsampling_leaves_no_grid_whatever_it_learns(kernel, stride):
    def grown(upsampling):
        made = plan((27, 27, 3), 3, kernel, stride, upsampling=upsampling)
        generator = build_generator(replace(made, initializer="normal"), seed=5)
        layer = generator.get_layer("stage_3")
        even = np.ones((1, 9, 9, layer.kernel.shape[-1]), np.float32)
        blurred = [n for n in generator.layers if n.name.startswith("stage_3_blur")]
        for step in (layer, *blurred):
            even = step(even)
        inner = keras.ops.convert_to_numpy(even)[0, 3:-3, 3:-3]
        return np.ptp(inner, axis=(0, 1)).max() / abs(inner).mean()

    assert grown("transposed") > 0.1
    assert grown("antialiased") < 1e-4  # float32 sums of a dozen products


@pytest.mark.parametrize(("upsampling", "stages"), [("antialiased", "1234"), ("transposed", "")])
def test_the_generator_blurs_after_these_stages(upsampling, stages):
    made = plan((64, 64, 3), 4, 4, (2, 2), upsampling=upsampling)
    names = [layer.name for layer in build_generator(made).layers if "blur" in layer.name]
    assert {name[6] for name in names} == set(stages)


@pytest.mark.parametrize("stride", [(2, 2), (2, 3), (1, 2)])
def test_the_blur_takes_the_mean_of_the_pixels_there_are_at_the_border_too(stride):
    made = plan((27, 27, 3), 3, 4, stride, upsampling="antialiased")
    generator = build_generator(made)
    images = np.random.default_rng(0).random((1, 7, 8, 3), np.float32)
    blurred = images
    for axis in ("down", "across"):
        if stride["down across".split().index(axis)] > 1:
            blurred = generator.get_layer(f"stage_3_blur_{axis}")(blurred)
    height, width = stride
    for (row, column), found in np.ndenumerate(keras.ops.convert_to_numpy(blurred)[0, :, :, 0]):
        top, left = row - (height - 1) // 2, column - (width - 1) // 2
        window = images[0, max(0, top) : top + height, max(0, left) : left + width, 0]
        assert found == pytest.approx(window.mean(), rel=1e-5)


def test_bilinear_initialization_keeps_the_deviation_of_every_transposed_convolution():
    made = wide_plan(depth=4)
    assert made.initializer == "bilinear"
    for layer in build_generator(made).layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            values = keras.ops.convert_to_numpy(layer.kernel)
            pairs = values.shape[2] * values.shape[3]  # independent values
            assert abs(values.std() - 0.02) < 5 * 0.02 / np.sqrt(2 * pairs)


def test_without_batch_normalization_the_signal_of_the_discriminator_neither_fades_nor_grows():
    made = wide_plan(depth=5)
    images = np.random.default_rng(0).uniform(-1, 1, (64, 64, 64, 3)).astype(np.float32)
    logits = keras.ops.convert_to_numpy(build_discriminator(made)(images))
    assert 0.1 < np.sqrt(np.mean(logits**2)) < 3


def test_seed_decides_the_initial_weights():
    made = plan((16, 16, 1), 2, 4, (2, 2))
    first, again, other = (build_generator(made, seed=seed) for seed in (1, 1, 2))
    kernels = [
        keras.ops.convert_to_numpy(n.get_layer("base").kernel) for n in (first, again, other)
    ]
    assert (kernels[0] == kernels[1]).all()
    assert (kernels[0] != kernels[2]).any()


def test_mixed_precision_ends_in_float32():
    made = plan((16, 16, 3), 2, 4, (2, 2), upsampling="antialiased")
    generator = build_generator(made, dtype="mixed_bfloat16")
    discriminator = build_discriminator(made, dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(generator.output.dtype) == "float32"
    assert keras.backend.standardize_dtype(discriminator.output.dtype) == "float32"
    assert generator.get_layer("stage_1").compute_dtype == "bfloat16"
