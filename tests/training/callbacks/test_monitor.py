"""The health monitor: what it measures, names, keeps and rolls back."""

import logging
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from dcgan import DCGAN, TrainingError
from dcgan.augment import augmented_copies
from dcgan.data.sample_set import draw_seascapes
from dcgan.images import enlarged_grid
from dcgan.training.callbacks.previews import SAMPLE_COUNT
from dcgan.training.callbacks.rollback import MAX_ROLLBACKS

SIZE = (16, 12, 3)
STILL = {"optimizer": 1e-9, "ema_momentum": 0.0}  # what the callbacks change stays changed


def test_health_is_measured_logged_and_the_best_kept(tiny, images, often, log_lines):
    gan = tiny(save_path="run", **often)
    gan.fit(images, epochs=1, verbose=0)
    found = log_lines("run", "status")
    assert [line["step"] for line in found] == [1, 2, 3]
    for name in ("variety", "d_real", "d_fake", "kid", "memorized"):
        assert np.isfinite(found[-1][f"measured_{name}"])
    assert gan.state.status == found[-1]["status"]
    assert DCGAN.load("run/best.dcgan").generate(1).shape == (1, 16, 12, 3)


def test_a_generator_that_was_always_constant_is_named_collapsing(
    tiny, images, often, collapsing_at, caplog
):
    gan = tiny(save_path="run", **STILL, **often)
    gan.fit(images, epochs=2, verbose=0, callbacks=[collapsing_at([1])])
    assert "collapsing: the samples have 0% of the real images' variety" in caplog.text
    assert gan.state.rollbacks == 0  # there is no better state to roll back to


def test_a_collapse_rolls_back_to_the_best_state_and_in_the_end_stops(
    tiny, images, often, noisy, collapsing_at, caplog, log_lines
):
    gan = noisy(tiny(save_path="run", **STILL, **often))
    with pytest.raises(TrainingError, match="collapsing.*variety"):
        gan.fit(images, epochs=99, verbose=0, callbacks=[collapsing_at(range(2, 999, 5))])
    assert f"rollback {MAX_ROLLBACKS} of at most {MAX_ROLLBACKS}" in caplog.text
    assert "collapsing" in {line["status"] for line in log_lines("run", "status")}
    saved = DCGAN.load("run/last.dcgan")  # the state that it rolled back to
    assert saved.generate(8).std(0).mean() > 1
    shown = np.asarray(Image.open("run/samples.png"))
    np.testing.assert_array_equal(shown, enlarged_grid(saved.generate(SAMPLE_COUNT)))


def test_what_was_rolled_back_to_is_saved_at_once(
    tiny, images, often, noisy, collapsing_at, newest_state
):
    gan = noisy(tiny(save_path="run", **STILL, **often))
    saved = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: saved.append(newest_state("run"))
    )
    gan.fit(images, epochs=2, verbose=0, callbacks=[collapsing_at([2]), note])
    steps = {state["step"] for state in saved}
    assert min(steps) == 0 and len(steps) == 2
    assert saved[-1]["rollbacks"] == 1
    assert DCGAN.load("run/last.dcgan").generate(8).std(0).mean() > 1


def test_a_collapse_with_a_damaged_best_model_rolls_back_to_the_newest_checkpoint(
    tiny, images, often, noisy, collapsing_at, caplog
):
    gan = noisy(tiny(save_path="run", **STILL, **often))
    damage = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: Path("run/best.dcgan").write_bytes(b"PK")
    )
    gan.fit(images, epochs=2, verbose=0, callbacks=[collapsing_at([2]), damage])
    assert "best.dcgan" in caplog.text and "Rolled back" in caplog.text
    assert DCGAN.load("run/last.dcgan").generate(8).std(0).mean() > 1


@pytest.mark.parametrize(("second", "count"), [(lambda x: x, 6), (lambda x: 255 - x, 3)])
def test_health_continues_on_the_same_images_and_starts_anew_on_others(
    tiny, images, often, newest_state, second, count
):
    tiny(save_path="run", **often).fit(images, epochs=1, verbose=0)
    tiny(save_path="run", **often).fit(second(images), epochs=2, verbose=0)
    assert newest_state("run")["health"]["count"] == count


@pytest.mark.parametrize(
    ("status", "samples_from"),
    [
        ("memorizing", lambda n: draw_seascapes(60, SIZE, seed=1)[n % 60]),
        (
            "leaking augmentation",
            lambda n: augmented_copies(draw_seascapes(len(n), SIZE, seed=7), 1.0),
        ),
        ("learning", lambda n: draw_seascapes(len(n), SIZE, seed=7)),
    ],
)
def test_what_the_samples_show_is_named(tiny, often, monkeypatch, status, samples_from):
    gan = tiny(save_path="run", **often)
    monkeypatch.setattr(gan, "generate", lambda n, seed=0: samples_from(np.arange(n)))
    gan.fit(draw_seascapes(60, SIZE, seed=1), epochs=1, steps_per_epoch=4, verbose=0)
    assert gan.state.status == status


def test_a_discriminator_that_learns_a_hundred_times_too_fast_is_named(
    tiny, images, often, noisy, caplog, log_lines
):
    caplog.set_level(logging.INFO, "dcgan")
    changes = {**often, "measure_steps": 3, "augmentation": 0.0, "discriminator_optimizer": 2e-2}
    gan = noisy(tiny(save_path="run", discriminator_norm="none", **changes))
    gan.fit(images, epochs=14, verbose=0)
    assert "discriminator winning" in {line["status"] for line in log_lines("run", "status")}
    assert "nothing left to learn from" in caplog.text


def test_too_few_held_out_images_to_measure_by_leave_it_to_the_others(tiny, images, often):
    tiny(save_path="run", **often).fit(images, epochs=1, verbose=0, validation_data=images[:2])
    assert Path("run/best.dcgan").exists()
