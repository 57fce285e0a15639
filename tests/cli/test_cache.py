"""The verb `cache`: what is kept, and how it is deleted."""

import pytest

from dcgan.cli import main
from dcgan.data.image_set import open_images

pytestmark = pytest.mark.once


def test_decoded_images_are_listed_and_deleted(folder, capsys):
    open_images(folder, (8, 8, 3), verbose=0)
    assert main(["cache"]) == 0
    assert "10 images" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert "MB deleted" in capsys.readouterr().out
    assert main(["cache"]) == 0
    assert "images  " not in capsys.readouterr().out


def test_the_images_themselves_stay(folder):
    main(["cache", "--clear"])
    assert len(list(folder.iterdir())) == 10
