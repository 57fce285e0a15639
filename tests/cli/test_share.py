"""The verb `share`: the generator alone, with a card, that still generates the same images."""

import numpy as np
import pytest

from dcgan import DCGAN
from dcgan.cli import main
from dcgan.cli.share import CARD
from dcgan.storage.document import CARD_FIELDS

pytestmark = pytest.mark.once


def test_every_field_of_a_card_has_a_flag():
    assert set(CARD) == set(CARD_FIELDS)


def test_the_shared_file_makes_the_same_images_and_keeps_what_was_said(model_file, capsys):
    whole = DCGAN.load(model_file())
    assert main(["share", model_file(), "--out", "a.dcgan", "--author", "Ada", "--note", "x"]) == 0
    assert "the generator alone" in capsys.readouterr().out
    assert main(["share", "a.dcgan", "--out", "b.dcgan", "--note", "for you"]) == 0
    assert "Ada" in capsys.readouterr().out
    shared = DCGAN.load("b.dcgan")
    assert shared.card == {"author": "Ada", "note": "for you"}
    assert shared.discriminator is None
    np.testing.assert_array_equal(shared.generate(3), whole.generate(3))


@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
def test_a_file_of_another_kind_is_refused(name, model_file, capsys):
    assert main(["share", model_file(), "--out", name]) == 2
    assert repr(name) in capsys.readouterr().err
