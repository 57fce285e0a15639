"""The verb `walk`."""

import pytest
from PIL import Image

from dcgan.cli import main


def test_a_walk_is_written(tiny, tmp_path, capsys):
    gan = tiny()
    weights = gan.generator.get_weights()  # an untrained generator hardly moves
    gan.generator.set_weights([20 * array if array.ndim > 1 else array for array in weights])
    gan.save("a.dcgan")
    words = ["walk", "a.dcgan", "--seeds", "3,5-6", "--seconds", "1", "--fps", "6"]
    assert main([*words, "--grid", "1x2", "--scale", "2", "--out", "w.webp"]) == 0
    with Image.open("w.webp") as image:
        assert image.n_frames == 6 and image.size == (2 * (2 * 12 + 6), 2 * (16 + 4))
    assert "6 frames through seeds 3,5-6" in capsys.readouterr().out


@pytest.mark.once
@pytest.mark.parametrize("words", [["--seeds", "3,x"], ["--grid", "3"], ["--scale", "0"]])
def test_a_wrong_word_is_one_line(words, capsys):
    assert main(["walk", "a.dcgan", *words]) == 2
    assert words[0] in capsys.readouterr().err
