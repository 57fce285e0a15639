"""Do the verbs `evaluate` and `compare` answer, and refuse in words?"""

import argparse
import json

import numpy as np
import pytest

from dcgan.cli import compare, evaluate
from dcgan.data import open_images
from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import ArgumentError, DCGANError


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, draw_seascapes(100, (16, 12, 3), seed=1))
    return str(path)


@pytest.fixture
def model(tiny, folder, tmp_path):
    """A file that says it was trained on the folder."""
    gan = tiny()
    gan.data = {"images": 100, "sha256": open_images(folder, gan.img_size).fingerprint}
    gan.save(tmp_path / "tiny.dcgan")
    return str(tmp_path / "tiny.dcgan")


def call(verb, *words):
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    return verb.run(parser.parse_args(words))


def test_evaluate_prints_every_figure(model, folder, capsys):
    assert call(evaluate, model, folder, "-n", "30") == 0
    said = capsys.readouterr()
    for word in ("KID", "FID", "coverage", "random", "held out (20)", "copying"):
        assert word in said.out
    assert "Generating 30 images" in said.err


def test_evaluate_prints_json_and_nothing_else(model, folder, capsys):
    assert call(evaluate, model, folder, "-n", "30", "--json") == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["figures"]["KID"]["n_fake"] == 30
    assert plain["memorization"]["n_reference"] == 20


def test_evaluate_is_repeatable(model, folder, capsys):
    answers = []
    for _ in range(2):
        call(evaluate, model, folder, "-n", "20", "--seed", "5", "--json")
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


def test_evaluate_draws_the_sheet(model, folder, tmp_path):
    path = tmp_path / "memory.png"
    call(evaluate, model, folder, "-n", "20", "--sheet", str(path))
    assert path.read_bytes().startswith(b"\x89PNG")


def test_evaluate_says_when_the_folder_is_another(tiny, folder, tmp_path, capsys):
    gan = tiny()
    gan.data = {"images": 3, "sha256": "0" * 64}
    gan.save(tmp_path / "other.dcgan")
    call(evaluate, str(tmp_path / "other.dcgan"), folder, "-n", "20")
    assert "have not the names, sizes and times that this model was" in capsys.readouterr().err


def test_evaluate_holds_nothing_out_of_images_that_a_model_does_not_tell(
    tiny, folder, tmp_path, capsys
):
    tiny().save(tmp_path / "other.dcgan")
    call(evaluate, str(tmp_path / "other.dcgan"), folder, "-n", "20")
    said = capsys.readouterr()
    assert "does not tell which images" in said.err
    assert "held out (0)" in said.out and "other images" in said.out


def test_evaluate_holds_nothing_out_where_training_did_not(tiny, folder, tmp_path, capsys):
    gan = tiny()
    gan.data = {"sha256": open_images(folder, gan.img_size).fingerprint, "held_out": 0}
    gan.save(tmp_path / "all.dcgan")
    call(evaluate, str(tmp_path / "all.dcgan"), folder, "-n", "20")
    said = capsys.readouterr()
    assert "held out (0)" in said.out and "Note" not in said.err


def test_two_models_are_compared_on_what_both_were_trained_on(tiny, folder):
    models = [tiny(seed=0), tiny(seed=1)]
    for gan in models:
        gan.data = {"sha256": open_images(folder, gan.img_size).fingerprint, "held_out": 20}
    both = evaluate.training_images(models[0], folder, also=models[1])[0]
    again = evaluate.training_images(models[1], folder, also=models[0])[0]
    np.testing.assert_array_equal(both, again)
    assert 60 <= len(both) < 80  # of 100, 20 are held out from each


def test_evaluate_measures_transparent_images(tiny, tmp_path, capsys):
    tiny(img_size=(16, 12, 4)).save(tmp_path / "alpha.dcgan")
    images = np.random.default_rng(0).integers(0, 256, (90, 16, 12, 4)).astype(np.uint8)
    np.save(tmp_path / "alpha.npy", images)
    assert (
        call(evaluate, str(tmp_path / "alpha.dcgan"), str(tmp_path / "alpha.npy"), "-n", "20") == 0
    )


@pytest.mark.parametrize(
    ("extra", "named"),
    [(("-n", "3"), "-n"), (("--seed", "-1"), "--seed"), (("--network", "incep"), "network")],
)
def test_bad_options_are_refused_before_the_model_is_loaded(extra, named):
    with pytest.raises(ArgumentError, match=named):
        call(evaluate, "missing.dcgan", "missing", *extra)


def test_a_missing_model_is_named(folder):
    with pytest.raises(DCGANError, match=r"missing\.dcgan"):
        call(evaluate, "missing.dcgan", folder)


def test_a_sheet_that_cannot_be_written_is_named(model, folder, tmp_path):
    path = tmp_path / "nowhere" / "memory.png"
    with pytest.raises(DCGANError, match="--sheet"):
        call(evaluate, model, folder, "-n", "20", "--sheet", str(path))


def test_compare_sees_no_difference_between_a_model_and_itself(model, folder, capsys):
    assert call(compare, model, model, folder, "-n", "20") == 0
    assert capsys.readouterr().out.startswith("no detectable difference: KID difference 0")


def test_compare_refuses_models_of_two_sizes(model, tiny, folder, tmp_path):
    tiny(img_size=(12, 12, 3)).save(tmp_path / "small.dcgan")
    with pytest.raises(ArgumentError, match="one size"):
        call(compare, model, str(tmp_path / "small.dcgan"), folder)


def test_compare_prints_json(model, folder, capsys):
    call(compare, model, model, folder, "-n", "20", "--json")
    assert json.loads(capsys.readouterr().out)["better"] is None
