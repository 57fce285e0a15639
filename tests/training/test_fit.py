"""`fit`: Keras's own promises, and those of a run folder."""

import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from dcgan import DCGAN, ArgumentError, DataError, RunError, TrainingError
from dcgan.training.callbacks.previews import Previews
from dcgan.training.fit import Request


def test_fit_fills_the_run_folder_and_returns_a_history(tiny, images, tmp_path):
    history = tiny(save_path=tmp_path / "run").fit(images, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert set(history.history) == {"d_loss", "g_loss", "d_real", "d_fake"}
    assert all(np.isfinite(values).all() for values in history.history.values())
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {
        "real.png",
        "augmented.png",
        "samples.png",
        "losses.png",
        "log.csv",
        "options.json",
    } <= names
    assert {"last.dcgan", "skipped.txt", "checkpoints", "samples"} <= names
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [6]  # ten images, four a step


def test_one_and_two_images_train(tiny, images, often):
    for count in (1, 2):
        history = tiny(save_path=f"run{count}", **often).fit(images[:count], epochs=2, verbose=0)
        assert np.isfinite(history.history["g_loss"]).all()


def test_time_limit_ends_in_time_and_is_saved(tiny, images):
    gan = tiny(save_path="run")
    gan.fit(images, minutes=0.001, verbose=0)
    assert gan.state.step > 0
    again = tiny(save_path="run")
    again.fit(images, minutes=0.001, verbose=0)
    assert again.state.step > gan.state.step


def test_lines_of_a_run_with_a_time_limit_name_no_last_epoch(tiny, images, capsys):
    tiny().fit(images, minutes=0.001, verbose=2)
    assert "Epoch 1/inf\n" in capsys.readouterr().out


def test_folder_smaller_than_a_batch_trains(tiny, images):
    history = tiny().fit(images[:3], epochs=2, verbose=0)
    assert len(history.epoch) == 2
    assert np.isfinite(history.history["d_loss"]).all()


def test_keras_callbacks_work(tiny, images, tmp_path):
    seen = []
    callbacks = [
        keras.callbacks.EarlyStopping(monitor="g_loss", min_delta=1e9, patience=0, mode="min"),
        keras.callbacks.CSVLogger(tmp_path / "keras.csv"),
        keras.callbacks.ModelCheckpoint(tmp_path / "kept.keras"),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
    ]
    gan = tiny()
    gan.fit(images, epochs=5, verbose=0, callbacks=callbacks)
    assert seen == [0, 1]  # no second loss can be better by so much
    assert gan.optimizer.rates == pytest.approx((5e-5, 5e-5))  # halved twice
    assert "g_loss" in (tmp_path / "keras.csv").read_text()
    for load in (DCGAN.load, keras.saving.load_model):
        kept = load(tmp_path / "kept.keras")
        assert np.array_equal(kept.generate(2), gan.generate(2))
        assert kept.state.step == gan.state.step


def test_one_callback_needs_no_list(tiny, images):
    seen = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    tiny().fit(images, epochs=1, verbose=0, callbacks=callback)
    assert seen == [0]


@pytest.mark.parametrize(
    "bad",
    [
        {"epochs": 0},
        {"epochs": 1.5},
        {"minutes": -1},
        {"minutes": float("nan")},
        {"steps_per_epoch": 0},
        {"initial_epoch": -1},
        {"verbose": 7},
    ],
)
def test_fit_refuses_by_name_before_any_work(tiny, images, bad, tmp_path):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        tiny(save_path="run").fit(images, **bad)
    assert not (tmp_path / "run").exists()


def test_a_missing_folder_of_images_leaves_nothing_behind(tiny, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        tiny().fit("nowhere", epochs=1)
    assert not (tmp_path / "Results").exists()


@pytest.mark.parametrize("name", ["empty", "file.txt", "broken"])
def test_what_cannot_be_trained_on_leaves_nothing_behind(tiny, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("no images")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"no image")
    with pytest.raises(DataError):
        tiny().fit(tmp_path / name, epochs=1, verbose=0)
    assert not (tmp_path / "Results").exists()


def test_what_a_users_callback_raises_passes_on_after_everything_is_saved(tiny, images):
    def fail(batch, logs=None):
        if gan.state.step == 2:
            raise ZeroDivisionError("the user's own")

    gan = tiny(save_path="run")
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(ZeroDivisionError, match="the user's own"):
        gan.fit(images, epochs=2, verbose=0, callbacks=[callback])
    assert DCGAN.load("run/last.dcgan").state.step == 2


def test_a_run_folder_deleted_while_training_is_made_whole_again(tiny, images, caplog):
    def delete(batch, logs=None):
        if gan.state.step == 1:
            shutil.rmtree("run")

    gan = tiny(save_path="run", sample_steps=2)
    gan.fit(
        images[:8],
        epochs=2,
        verbose=0,
        callbacks=keras.callbacks.LambdaCallback(on_train_batch_end=delete),
    )
    assert "deleted while in use" in caplog.text
    names = {path.name for path in Path("run").iterdir()}
    assert {"options.json", "log.csv", "log.jsonl", "last.dcgan", "checkpoints"} <= names
    assert Path("run/log.csv").read_text().startswith("step,")
    again = tiny(save_path="run")
    again.fit(images[:8], epochs=3, verbose=0)
    assert again.state.step == 6


def test_a_run_folder_that_cannot_be_made_again_ends_in_one_true_sentence(tiny, images):
    gan = tiny(save_path="run")

    def replace(batch, logs=None):
        if gan.state.step == 1:
            shutil.rmtree("run")
            Path("run").touch()

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=replace)
    with pytest.raises(RunError, match="end of the training could not be saved: .*last.dcgan"):
        gan.fit(images, epochs=1, verbose=0, callbacks=callback)


def test_an_array_file_cut_short_while_training_ends_in_one_true_sentence(
    tiny, images, tmp_path, monkeypatch
):
    np.save("images.npy", np.tile(images, (4, 1, 1, 1)))
    gan = tiny(save_path="run", sample_steps=2)  # compiled on JAX, where it gives old weights away
    act = Previews.act

    def cut(self, epoch, logs):
        act(self, epoch, logs)
        os.truncate(tmp_path / "images.npy", 200)

    monkeypatch.setattr(Previews, "act", cut)
    with pytest.raises(DataError, match="images.npy' has become shorter"):
        gan.fit("images.npy", epochs=50, verbose=0)
    assert DCGAN.load("run/last.dcgan").state.step == gan.state.step >= 2


def allocate_half_a_petabyte():
    keras.ops.ones((2**23, 2**24))


def allocate_on_a_full_gpu():
    if keras.backend.backend() != "torch":
        pytest.skip("the other frameworks raise the same as on a processor")
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB")


@pytest.mark.parametrize("allocate", [allocate_half_a_petabyte, allocate_on_a_full_gpu])
def test_memory_that_runs_out_is_one_sentence_with_what_fits(tiny, images, allocate):
    gan = tiny(save_path="run", sample_steps=2)

    def fail(batch, logs=None):
        if gan.state.step == 3:
            allocate()

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(TrainingError, match="after step 3: batch_size=4 .* Use batch_size=2"):
        gan.fit(images[:4], epochs=4, verbose=0, callbacks=callback)
    again = tiny(save_path="run", batch_size=2)
    again.fit(images[:4], epochs=1, verbose=0)
    assert again.state.step == 2


def test_steps_per_execution_counts_every_step(tiny, images):
    if keras.backend.backend() == "torch":
        pytest.skip("Keras refuses steps_per_execution on PyTorch")
    gan = tiny(save_path="run", eagerly=False)
    gan.compile(steps_per_execution=2)
    gan.fit(images, steps_per_epoch=4, epochs=2, verbose=0)
    assert gan.state.step == 8 and int(gan.optimizer.generator.iterations) == 8


class Stream:
    """A dataset that does not say how many batches it has; it fails after so many epochs."""

    def __init__(self, images, epochs=99):
        self.images, self.epochs, self.passes = images, epochs, 0

    def dataset(self):
        import tensorflow as tf

        def batches():
            self.passes += 1
            if self.passes > self.epochs:
                raise ValueError("no more")
            yield from (self.images[:4], self.images[4:8])

        height, width, channels = self.images.shape[1:]
        spec = tf.TensorSpec((4, height, width, channels), tf.uint8)
        return tf.data.Dataset.from_generator(batches, output_signature=spec)


@pytest.mark.once
@pytest.mark.filterwarnings("ignore::UserWarning")  # Keras's, that the data has ended
def test_epochs_of_an_unknown_length_are_counted_from_the_runs_start(tiny, images, caplog):
    for _ in range(2):
        gan = tiny(save_path="run")
        gan.fit(Stream(images).dataset(), epochs=2, verbose=0)
        assert (gan.state.step, gan.state.epochs) == (4, 2)
    assert "All 2 epochs are done" in caplog.text
    gan = tiny(save_path="run")
    gan.fit(Stream(images).dataset(), epochs=3, verbose=0)
    assert gan.state.step == 6


@pytest.mark.once
def test_a_dataset_that_fails_before_the_first_step_says_only_that(tiny, images, caplog):
    from tensorflow.errors import InvalidArgumentError

    with pytest.raises(InvalidArgumentError, match="no more"):
        tiny(save_path="run").fit(Stream(images, epochs=0).dataset(), epochs=1, verbose=1)
    assert "could not be saved" not in caplog.text


@pytest.mark.parametrize("per_epoch, epochs", [(23_999, 1), (31_250, 1), (100_000, 1), (600, 40)])
def test_the_usual_length_is_as_near_to_24000_steps_as_whole_epochs_come(per_epoch, epochs):
    request = Request(None, None, None, 0, None, None, 0, True)
    assert request.last_epoch(per_epoch) == epochs


def test_a_path_with_a_null_character_is_refused_as_one(tiny):
    with pytest.raises(DataError, match="null character"):
        tiny().fit("a\0b", epochs=1)


def test_estimates_are_in_the_history_and_stop_a_training_early(tiny, images, often):
    stopping = keras.callbacks.EarlyStopping(monitor="rkid", min_delta=1e9, patience=1)
    gan = tiny(save_path="run", **often)
    history = gan.fit(images, epochs=9, verbose=0, callbacks=[stopping])
    assert stopping.mode == "min"  # lower is better
    assert len(history.epoch) < 9
    latest = gan.state.health.recent[-1]
    assert history.history["variety"][-1] == pytest.approx(latest.variety)
    assert all(np.isfinite(history.history["rkid"]))


def test_a_training_that_is_done_can_end_there(tiny, images):
    from dcgan.training.callbacks.until_done import UntilDone

    def named_done(epoch, logs):
        if epoch == 1:
            gan.state.status = "done"

    gan = tiny(save_path="run")
    naming = keras.callbacks.LambdaCallback(on_epoch_end=named_done)
    history = gan.fit(images, epochs=5, verbose=0, callbacks=[naming, UntilDone()])
    assert len(history.epoch) == 2
    assert gan.status == "done"
