"""Trainings of growing networks: phases, and what survives the growth of a network."""

import logging
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from dcgan import DCGAN
from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import ArgumentError, ModelFileError, RunError
from dcgan.training.health import Health, Measurement
from dcgan.training.phases import Growth
from dcgan.training.request import NO_LIMIT, Length
from dcgan.training.state import capture

GROWING = {
    "img_size": (32, 24, 3),
    "depth": 2,
    "increment": 6,
    "input_size": 8,
    "batch_size": 4,
    "augmentation": 0.5,
}


@pytest.fixture
def growing(tiny, monkeypatch):
    """A function that makes a tiny DCGAN of two phases."""
    monkeypatch.setattr("dcgan.networks.growing.MIN_SIDE_GROWN", 24)
    monkeypatch.setattr("dcgan.networks.growing.MIN_SIDE_FIRST", 12)
    return lambda **changes: tiny(**{**GROWING, **changes})


@pytest.fixture
def images():
    """Six images of 32 x 24 pixels: two steps an epoch."""
    return draw_seascapes(6, GROWING["img_size"], seed=1)


@pytest.mark.parametrize("upsampling", ["antialiased", "transposed"])
def test_a_training_begins_small_and_ends_with_the_networks_of_the_plan(
    growing, images, caplog, upsampling
):
    caplog.set_level(logging.INFO)
    gan = growing(save_path="run", upsampling=upsampling)
    sizes = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: sizes.append(gan.generator.output_shape[1:3])
    )
    history = gan.fit(images, epochs=4, verbose=0, callbacks=[look])  # 8 steps
    assert sizes == [(16, 12), (16, 12), (32, 24), (32, 24)]
    assert history.epoch == [0, 1, 2, 3]  # each once, though the third was cut
    assert "Phase 1 of 2: images of 16 x 12" in caplog.text
    assert "Phase 2 of 2: images of 32 x 24" in caplog.text
    assert gan.state.step == 8 and gan.state.phase_step == 8 - 5
    assert len(gan.trainable_variables) == len(gan.training_generator.trainable_variables) + len(
        gan.discriminator.trainable_variables
    )


def test_samples_have_the_full_size_in_every_phase(growing, images):
    gan = growing(save_path="run")
    shapes = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: shapes.append(gan.generate(2).shape)
    )
    gan.fit(images, epochs=2, verbose=0, callbacks=[look])
    assert shapes == [(2, 32, 24, 3)] * 2


def test_a_training_that_a_callback_stops_does_not_grow(growing, images):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    for options, phase in (({}, 0), ({"growing": False}, 1)):
        gan = growing(save_path=f"phase-{phase}", sample_steps=1, **options)
        gan.fit(images, epochs=4, verbose=0, callbacks=[Stop()])
        assert (gan.state.step, gan.state.phase) == (3, phase)


@pytest.mark.once
def test_a_run_that_grows_is_not_resumed_as_one_that_does_not(growing, images):
    growing(save_path="run").fit(images, epochs=1, verbose=0)
    with pytest.raises(RunError, match="growing: True in the folder, False now .it decides"):
        growing(save_path="run", growing=False).fit(images, epochs=2, verbose=0)


def test_without_growing_the_whole_networks_are_trained(growing, images):
    gan = growing(save_path="run", growing=False)
    gan.fit(images, epochs=1, verbose=0)
    assert gan.state.phase_step == gan.state.step == 2


def test_a_run_resumes_bit_for_bit_before_and_after_it_grows(growing, images, arrays_of):
    """Of 8 steps the first 5 are small; the run is interrupted after 2 and after 6."""

    class Stop(keras.callbacks.Callback):
        def __init__(self, last):
            super().__init__()
            self.last = last

        def on_epoch_end(self, epoch, logs=None):
            if epoch + 1 == self.last:
                raise KeyboardInterrupt  # as a kill would, it leaves the last checkpoint

    whole = growing(save_path="whole")
    whole.fit(images, epochs=4, verbose=0)
    for last in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            growing(save_path="parts").fit(images, epochs=4, verbose=0, callbacks=[Stop(last)])
    parts = growing(save_path="parts")
    parts.fit(images, epochs=4, verbose=0)
    assert parts.state.phase_step == whole.state.phase_step
    ours, theirs = arrays_of(whole), arrays_of(parts)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


def test_a_run_that_is_killed_while_it_grows_grows_at_the_same_step(growing, images, arrays_of):
    """A checkpoint of step 5, the last of the small networks, is the newest that there is."""
    whole = growing(save_path="whole")
    whole.fit(images, epochs=4, verbose=0)
    killed = growing(save_path="killed", checkpoint_seconds=0.001)

    def end(batch, logs=None):
        if killed.state.step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        callback = keras.callbacks.LambdaCallback(on_train_batch_end=end)
        killed.fit(images, epochs=4, verbose=0, callbacks=[callback])
    for path in sorted(Path("killed/checkpoints").glob("*step-5*"))[1:]:
        path.unlink()
    for path in Path("killed/checkpoints").glob("*step-6*"):
        path.unlink()
    killed = growing(save_path="killed")
    killed.fit(images, epochs=4, verbose=0)
    ours, theirs = arrays_of(whole), arrays_of(killed)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


