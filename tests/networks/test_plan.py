"""Plans: one for every image size, and a refusal of each that cannot be built."""

import itertools
import json
from dataclasses import asdict, replace

import pytest

from dcgan.errors import ArgumentError
from dcgan.networks.plan import (
    count_weights,
    plan_from_dict,
    training_bytes,
    weight_shapes,
    widest_map,
)
from dcgan.networks.resolve import deepest, make_plan

pytestmark = pytest.mark.once


def plan(**changes):
    usual = {
        "img_size": (150, 150, 3),
        "depth": 4,
        "increment": 32,
        "kernel_size": (4, 4),
        "stride": (2, 2),
        "dropout": 0.0,
        "input_size": 100,
    }
    return make_plan(**{**usual, **changes})


def walk(generator, size):
    """Sizes that the generator passes through, by the arithmetic of its layers."""
    for stage in generator:
        grown = tuple(side * step for side, step in zip(size, stage.stride, strict=True))
        assert all(g >= s for g, s in zip(grown, stage.size, strict=True))
        size = stage.size
    return size


@pytest.mark.parametrize("stride", [(2, 2), (3, 3), (1, 2)])
def test_every_size_from_16_to_257_is_planned_exactly_or_refused_by_name(stride):
    built = refused = 0
    for side, depth in itertools.product(range(16, 258), range(2, 7)):
        # sizes are planned per axis, so one pair of sides for each side covers every image
        img_size = (side, 273 - side, (1, 3, 4)[side % 3])
        kernel = 3 + (side + depth) % 3
        changes = {"img_size": img_size, "depth": depth, "stride": stride, "increment": 2}
        if depth > deepest(img_size, stride):
            refused += 1
            with pytest.raises(ArgumentError, match=f"depth={deepest(img_size, stride)}"):
                plan(**changes)
            continue
        built += 1
        made = plan(**changes, input_size=2, kernel_size=(kernel, kernel))
        assert walk(made.generator, made.base.size) == img_size[:2]
        assert made.generator[-1].filters == img_size[2]
        assert made.discriminator[-1].size == made.base.size
    assert built + refused == 242 * 5
    assert built > 800


def test_generator_and_discriminator_mirror_each_other():
    made = plan()
    down = [(150, 150), *(stage.size for stage in made.discriminator)]
    up = [made.base.size, *(stage.size for stage in made.generator)]
    assert down == [(150, 150), (75, 75), (38, 38), (19, 19), (10, 10)]
    assert up == [*down[::-1], (150, 150)]
    assert [s.filters for s in made.discriminator] == [32, 64, 96, 128]
    assert [made.base.filters, *(s.filters for s in made.generator)] == [128, 96, 64, 32, 32, 3]


def test_a_deep_discriminator_has_no_batch_normalization_unless_asked():
    deep = {"img_size": (200, 180, 3), "depth": 5}
    assert plan().discriminator_couples
    assert not plan(discriminator_norm="none").discriminator_couples
    assert not plan(**deep).discriminator_couples
    assert plan(**deep, discriminator_norm="batch").discriminator_couples


@pytest.mark.parametrize("upsampling", ["transposed", "antialiased", "resize"])
def test_generators_end_in_a_convolution_at_full_size(upsampling):
    made = plan(upsampling=upsampling)
    assert [stage.size for stage in made.generator[-2:]] == [(150, 150), (150, 150)]
    assert [stage.filters for stage in made.generator[-2:]] == [32, 3]
    assert made.generator[-1].stride == (1, 1) and made.generator[-1].kernel == (3, 3)


def test_paper_guidelines_for_batch_normalization_hold():
    made = plan()
    assert [s.norm for s in made.discriminator] == ["none", "batch", "batch", "batch"]
    assert [s.norm for s in made.generator] == [*["batch"] * 4, "none"]
    assert made.base.norm == "batch"
    assert all(s.slope == 0.2 for s in made.discriminator)
    assert all(s.slope == 0 for s in made.generator[:-1])


def test_weight_counts_by_hand():
    made = plan(img_size=(4, 4, 1), depth=1, increment=2, kernel_size=(3, 3), input_size=5)
    # base: 5 x (2*2*2) and 4 x 2 of BatchNorm; stage: 3*3*2*2, the same, and scales: 5*2 and two
    # biases; image: 3*3*2*1 and a bias
    assert count_weights(made, "generator") == 5 * 8 + 8 + 36 + 8 + 12 + 18 + 1
    deeper = plan(img_size=(4, 4, 1), depth=2, increment=2, kernel_size=(3, 3), input_size=5)
    # base: 5 x (1*1*4); first stage: 3*3*2*4, and a map of 2x2 pixels with two factors
    first = 5 * 4 + 16 + 72 + 8 + 12 + 5 * 4 + 2
    assert count_weights(deeper, "generator") == first + 36 + 8 + 12 + 18 + 1
    # stage: 3*3*1*2 and two biases; logit: 2*2*2 and a bias
    assert count_weights(made, "discriminator") == 18 + 2 + 8 + 1


def test_a_plan_survives_json():
    made = plan(img_size=(200, 180, 4), depth=5, stride=(2, 3), dropout=0.25)
    assert plan_from_dict(json.loads(json.dumps(asdict(made)))) == made


@pytest.mark.parametrize("part", ["self_modulation", "latent_maps"])
def test_a_plan_from_before_the_latent_reached_the_stages_keeps_it_out(part):
    values = asdict(plan())
    del values[part]
    assert plan_from_dict(values) == replace(plan(), **{part: False})


def damaged(path, value):
    values = json.loads(json.dumps(asdict(plan())))
    *way, last = path
    target = values
    for step in way:
        target = target[step]
    target[last] = value
    return values


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["img_size"], [150, 150, 2]),
        (["img_size"], [10**6, 10**6, 3]),
        (["img_size"], "150"),
        (["input_size"], 0),
        (["input_size"], 10**12),
        (["input_size"], True),
        (["base", "filters"], 10**9),
        (["base", "size"], [9, 9]),
        (["base", "norm"], "group"),
        (["generator", 0, "size"], [21, 19]),
        (["generator", 4, "filters"], 1),
        (["generator"], []),
        (["generator"], "abc"),
        (["discriminator", 0, "size"], [75, 76]),
        (["discriminator", 1, "kernel"], [4, -4]),
        (["discriminator", 1, "dropout"], 1.0),
        (["discriminator", 1, "dropout"], float("nan")),
        (["discriminator", 1, "norm"], "units"),
        (["upsampling"], "magic"),
        (["momentum"], float("inf")),
        (["surprise"], 1),
    ],
)
def test_a_plan_from_a_stranger_is_refused_where_it_cannot_be(path, value):
    with pytest.raises(ArgumentError):
        plan_from_dict(damaged(path, value))


def test_a_plan_with_too_many_weights_is_refused_without_building_anything():
    with pytest.raises(ArgumentError, match="weights, of at most"):
        plan(img_size=(2048, 2048, 3), depth=1, increment=8000)


def test_names_of_weights_begin_with_the_first_layer_and_end_with_the_logit():
    names = list(weight_shapes(plan(), "discriminator"))
    assert names[:3] == ["stage_1/kernel", "stage_1/bias", "stage_2/kernel"]
    assert names[-2:] == ["logit/kernel", "logit/bias"]


def test_the_widest_map_and_the_memory_of_a_step_follow_from_the_plan():
    made = plan()
    assert widest_map(made, "generator") == 150 * 150 * 32
    assert widest_map(made, "discriminator") == 75 * 75 * 32
    assert training_bytes(made, 32) > 1.5 * training_bytes(made, 16) > 0
