"""The verb `generate`: PNG files that say what they were made from, and a contact sheet."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan.cli import main
from dcgan.evaluation import best_rows
from dcgan.latents import draw_latents


@pytest.fixture
def model(tiny, tmp_path):
    path = tmp_path / "tiny.dcgan"
    tiny().save(path)
    return str(path)


def test_images_and_a_contact_sheet_are_written_to_the_folder_generated(model, tmp_path, capsys):
    assert main(["generate", model, "-n", "5", "--seed", "7"]) == 0
    names = sorted(path.name for path in (tmp_path / "generated").iterdir())
    assert names == [*(f"seed7_{n:05d}.png" for n in range(5)), "seed7_contact_sheet.png"]
    assert "5 images in generated" in capsys.readouterr().out


def test_an_image_says_what_it_was_made_from(model, tmp_path):
    from dcgan import DCGAN

    main(["generate", model, "-n", "4", "--seed", "7", "--out", "out"])
    image = Image.open(tmp_path / "out" / "seed7_00003.png")
    gan = DCGAN.load(model)
    assert image.size == (12, 16)
    assert image.text["dcgan-seed"] == "7" and image.text["dcgan-number"] == "3"
    assert image.text["dcgan-model"] == gan.model_hash
    # Batches of other sizes round otherwise in the last bit
    again = gan.generate(4, seed=7)[3]
    assert np.abs(again.astype(int) - np.asarray(image)).max() <= 1


def test_the_best_of_so_many_keep_their_names(model, tmp_path, monkeypatch):
    from dcgan import DCGAN

    monkeypatch.setattr("dcgan.cli.generate.CHUNK", 2)
    words = ["generate", model, "-n", "3", "--best-of", "4", "--seed", "7", "--out", "out"]
    assert main(words) == 0
    assert (tmp_path / "out" / "seed7_best_of_4_contact_sheet.png").exists()
    names = sorted(path.name for path in (tmp_path / "out").glob("seed7_0*"))
    gan = DCGAN.load(model)
    chosen = best_rows(gan, draw_latents(12, 8, seed=7), 4)
    assert names == [f"seed7_{number:05d}.png" for number in chosen]
    shown = np.asarray(Image.open(tmp_path / "out" / names[2])).astype(int)
    assert np.abs(shown - gan.generate(3, seed=7, best_of=4)[2]).max() <= 1


def test_choosing_without_a_discriminator_is_refused_before_anything_is_written(tiny, capsys):
    tiny().save("small.dcgan", generator_only=True)
    assert main(["generate", "small.dcgan", "--best-of", "2", "--out", "out"]) == 2
    assert "best_of needs the discriminator" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize("flag", ["--best-of", "-n", "--seed", "--near"])
def test_flags_that_would_have_no_effect_beside_seeds_are_refused(model, capsys, flag):
    assert main(["generate", model, "--seeds", "3,9", flag, "2"]) == 2
    assert f"Give {flag} or --seeds, not both" in capsys.readouterr().err


def test_a_distance_from_nothing_is_refused(model, capsys):
    assert main(["generate", model, "--distance", "0.5"]) == 2
    assert "Give both" in capsys.readouterr().err


def test_truncated_images_do_not_overwrite_others(model, tmp_path):
    for words in ([], ["--truncation", "0.5"]):
        assert main(["generate", model, "-n", "1", "--out", "out", *words]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        f"{start}seed0_{end}.png"
        for start in ("", "truncation0.5_")
        for end in ("00000", "contact_sheet")
    }


def test_a_place_that_cannot_be_written_is_named(model, tmp_path, capsys):
    (tmp_path / "out").write_text("a file")
    assert main(["generate", model, "-n", "1", "--out", "out"]) == 2
    assert "Cannot write --out 'out'" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["nowhere.dcgan", "text.dcgan"])
def test_what_is_no_model_is_named_in_one_line(path, tmp_path, capsys):
    (tmp_path / "text.dcgan").write_text("no model")
    assert main(["generate", path]) == 2
    shown = capsys.readouterr().err
    assert path in shown and shown.count("\n") == 1


def test_seeds_are_listed_and_each_gives_its_first_image(model, tmp_path):
    from dcgan import DCGAN

    assert main(["generate", model, "--seeds", "3,9-10", "--out", "out"]) == 0
    names = sorted(path.name for path in (tmp_path / "out").glob("seed[0-9]*"))
    assert names == ["seed10_00000.png", "seed3_00000.png", "seed9_00000.png"]
    image = np.asarray(Image.open(tmp_path / "out" / "seed9_00000.png"))
    assert np.abs(DCGAN.load(model).generate(1, seed=9)[0].astype(int) - image).max() <= 1


def test_variations_at_distance_0_are_the_image_itself(model, tmp_path):
    from dcgan import DCGAN

    words = ["generate", model, "-n", "2", "--near", "17", "--out", "out", "--distance"]
    assert main([*words, "0"]) == 0
    itself = DCGAN.load(model).generate(1, seed=17)[0].astype(int)
    images = [np.asarray(Image.open(p)) for p in sorted((tmp_path / "out").glob("near17_seed0_0*"))]
    assert len(images) == 2 and all(np.abs(itself - image).max() <= 1 for image in images)
    assert main([*words, "0.5"]) == 0
    other = np.asarray(Image.open(tmp_path / "out" / "near17_seed0_00001.png"))
    assert not np.array_equal(images[1], other)


def test_a_run_is_found_by_its_name(tiny, tmp_path):
    (tmp_path / "Results" / "sea").mkdir(parents=True)
    tiny().save(tmp_path / "Results" / "sea" / "last.dcgan")
    assert main(["generate", "sea", "-n", "1"]) == 0


@pytest.mark.once
@pytest.mark.parametrize(
    "words",
    [
        ["--seeds", "9-3"],
        ["--truncation", "2"],
        ["--near", "3", "--seeds", "4"],
        ["--near", "3", "--distance", "2"],
        ["--seeds", "0-99999999"],
    ],
)
def test_a_wrong_wish_is_one_line_that_names_the_flag(model, words, capsys):
    assert main(["generate", model, *words]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and words[-2] in shown


def test_images_move_along_the_directions_that_browse_shows(model, tmp_path):
    from dcgan import DCGAN
    from dcgan.latents import draw_latents
    from dcgan.pages.directions import find_directions, first_layer

    gan = DCGAN.load(model)
    words = ["generate", model, "--seeds", "7", "--truncation", "0.5", "--out", "out"]
    assert main([*words, "--move", "2=-1.5"]) == 0
    with Image.open(tmp_path / "out" / "move2=-1.5_truncation0.5_seed7_00000.png") as image:
        assert image.text["dcgan-move"] == "2=-1.5"
        shown = np.asarray(image).astype(int)
    step = find_directions(first_layer(gan.generator), 8, 8).steps[1]
    expected = gan.generate(latents=draw_latents(1, 8, 7) * np.float32(0.5) - 1.5 * step)[0]
    assert np.abs(shown - expected).max() <= 1


@pytest.mark.once
@pytest.mark.parametrize("text", ["3", "0=1", "9=1", "1=x", "1=99", "1=nan", "1=2=3"])
def test_a_wrong_move_is_one_line(text, capsys):
    assert main(["generate", "a.dcgan", "--move", text]) == 2
    shown = capsys.readouterr().err
    assert "--move must be" in shown and shown.count("\n") == 1
