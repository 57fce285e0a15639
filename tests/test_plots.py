"""Plots of a training's log."""

import io

import pytest
from PIL import Image

from dcgan.images import RUN_IMAGE
from dcgan.plots import plot_losses

pytestmark = pytest.mark.once


def test_losses_and_scores_are_one_image_that_is_never_trained_on():
    names = ("d_loss", "g_loss", "d_real", "d_fake")
    records = [{"step": step, **dict.fromkeys(names, step / 300)} for step in (100, 200)]
    with Image.open(io.BytesIO(plot_losses(records))) as image:
        assert image.format == "PNG" and image.size == (800, 600)
        assert image.info["Software"] == RUN_IMAGE["Software"]
        assert len(image.convert("RGB").getcolors(1 << 20)) > 3  # two lines on white
