"""Do the callbacks watch, save and go back as they promise?"""

import json
import logging
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from dcgan import DCGAN, RunError, TrainingError
from dcgan.augment import augmented_copies
from dcgan.data.sample_set import draw_seascapes
from dcgan.images import grid
from dcgan.training.callbacks import checkpointing as checkpoints
from dcgan.training.callbacks import previews as samples
from dcgan.training.callbacks import rollback as guard
from dcgan.training.callbacks.loss_log import _curve

SIZE = (16, 12, 3)


def breaking_at(steps):
    """A callback that makes a weight NaN after each of these steps."""
    waiting = sorted(steps)

    def damage(batch, logs=None):
        model = callback.model
        if waiting and model.state.step >= waiting[0]:
            waiting.pop(0)
            kernel = model.training_generator.get_layer("base").kernel
            kernel.assign(np.full(kernel.shape, np.nan, np.float32))

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=damage)
    return callback


def test_broken_weights_go_back_to_the_last_good_state_with_lower_rates(tiny, images, caplog):
    gan = tiny(save_path="run")
    gan.fit(images, epochs=4, verbose=0, callbacks=[breaking_at([5])])
    assert "Went back to the last good state" in caplog.text
    assert "not finite" in caplog.text
    assert gan.optimizer.rates == pytest.approx((1e-4, 1e-4))
    assert all(np.isfinite(array).all() for array in arrays_of(gan).values())
    assert np.isfinite(DCGAN.load("run/last.dcgan").generate(2)).all()


def test_training_that_breaks_again_and_again_is_stopped_and_the_good_state_kept(tiny, images):
    gan = tiny(save_path="run")
    with pytest.raises(TrainingError, match="not finite.*learning rate"):
        gan.fit(images, epochs=9, verbose=0, callbacks=[breaking_at(range(2, 99))])
    assert DCGAN.load("run/last.dcgan").optimizer.rates == pytest.approx((2e-4 / 16,) * 2)
    again = tiny(save_path="run")
    again.fit(images, epochs=1, verbose=0)
    assert all(np.isfinite(array).all() for array in arrays_of(again).values())


def test_a_state_with_broken_weights_is_never_saved(tiny, images, monkeypatch):
    monkeypatch.setattr(checkpoints.Checkpoints.__init__, "__defaults__", (1e9, 1))  # every step
    gan = tiny(save_path="run")
    gan.fit(images, epochs=3, verbose=0, callbacks=[breaking_at([4])])
    for path in Path("run/checkpoints").glob("*/arrays.npz"):
        with np.load(path) as arrays:
            assert all(np.isfinite(arrays[name]).all() for name in arrays.files)


def test_a_full_disk_is_said_and_ends_with_an_error(tiny, images, monkeypatch, caplog):
    from dcgan.storage.run_folder import RunFolder

    def full(self, step, arrays, state):
        raise RunError("No space left on device.")

    monkeypatch.setattr(RunFolder, "save_checkpoint", full)
    gan = tiny(save_path="run")
    with pytest.raises(RunError, match="could not be saved"):
        gan.fit(images, epochs=2, verbose=0)
    assert gan.state.step == 6  # training went on to its end
    assert "No space left" in caplog.text


def test_samples_are_of_the_same_latents_and_never_overwritten(tiny, images, monkeypatch):
    monkeypatch.setattr(samples.SampleGrids.__init__, "__defaults__", (2,))
    tiny(save_path="run").fit(images, epochs=2, verbose=0)
    names = sorted(path.name for path in Path("run/samples").iterdir())
    assert names == [
        "image_at_epoch_0001_step_0000002.png",
        "image_at_epoch_0002_step_0000004.png",
        "image_at_epoch_0002_step_0000006.png",
    ]
    before = {path: path.read_bytes() for path in Path("run/samples").iterdir()}
    tiny(save_path="run").fit(images, epochs=4, verbose=0)
    assert len(list(Path("run/samples").iterdir())) == 6
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_short_run_ends_with_a_grid_and_has_a_film(tiny, images):
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    tiny(save_path="run").fit(images, epochs=1, verbose=0)  # nothing left to do
    assert [path.name for path in Path("run/samples").iterdir()] == [
        "image_at_epoch_0001_step_0000003.png"
    ]
    assert Path("run/epochs.png").exists()


