"""Exports: each gives the same images in its own runtime, or is not written."""

import functools
import json
import subprocess

import numpy as np
import pytest

from dcgan import DCGAN, ArgumentError, RunError
from dcgan.cli import main
from dcgan.export import formats, runtimes
from dcgan.images import to_uint8
from dcgan.latents import draw_latents

NEEDS = {"onnx": ("tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}


def needs(name):
    pytest.importorskip("tensorflow")
    for package in NEEDS.get(name, ()):
        pytest.importorskip(package)


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    """A tiny model, saved so that it has a hash."""
    sizes = {"img_size": (16, 12, 3), "depth": 2, "increment": 4, "input_size": 8}
    gan = DCGAN(**sizes)
    gan.generator.run_eagerly = True
    gan.save(tmp_path_factory.mktemp("model") / "a.dcgan")
    return gan


@pytest.fixture(scope="module")
def exported(gan, tmp_path_factory):
    """A function that exports the model, once for all tests: the path, and how well it agrees."""

    @functools.cache
    def export(name, output):
        path = tmp_path_factory.mktemp("export") / f"g{formats.FORMATS[name]}"
        keras_name = {"savedmodel": "tf_saved_model"}.get(name, name)
        return path, gan.export(path, name if output == "uint8" else keras_name, output=output)

    return export


@pytest.mark.parametrize(
    ("name", "output"),
    [("keras", "float"), ("h5", "float")]
    + [
        pytest.param(name, output, marks=pytest.mark.once)
        for name in ("onnx", "litert", "savedmodel")
        for output in formats.OUTPUTS
    ],
)
def test_each_format_is_verified_and_takes_any_number_of_latents(
    gan, exported, converters_here, name, output, capfd
):
    needs(name)
    path, difference = exported(name, output)
    assert difference <= 1 and "legacy" not in capfd.readouterr().err
    for count in (1, 5):
        run = getattr(runtimes, f"load_{name}", runtimes.load_keras)(str(path))
        images = run(draw_latents(count, gan.input_size))
        assert images.dtype == (np.float32 if output == "float" else np.uint8)
        shown = to_uint8(images) if output == "float" else images
        assert abs(shown.astype(int) - gan.generate(count)).max() <= 1


@pytest.mark.once
def test_the_file_says_what_it_is(gan, exported, converters_here):
    needs("onnx")
    import onnx

    (entry,) = onnx.load(exported("onnx", "float")[0]).metadata_props
    facts = json.loads(entry.value)
    assert facts["img_size"] == [16, 12, 3] and facts["model"] == gan.model_hash
    folder, _ = exported("savedmodel", "float")
    assert json.loads((folder / "dcgan.json").read_text())["output"] == "float"


@pytest.mark.once
def test_an_export_that_gives_other_images_is_not_written(
    tiny, tmp_path, monkeypatch, converters_here
):
    monkeypatch.setattr(formats, "to_uint8", lambda images: to_uint8(images) // 2)
    with pytest.raises(RunError, match=r"differ by \d+.0 levels"):
        tiny().export(tmp_path / "g.keras", output="uint8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.once
def test_a_folder_that_is_no_export_is_neither_replaced_nor_waited_for(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "_call", lambda *words: pytest.fail("it was converted"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(RunError, match="is a folder and no SavedModel"):
        tiny().export(tmp_path / "out", "savedmodel")
    assert (tmp_path / "out" / "mine.txt").exists()


@pytest.mark.once
def test_a_missing_package_is_one_sentence_with_the_command(tiny, monkeypatch):
    answer = subprocess.CompletedProcess([], 0, "missing tf2onnx\n", "")
    monkeypatch.setattr(subprocess, "run", lambda *words, **options: answer)
    with pytest.raises(ArgumentError, match=r"needs the package tf2onnx: pip install 'dcgan\["):
        tiny().export("g.onnx")


@pytest.mark.once
def test_a_converter_that_fails_is_quoted(tiny, monkeypatch):
    ended = subprocess.CompletedProcess([], 1, "", "Traceback\nValueError: no such operation\n")
    monkeypatch.setattr(subprocess, "run", lambda *words, **options: ended)
    with pytest.raises(RunError, match="convert step of the onnx export failed: ValueError: no su"):
        tiny().export("g.onnx")


@pytest.mark.once
@pytest.mark.parametrize(
    ("path", "format", "word"), [("g.xyz", None, "xyz"), ("g.onnx", "caffe", "caffe")]
)
def test_an_unknown_format_is_refused_with_those_there_are(tiny, path, format, word):
    with pytest.raises(ArgumentError, match=rf"onnx \(\.onnx\).*{word}"):
        tiny().export(path, format)


@pytest.mark.once
def test_the_verb_exports_and_says_how_well(tiny, capsys):
    tiny().save("a.dcgan")
    assert main(["export", "a.dcgan", "--to", "savedmodel", "--out", "g"]) == 0
    assert "verified with 16 seeds" in capsys.readouterr().out
    assert DCGAN.load("a.dcgan").generate(1).shape == (1, 16, 12, 3)
