"""The schedule: what is counted, when tasks are called, and what a step costs on the device."""

import keras
import numpy as np
import pytest

from dcgan.training.callbacks.schedule import Task


def test_a_task_is_due_after_its_steps_or_seconds():
    task = Task(every_steps=10, every_seconds=60)
    task.begin(25)
    now = task.last_moment
    assert not task.is_due(29, now)
    assert task.is_due(30, now)  # counted from the run's start, also after a resume
    assert task.is_due(26, now + 60)


def test_steps_images_and_epochs_are_counted(tiny, images):
    gan = tiny()
    gan.fit(images, epochs=2, verbose=0)
    assert (gan.state.step, gan.state.images_seen, gan.state.phase_step) == (6, 24, 6)
    assert gan.state.seconds > 0


def test_the_schedule_counts_before_a_users_callback_is_called(tiny, images):
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append((gan.state.step, sorted(logs)))
    )
    gan = tiny()
    gan.fit(images, epochs=1, verbose=0, callbacks=[callback])
    assert seen == [(step, ["d_fake", "d_loss", "d_real", "g_loss"]) for step in (1, 2, 3)]


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="variables stay on JAX's device")
def test_on_jax_ten_steps_without_a_due_task_neither_synchronize_nor_transfer(
    tiny, images, monkeypatch
):
    from jax._src.array import ArrayImpl

    from dcgan.training.callbacks import progress
    from dcgan.training.callbacks.schedule import Schedule

    monkeypatch.setattr(progress, "REFRESH_SECONDS", 1e9)
    counts = {"sync": 0, "transfer": 0}
    at_step = {}
    gan = tiny(eagerly=False, measure_steps=10**6, sample_steps=10**6)
    sync, value, after = gan.jax_state_sync, ArrayImpl._value, Schedule.after_batch

    def counted_sync():
        counts["sync"] += bool(getattr(gan, "_jax_state", None)) and not gan._jax_state_synced
        return sync()

    def counted_value(array):
        counts["transfer"] += 1
        return value.fget(array)

    def counted_after(self, batch, logs):
        after(self, batch, logs)
        at_step[self.state.step] = dict(counts)

    monkeypatch.setattr(gan, "jax_state_sync", counted_sync, raising=False)
    monkeypatch.setattr(ArrayImpl, "_value", property(counted_value))
    monkeypatch.setattr(Schedule, "after_batch", counted_after)
    gan.fit(images, epochs=1, steps_per_epoch=12, verbose=1)
    assert at_step[1] == at_step[11]  # ten steps, with the progress bar and the log on
    assert counts["transfer"] > at_step[11]["transfer"]  # what the end copies is counted


def test_the_first_step_that_is_not_finite_is_remembered_with_its_losses(tiny, images):
    gan = tiny()
    real = keras.ops.convert_to_tensor(images[:4])
    gan.update(real)
    assert gan.numbers.read_first_broken() is None
    kernel = gan.discriminator.get_layer("logit").kernel
    kernel.assign(np.full(kernel.shape, np.nan, np.float32))
    for _ in range(2):
        gan.update(real)
    step, numbers = gan.numbers.read_first_broken()
    assert step == 2
    assert np.isnan(numbers["d_loss"])