def test_the_plot_shows_means_of_so_many_steps_across_epochs():
    counts = [100, 200, 250, 50, 150, 250, 100]  # of three epochs so far
    means = [4.0, 3.0, 2.6, 3.0, 5.0, 4.6, 8.0]
    steps = [100, 200, 250, 300, 400, 500, 600]
    records = [
        {"step": step, "d_loss": mean, "of_steps": count}
        for step, mean, count in zip(steps, means, counts, strict=True)
    ]
    at, shown = _curve(records, "d_loss", 100)
    assert at == [100, 200, 300, 400, 500, 600]
    assert shown == pytest.approx([4.0, 2.0, 2.0, 6.0, 4.0, 8.0])
    assert _curve(records[:1], "d_loss", 999) == ([100], [4.0])
    older = [{"step": state.step, "d_loss": state.d_loss} for record in records]
    assert _curve(older, "d_loss", 100) == (steps, means)  # of how many steps was not noted
    assert _curve([{"step": 3, "d_loss": 0.0, "of_steps": 0}], "d_loss", 1) == ([], [])


def test_the_log_says_of_how_many_steps_its_means_are(tiny, images, monkeypatch):
    monkeypatch.setattr("dcgan.training.callbacks.loss_log.LOG_STEPS", 2)
    tiny(save_path="run").fit(images, epochs=2, verbose=0)
    lines = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["of_steps"]) for line in lines] == [(2, 2), (3, 3), (4, 1), (6, 3)]


def states(folder):
    lines = [json.loads(line) for line in Path(folder, "log.jsonl").read_text().splitlines()]
    return [line for line in lines if "state" in line]


def test_health_is_measured_logged_and_the_best_kept(tiny, images, often):
    tiny(save_path="run").fit(images, epochs=2, verbose=0)
    found = states("run")
    assert [line["step"] for line in found] == [1, 2, 3, 4, 5, 6]
    for name in ("variety", "d_real", "d_fake", "kid", "memorized"):
        assert np.isfinite(found[-1][f"measured_{name}"])
    assert DCGAN.load("run/best.dcgan").generate(1).shape == (1, 16, 12, 3)


def noisy(gan):
    """Give the generator strong random weights, so that its samples are noise of much variety."""
    random = np.random.default_rng(0)
    for weight in gan.training_generator.trainable_weights:
        if weight.name == "kernel":
            weight.assign(random.normal(0, 0.5, weight.shape).astype(np.float32))
    gan.generator.set_weights(gan.training_generator.get_weights())


def collapsing_at(steps):
    """A callback that makes the generator constant after each of these steps."""
    waiting = sorted(steps)

    def collapse(batch, logs=None):
        model = callback.model
        if waiting and model.state.step >= waiting[0]:
            waiting.pop(0)
            for network in (model.training_generator, model.generator):
                kernel = network.get_layer("base").kernel
                kernel.assign(np.zeros(kernel.shape, np.float32))

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=collapse)
    return callback


def test_a_generator_that_was_always_constant_is_named_collapsing(tiny, images, often, caplog):
    gan = tiny(save_path="run", optimizer=1e-9, ema_momentum=0.0)
    gan.fit(images, epochs=3, verbose=0, callbacks=[collapsing_at([1])])
    assert "collapsing: the samples have 0% of the real images' variety" in caplog.text


def test_a_collapse_goes_back_to_the_best_state_and_in_the_end_stops(tiny, images, often, caplog):
    gan = tiny(save_path="run", optimizer=1e-9, ema_momentum=0.0)
    noisy(gan)
    with pytest.raises(TrainingError, match="collapsing.*variety"):
        gan.fit(images, epochs=99, verbose=0, callbacks=[collapsing_at(range(2, 999, 12))])
    assert f"return {guard.MOST_RETURNS} of at most {guard.MOST_RETURNS}" in caplog.text
    assert "collapsing" in {line["state"] for line in states("run")}
    saved = DCGAN.load("run/last.dcgan")  # the state that it went back to
    assert saved.generate(8).std(0).mean() > 1


