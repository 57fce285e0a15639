"""Keras files: one of the whole model, read by Keras and by `DCGAN.load`, from anyone."""

import json
import shutil
import zipfile

import keras
import numpy as np
import pytest

from dcgan import DCGAN, ModelFileError


@pytest.fixture
def trained(tiny, images):
    gan = tiny(save_path="run", optimizer=1e-3)
    gan.fit(images, epochs=1, verbose=0)
    return gan


@pytest.mark.parametrize("load", [DCGAN.load, keras.saving.load_model])
def test_a_keras_file_holds_the_whole_model(trained, load, arrays_of):
    trained.save("m.keras")
    loaded = load("m.keras")
    assert loaded.state == trained.state and loaded.plan == trained.plan
    ours, theirs = arrays_of(trained), arrays_of(loaded)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_model_from_a_keras_file_trains_on_as_the_one_that_was_saved(tiny, images):
    trained = tiny(save_path="run", optimizer=1e-3, augmentation=0.0)
    trained.fit(images, epochs=1, verbose=0)
    keras.saving.save_model(trained, "m.keras")
    loaded = DCGAN.load("m.keras")
    assert loaded.save_path is None  # nothing in a file names a place
    assert loaded.optimizer.rates == pytest.approx((1e-3, 1e-3))
    real, latents = images[:4], np.zeros((4, 8), np.float32)
    ours, theirs = (gan.update(real, latents) for gan in (trained, loaded))
    assert {name: float(value) for name, value in ours.items()} == {
        name: float(value) for name, value in theirs.items()
    }


def test_a_generator_alone_is_an_export_and_not_a_model(trained):
    for name in ("g.h5", "g.keras"):
        with pytest.raises(ModelFileError, match=r"Use export\(path\)"):
            trained.save(name, generator_only=True)


def test_an_exported_generator_is_named_for_what_it_is(trained):
    trained.export("g.keras")
    with pytest.raises(ModelFileError, match="a generator alone, which keras.models.load_model"):
        DCGAN.load("g.keras")


def changed(change):
    """m.keras with another config, as bad.keras."""
    shutil.copy("m.keras", "bad.keras")
    with zipfile.ZipFile("m.keras") as file, zipfile.ZipFile("bad.keras", "w") as bad:
        for member in file.namelist():
            content = file.read(member)
            if member == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            bad.writestr(member, content)


def other_class(config):
    config.update(module="os", class_name="system", registered_name=None)


def other_optimizer(config):
    config["config"]["optimizer"].update(module="subprocess", class_name="Popen")


def hidden_class(config):
    config["config"]["network_plan"]["base"] = {"class_name": "Lambda", "config": {}}


def far_too_large(config):
    config["config"]["network_plan"]["base"]["filters"] = 10**9


def place_to_write_to(config):
    config["config"]["save_path"] = "elsewhere"


def no_config(config):
    del config["config"]


def test_a_config_nested_too_deep_is_refused_by_name():
    with zipfile.ZipFile("bad.keras", "w") as bad:
        bad.writestr("config.json", "[" * 100_000)
    with pytest.raises(ModelFileError, match="'bad.keras' cannot be loaded"):
        DCGAN.load("bad.keras")


@pytest.mark.parametrize(
    "change",
    [other_class, other_optimizer, hidden_class, far_too_large, place_to_write_to, no_config],
)
def test_a_strangers_keras_file_is_refused_by_name(tiny, change):
    tiny().save("m.keras")
    changed(change)
    with pytest.raises(ModelFileError, match="'bad.keras' cannot be loaded"):
        DCGAN.load("bad.keras")


def test_what_is_no_keras_file_is_refused_by_name(tmp_path):
    (tmp_path / "a.keras").write_bytes(b"PK\3\4 no zip")
    for name in ("a.keras", "nowhere.keras"):
        with pytest.raises(ModelFileError, match=name):
            DCGAN.load(name)