@pytest.mark.parametrize("step", [5, 6])
def test_weights_that_break_while_networks_grow_are_rolled_back(growing, images, step):
    """At step 5 the small networks have ended; the first step of the large ones is the sixth."""
    gan, broken = growing(save_path="run"), []

    class Damage(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if gan.state.step == step and not broken:
                model = self.model  # on JAX this writes the variables back
                broken.append(model.discriminator.get_layer("stage_1").kernel)
                broken[0].assign(np.full(broken[0].shape, np.nan, "float32"))

    gan.fit(images, epochs=4, verbose=0, callbacks=[Damage()])
    assert gan.state.rollbacks == 1 and gan.state.phase == 1
    assert np.isfinite(gan.discriminator.get_layer("stage_1").get_weights()[0]).all()


def test_a_model_file_of_a_phase_loads_and_grows_on(growing, images, eager):
    gan = growing(save_path="run")
    gan.fit(images, epochs=1, steps_per_epoch=1, verbose=0)  # too short to grow
    assert gan.state.phase == 0
    for name in ("small.dcgan", "small.keras"):
        gan.save(name)
        loaded = DCGAN.load(name)
        assert loaded.state.phase == 0
        np.testing.assert_array_equal(loaded.generate(2), gan.generate(2))
    loaded.fit(images, epochs=4, verbose=0)
    assert loaded.state.phase == 1


def test_an_export_waits_until_the_networks_have_grown(growing, images):
    gan = growing(save_path="run")
    gan.fit(images, epochs=1, steps_per_epoch=1, verbose=0)
    with pytest.raises(ArgumentError, match="still growing: they make images of 16 x 12"):
        gan.export("g.keras")


def test_a_generator_of_a_phase_loads_alone(growing, images):
    gan = growing(save_path="run")
    gan.fit(images, epochs=1, steps_per_epoch=1, verbose=0)
    gan.save("small.dcgan", generator_only=True)
    np.testing.assert_array_equal(DCGAN.load("small.dcgan").generate(2), gan.generate(2))


def test_a_file_of_a_phase_that_the_plan_lacks_is_refused(growing):
    gan = growing()
    gan.state.phase = 7
    learner = gan._learner()
    document, arrays = capture(learner)
    from dcgan.storage.model_file import write_model_file

    write_model_file("seven.dcgan", document, arrays, None)
    with pytest.raises(ModelFileError, match="phase must be"):
        DCGAN.load("seven.dcgan")


def test_a_start_from_a_trained_model_does_not_begin_small(growing, images):
    gan = growing(save_path="run", growing=False)
    gan.fit(images, epochs=1, verbose=0)
    gan.save("trained.dcgan")
    other = growing(save_path="other")
    other.start_from("trained.dcgan")
    other.fit(images[:4], epochs=1, verbose=0)
    assert other.state.phase == 1 and other.state.phase_step == other.state.step


def test_augmentation_goes_on_when_networks_grow(growing, images):
    gan = growing(save_path="run")
    gan.fit(images, epochs=4, verbose=0)
    seen = gan.state.images_seen / float(gan.augment.ramp_images)
    assert gan.state.phase_step < gan.state.step
    assert float(gan.augment.share) == pytest.approx(seen)


def test_with_a_time_limit_phases_end_by_their_share_of_the_time(growing):
    gan = growing()
    gan.state.phase = 0
    task = Growth(gan._learner(), Length(None, NO_LIMIT), deadline=None)
    assert not task.is_due(10**6, 0.0)  # nobody knows when it ends
    task = Growth(gan._learner(), Length(None, NO_LIMIT), deadline=time.monotonic() + 100)
    gan.state.seconds = 10.0
    assert not task.is_due(5, 0.0)
    gan.state.seconds = 50.0
    assert task.is_due(5, 0.0)


def test_learning_rates_stay_as_they_were_given(growing, images):
    gan = growing(save_path="run", optimizer=1e-3)
    gan.fit(images, epochs=4, verbose=0)
    assert gan.state.learning_rates == pytest.approx((1e-3, 1e-3))
    assert gan.optimizer.rates == pytest.approx((1e-3, 1e-3))


def test_a_plateau_of_small_images_is_no_end():
    health = Health()
    statuses = set()
    for step in range(40):
        health.expect_more()
        statuses.add(health.update(Measurement(step, variety=1.0, kid=0.5)).status)
    assert statuses == {"learning"}
    for step in range(40, 60):
        statuses.add(health.update(Measurement(step, variety=1.0, kid=0.5)).status)
    assert "stalled" in statuses
