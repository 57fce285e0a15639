"""Generators as files of other formats, written only if they give the same images there."""

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
from keras import ops

from dcgan.errors import ArgumentError, RunError
from dcgan.export.web import web_page
from dcgan.images import to_uint8
from dcgan.latents import draw_latents

# Name of each format, and how its files end; a SavedModel is a folder.
FORMATS = {
    "onnx": ".onnx", "litert": ".tflite", "savedmodel": "", "keras": ".keras", "h5": ".h5",
    "web": ".html",
}  # fmt: skip
KERAS_NAMES = {"tf_saved_model": "savedmodel"}
OUTPUTS = ("float", "uint8")
SEEDS = 16  # whose images are compared
MAX_LEVELS = 1.0  # of 255, by which an exported image may differ: rounding
MAX_WEB_LEVELS = 2.0  # where weights have 16 bits
LATENT_RULE = "latents of seed s: dcgan.latents.draw_latents(1, input_size, seed=s)"
FACTS = "dcgan.json"  # in a folder or archive; beside a file that has no room for it


def export_generator(
    generator: keras.Model,
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    output: str = "float",
    facts: Mapping[str, object],
) -> float:
    """Write a generator in another format, verified; see `DCGAN.export`.

    Args:
        generator: float32 latents `(n, input_size)` to float32 images `(n, H, W, C)` in [-1, 1].
        path: the file, or the folder of a SavedModel. One that is there is replaced.
        format: one of `FORMATS` or of Keras's names for them. None: by the ending of `path`.
        output: "float" images as the generator makes them, or "uint8" from 0 to 255, which a page
            shows in any case.
        facts: plain values that describe the model, kept in the file.

    Returns:
        the largest difference from the generator's images of 16 seeds, in levels of 255; colors
        of images with alpha count as they are seen, times alpha.

    Raises:
        ArgumentError: the format is unknown, or a package or browser that it needs is missing.
        RunError: the conversion failed, or its images differ by more than one level; two for a
            page.
    """
    path = Path(path)
    name = _format_of(path, format)
    if output not in OUTPUTS:
        raise ArgumentError(f"output must be one of {', '.join(OUTPUTS)}. Received: {output!r}")
    if (name, output) == ("h5", "uint8"):
        raise ArgumentError("h5 holds layers only, and rounding is none. Use output='float'.")
    _check_place(path)
    latents = np.concatenate([draw_latents(1, generator.input_shape[1], s) for s in range(SEEDS)])
    expected = to_uint8(ops.convert_to_numpy(generator(latents)))
    path.parent.mkdir(parents=True, exist_ok=True)
    described = {**facts, "output": output, "latents": LATENT_RULE}
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export.") as scratch:
        place = Path(scratch)
        made = place / f"generator{FORMATS[name]}"
        if name == "web":
            made.write_bytes(web_page(generator, path.stem, described))
        else:
            exported = generator if output == "float" else _with_uint8_output(generator)
            source = made if name in ("keras", "h5") else place / "source.keras"
            _save(exported, source)
            if source != made:
                _call("convert", name, source, made)
        np.save(place / "latents.npy", latents)
        _call("run", name, made, place / "latents.npy", place / "images.npy")
        difference = _difference(np.load(place / "images.npy"), expected)
        limit = MAX_WEB_LEVELS if name == "web" else MAX_LEVELS
        if difference > limit:
            raise RunError(
                f"The {name} export gives other images: they differ by {difference:.1f} levels of "
                f"255, where at most {limit:g} is rounding. Nothing was written."
            )
        _describe(name, made, path, json.dumps(described, indent=1))
        _move(made, path)
    return difference


def _format_of(path: Path, format: str | None) -> str:
    """The name of the format that is asked for, or that the ending of the path says."""
    if format is not None:
        name = KERAS_NAMES.get(format, format)
    else:
        by_ending = {ending: name for name, ending in FORMATS.items()}
        name = by_ending.get(path.suffix.lower(), "")
    if name not in FORMATS:
        endings = ", ".join(f"{name} ({end or 'a folder'})" for name, end in FORMATS.items())
        raise ArgumentError(
            f"There is no such export format. Expected: {endings}. Received: "
            f"{format or path.suffix!r}."
        )
    return name


def _save(model: keras.Model, path: Path) -> None:
    """Save without Keras's advice against HDF5, which the user has chosen."""
    absl = logging.getLogger("absl")
    level = absl.level
    absl.setLevel(logging.ERROR)
    try:
        model.save(path)
    finally:
        absl.setLevel(level)


def _with_uint8_output(generator: keras.Model) -> keras.Model:
    """The generator followed by rounding to uint8, in Keras's own operations."""
    if generator.output_shape[-1] == 4:
        raise ArgumentError(
            "output='uint8' needs images without alpha, since colors are divided by it afterwards. "
            "Use output='float': premultiplied images in [-1, 1]."
        )
    latents = keras.Input(generator.input_shape[1:], name="latent")
    levels = ops.round((generator(latents) + 1.0) * 127.5)
    return keras.Model(latents, ops.cast(ops.clip(levels, 0, 255), "uint8"), name="generator")


def _call(verb: str, name: str, *paths: Path) -> None:
    """Run `runtimes.py`, on TensorFlow where it converts."""
    ended = _in_own_process([verb, name, *map(str, paths)])
    answer = ended.stdout.strip().splitlines()[-1:]
    if answer == ["missing browser"]:
        raise ArgumentError(
            f"Exporting to {name} needs Chrome, Chromium or Edge, which verifies the page."
        )
    if answer and answer[0].startswith("missing "):
        raise ArgumentError(
            f"Exporting to {name} needs the package {answer[0].removeprefix('missing ')}: "
            "pip install 'dcgan[export]'"
        )
    if answer != ["OK"]:
        reason = (ended.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise RunError(f"The {verb} step of the {name} export failed: {reason[:300]}")


def _in_own_process(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run `runtimes.py` in a process of its own."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if words[0] == "convert":
        environment["KERAS_BACKEND"] = "tensorflow"
    command = [sys.executable, "-P", str(Path(__file__).with_name("runtimes.py")), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference of exported images from uint8 ones, in levels of 255."""
    shown = found if found.dtype == np.uint8 else to_uint8(found)
    if shown.shape != expected.shape:
        return float("inf")
    return float(np.abs(shown.astype(int) - expected.astype(int)).max())


def _describe(name: str, made: Path, path: Path, facts: str) -> None:
    """Put the facts into the file, or beside it where the format has no room for them."""
    if name == "onnx":
        import onnx

        model = onnx.load(made)
        onnx.helper.set_model_props(model, {"dcgan": facts})
        onnx.save(model, made)
    elif name == "savedmodel":
        (made / FACTS).write_text(facts)
    elif name == "keras":
        with zipfile.ZipFile(made, "a") as archive:
            archive.writestr(FACTS, facts)
    elif name != "web":
        path.with_name(f"{path.name}.json").write_text(facts)


def _check_place(path: Path) -> None:
    """Refuse a folder that is no SavedModel, which is not ours to replace."""
    if path.is_dir() and not (path / "saved_model.pb").exists():
        raise RunError(f"{str(path)!r} is a folder and no SavedModel. Choose another path.")


def _move(made: Path, path: Path) -> None:
    """Put what was made in its place, in one step where it is a file."""
    _check_place(path)
    if path.is_dir():
        shutil.rmtree(path)
    os.replace(made, path)
