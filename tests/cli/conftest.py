"""What the tests of the verbs share: a folder of tiny images and a model file that knows it."""

import numpy as np
import pytest

from dcgan.data.image_set import open_images
from dcgan.data.sample_set import draw_seascapes
from dcgan.images import save_png

SMALL = "--img-size 16 12 3 --depth 2 --increment 4 --input-size 8 --batch-size 4 --quiet".split()


@pytest.fixture(autouse=True)
def eagerly(eager):
    """Let verbs train and generate as tiny models do in tests."""


@pytest.fixture
def small():
    """Flags of a tiny DCGAN, a list of words."""
    return list(SMALL)


@pytest.fixture
def folder(tmp_path, images):
    """A folder `sea` of ten tiny images."""
    (tmp_path / "sea").mkdir()
    for number, image in enumerate(images):
        save_png(tmp_path / "sea" / f"{number}.png", image)
    return tmp_path / "sea"


@pytest.fixture
def array_file(tmp_path):
    """The path of a file of 100 tiny images, of which 20 are held out in training."""
    path = tmp_path / "images.npy"
    np.save(path, draw_seascapes(100, (16, 12, 3), seed=1))
    return str(path)


@pytest.fixture
def model_file(tiny, array_file, tmp_path):
    """A function that saves a tiny model trained, as its state says, on `array_file`."""

    def save(name="tiny.dcgan", **changes):
        from dcgan.training.state import DataFacts

        gan = tiny(**changes)
        fingerprint = open_images(array_file, gan.img_size).fingerprint
        gan.state.data = DataFacts(100, fingerprint, 20)
        gan.save(tmp_path / name)
        return str(tmp_path / name)

    return save
