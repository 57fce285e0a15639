"""The class-API system keeps its rule for the first map at other sizes."""

import pytest

from dcgan.networks.presets import PRESETS

pytestmark = pytest.mark.once


def test_the_first_map_at_150_pixels_is_that_of_the_preset(benchmark):
    assert benchmark("class_system").first_side(150) == PRESETS["sea"].plan.base.size[0]