def test_what_was_gone_back_to_is_saved_at_once(tiny, images, often):
    gan = tiny(save_path="run", optimizer=1e-9, ema_momentum=0.0)
    noisy(gan)
    steps = []

    def note(batch, logs=None):
        newest = sorted(Path("run/checkpoints").iterdir())[-1]
        steps.append(json.loads((newest / "state.json").read_text()))

    collapse = collapsing_at([2])
    then = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    gan.fit(images, epochs=4, verbose=0, callbacks=[collapse, then])
    saved = [state["record"]["step"] for state in steps]
    assert sorted(set(saved))[0] == 0 and len(set(saved)) == 2
    assert steps[-1]["returns"] == 1
    assert DCGAN.load("run/last.dcgan").generate(8).std(0).mean() > 1


def test_a_collapse_with_a_damaged_best_model_goes_back_to_the_newest_checkpoint(
    tiny, images, often, caplog
):
    gan = tiny(save_path="run", optimizer=1e-9, ema_momentum=0.0)
    noisy(gan)
    collapse = collapsing_at([2])

    def damage(batch, logs=None):
        Path("run/best.dcgan").write_bytes(b"PK")

    damaged = keras.callbacks.LambdaCallback(on_train_batch_end=damage)
    gan.fit(images, epochs=3, verbose=0, callbacks=[collapse, damaged])
    assert "best.dcgan" in caplog.text and "Went back" in caplog.text
    assert DCGAN.load("run/last.dcgan").generate(8).std(0).mean() > 1


def test_the_last_grid_shows_the_state_that_was_gone_back_to(tiny, images, often):
    gan = tiny(save_path="run", optimizer=1e-9, ema_momentum=0.0)
    noisy(gan)
    with pytest.raises(TrainingError):
        gan.fit(images, epochs=99, verbose=0, callbacks=[collapsing_at(range(2, 999, 12))])
    shown = np.asarray(Image.open("run/samples.png"))
    expected = grid(DCGAN.load("run/last.dcgan").generate(samples.SAMPLE_COUNT))
    np.testing.assert_array_equal(shown[: len(expected)], expected)


def test_other_images_are_no_measure_for_the_best_so_far(tiny, images, often):
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    tiny(save_path="run").fit(255 - images, epochs=2, verbose=0)
    kept = sorted(Path("run/checkpoints").iterdir())[-1]
    assert json.loads((kept / "state.json").read_text())["health"]["count"] == 3


@pytest.mark.parametrize(
    ("word", "samples_from"),
    [
        ("memorizing", lambda n: draw_seascapes(60, SIZE, seed=1)[n % 60]),
        (
            "leaking augmentation",
            lambda n: augmented_copies(draw_seascapes(len(n), SIZE, seed=7), 1.0),
        ),
        ("learning", lambda n: draw_seascapes(len(n), SIZE, seed=7)),
    ],
)
def test_what_the_samples_show_is_named(tiny, often, monkeypatch, caplog, word, samples_from):
    gan = tiny(save_path="run")
    monkeypatch.setattr(gan, "generate", lambda n, seed=0: samples_from(np.arange(n)))
    gan.fit(draw_seascapes(60, SIZE, seed=1), epochs=1, steps_per_epoch=4, verbose=0)
    assert states("run")[-1]["state"] == word


def test_a_discriminator_that_learns_a_hundred_times_too_fast_is_named(tiny, images, often, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    changes = {"discriminator_norm": "none", "augmentation": 0.0, "eagerly": False}
    gan = tiny(save_path="run", discriminator_optimizer=2e-2, **changes)
    gan.fit(images, epochs=14, verbose=0)
    assert "discriminator winning" in {line["state"] for line in states("run")}
    assert "nothing left to learn from" in caplog.text


def test_health_goes_on_after_a_resume(tiny, images, often):
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    tiny(save_path="run").fit(images, epochs=2, verbose=0)
    kept = sorted(Path("run/checkpoints").iterdir())[-1]
    assert json.loads((kept / "state.json").read_text())["health"]["count"] == 6
