"""`fit`: Keras's own promises, and those of a run folder."""

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from dcgan import DCGAN, ArgumentError, DataError, RunError
from dcgan.data.sample_set import draw_seascapes
from dcgan.images import save_png


def log_lines(run):
    return [json.loads(line) for line in Path(run, "log.jsonl").read_text().splitlines()]


def same(first, second):
    return [name for name in first if not np.array_equal(first[name], second[name])]


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


def interrupted(after):
    """A callback that ends training after so many steps, as a time limit would."""

    def stop(batch, logs=None):
        if counter.model.state.step >= after:
            counter.model.stop_training = True

    counter = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    return counter


@pytest.mark.parametrize(
    ("after", "precision"),
    [
        (3, "float32"),
        pytest.param(5, "float32"),
        (5, "mixed_bfloat16"),
    ],
    ids=["at an epoch's end", "within an epoch", "in mixed precision"],
)
def test_interrupted_and_resumed_is_bit_equal_to_uninterrupted(
    tiny, images, after, precision, arrays_of
):
    # compiled, as people run it, once; the others step eagerly, which starts in no time
    options = {"dropout": 0.3, "horizontal_flip": True, "precision": precision}
    options["eagerly"] = (after, precision) != (5, "float32")
    whole = tiny(save_path="whole", **options)
    whole.fit(images, epochs=3, verbose=0)
    first = tiny(save_path="parts", **options)
    first.fit(images, epochs=3, verbose=0, callbacks=[interrupted(after)])
    assert first.state.step == after
    second = tiny(save_path="parts", **options)  # a new process has nothing but the folder
    second.fit(images, epochs=3, verbose=0)
    assert second.state.step == 9
    assert same(arrays_of(whole), arrays_of(second)) == []
    lines = [log_lines(name)[-1] for name in ("whole", "parts")]
    assert all(line.pop("seconds") > 0 for line in lines)
    assert lines[0] == lines[1]  # its means are of all nine steps, also after the interruption


def test_a_second_fit_continues_to_the_epochs_asked_for(tiny, images, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    gan = tiny(save_path="run")
    gan.fit(images, epochs=1, verbose=0)
    assert gan.fit(images, epochs=3, verbose=0).epoch == [1, 2]
    assert "Resuming in run from step 3 (epoch 2)" in caplog.text
    assert gan.fit(images, epochs=3, verbose=0).epoch == []


def test_resume_false_starts_a_numbered_folder_and_keeps_the_old_one(tiny, images, tmp_path):
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    before = (tmp_path / "run" / "last.dcgan").read_bytes()
    gan = tiny(save_path="run")
    assert gan.fit(images, epochs=1, verbose=0, resume=False).epoch == [0]
    assert gan.run_path.name == "run-2"
    assert (tmp_path / "run" / "last.dcgan").read_bytes() == before


def test_other_networks_cannot_go_on_in_a_run(tiny, images):
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    with pytest.raises(RunError, match="increment: 4 in the folder, 5 now"):
        tiny(save_path="run", increment=5).fit(images, epochs=2, verbose=0)


def test_a_run_resumes_although_new_networks_would_be_initialized_otherwise(tiny, images):
    gan = tiny(save_path="run")
    gan.fit(images, epochs=1, verbose=0)
    as_before = replace(gan.plan, initializer="normal")
    again = DCGAN(save_path="run", batch_size=4, network_plan=as_before)
    again.run_eagerly = True
    assert again.fit(images, epochs=2, verbose=0).epoch == [1]


def test_a_model_of_another_run_does_not_train_over_a_folders_run(tiny, images):
    tiny(save_path="run").fit(images, epochs=2, verbose=0)
    other = tiny(save_path="other", seed=0)
    other.fit(images, epochs=3, verbose=0)
    other.save("other.dcgan")
    loaded = DCGAN.load("other.dcgan")
    loaded.options = replace(loaded.options, save_path="run")
    before = Path("run/last.dcgan").read_bytes()
    with pytest.raises(RunError, match="not this model's.*resume=False"):
        loaded.fit(images, epochs=9, verbose=0)
    assert Path("run/last.dcgan").read_bytes() == before
    loaded.fit(images, epochs=4, verbose=0, resume=False)
    assert loaded.run_path.name == "run-2"
    assert loaded.state.step == 12


def test_a_loaded_model_that_comes_to_other_images_begins_a_new_run(tiny, images):
    gan = tiny(save_path="run")
    gan.fit(images, epochs=3, verbose=0)
    loaded = DCGAN.load("run/last.dcgan")
    loaded.options = replace(loaded.options, save_path="other")
    history = loaded.fit(images[:5], epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert loaded.state.step == 4 and loaded.state.run_id != gan.state.run_id


def test_one_and_two_images_train(tiny, images, often):
    for count in (1, 2):
        history = tiny(save_path=f"run{count}", **often).fit(images[:count], epochs=3, verbose=0)
        assert np.isfinite(history.history["g_loss"]).all()


def test_another_learning_rate_is_taken_and_stated(tiny, images, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    gan = tiny(save_path="run", optimizer=1e-5)
    gan.fit(images, epochs=2, verbose=0)
    assert gan.optimizer.rates == pytest.approx((1e-5, 1e-5))
    assert "other settings" in caplog.text


def test_images_that_were_trained_on_are_not_held_out_when_others_are_added(tiny, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    images = draw_seascapes(80, (16, 12, 3), seed=1)
    fits = ((images[:79], "run"), (images, "run"), (images, "run"), (images, "new"))
    for epochs, ((shown, name), held_out) in enumerate(zip(fits, (0, 0, 0, 20), strict=True), 1):
        gan = tiny(save_path=name, batch_size=40)
        gan.fit(shown, epochs=epochs, steps_per_epoch=1, verbose=0)
        assert (gan.state.data.count, gan.state.data.held_out) == (len(shown), held_out)
    assert caplog.text.count("no images are held out") == 2


@pytest.mark.parametrize(("verbose", "said"), [(0, False), (2, True)])
def test_fit_says_from_where_it_resumes(tiny, images, capsys, monkeypatch, verbose, said):
    logging.getLogger("dcgan").setLevel(logging.NOTSET)  # nobody set up logging
    monkeypatch.setattr(logging.getLogger("dcgan"), "propagate", False)
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    tiny(save_path="run").fit(images, epochs=2, verbose=verbose)
    assert ("Resuming in run from step 3" in capsys.readouterr().err) == said
    assert logging.getLogger("dcgan").level == logging.NOTSET


def test_images_that_are_enlarged_are_mentioned(tiny, images, caplog):
    tiny(save_path="run", img_size=(32, 24, 3)).fit(images, epochs=1, verbose=0)
    assert "about 16 x 12 and are enlarged to 32 x 24" in caplog.text
    assert "DCGAN(img_size=(16, 12, 3), depth=1, batch_size=16)" in caplog.text


def test_a_new_run_says_how_to_resume_it(tiny, images, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    tiny(save_path="run").fit(images, epochs=1, verbose=0, resume=False)
    assert "save_path='run-2' resumes this run" in caplog.text


def test_time_limit_ends_in_time_and_is_saved(tiny, images):
    gan = tiny(save_path="run")
    gan.fit(images, minutes=0.02, verbose=0)
    assert gan.state.step > 0
    again = tiny(save_path="run")
    again.fit(images, minutes=0.001, verbose=0)
    assert again.state.step > gan.state.step


def test_folder_smaller_than_a_batch_trains(tiny, images):
    history = tiny(batch_size=32).fit(images[:3], epochs=2, verbose=0)
    assert len(history.epoch) == 2
    assert np.isfinite(history.history["d_loss"]).all()


class Stream(keras.utils.PyDataset):
    """A dataset of a user's own batches."""

    def __init__(self, *batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def test_a_users_own_dataset_trains(tiny, images):
    floats, labels = images.astype(np.float32) / 127.5 - 1, np.zeros(4)
    own = Stream((floats[:4], labels), (floats[4:8], labels))
    history = tiny().fit(own, epochs=2, verbose=0)
    assert history.epoch == [0, 1]


@pytest.mark.parametrize(
    "batch, received",
    [
        (np.full((4, 16, 12, 3), 255.0, np.float32), "to 255"),
        (np.zeros((4, 12, 16, 3), np.uint8), "12, 16, 3"),
        (np.zeros((4, 7), np.uint8), "4, 7"),
    ],
)
def test_a_data_set_that_would_train_on_garbage_is_refused(tiny, batch, received):
    with pytest.raises(DataError, match=f"in .-1, 1.*Received: .*{received}"):
        tiny().fit(Stream(batch), epochs=1, verbose=0)


def test_a_data_set_that_may_be_in_zero_to_one_is_doubted(tiny, images, caplog):
    tiny().fit(Stream(images[:4].astype(np.float32) / 255), epochs=1, verbose=0)
    assert "no value below 0" in caplog.text


def test_keras_callbacks_work(tiny, images, tmp_path, caplog):
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
    assert np.array_equal(DCGAN.load(tmp_path / "kept.keras").generate(2), gan.generate(2))
    assert "DCGAN.load reads and Keras does not" in caplog.text


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


def test_what_can_be_read_only_once_is_refused(tiny, images):
    with pytest.raises(DataError, match="generator can be read only once"):
        tiny(save_path="run").fit(image for image in images)


def test_a_missing_folder_of_images_leaves_nothing_behind(tiny, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        tiny().fit("nowhere", epochs=1)
    assert not (tmp_path / "Results").exists()


def test_folders_of_the_same_name_have_runs_of_their_own(tiny, images, tmp_path, caplog):
    folders = [tmp_path / name / "cats" for name in ("mine", "yours")]
    for folder in folders:
        folder.mkdir(parents=True)
        for index, image in enumerate(images):
            save_png(folder / f"{index}.png", image)
    for folder, run, steps in [(0, "cats", 3), (1, "cats-2", 3), (0, "cats", 6), (1, "cats-2", 6)]:
        gan = tiny()
        gan.fit(folders[folder], epochs=steps // 3, verbose=0)
        assert (gan.run_path, gan.state.step) == (Path("Results", run), steps)
    assert f"is the run of {folders[0]}" in caplog.text
    moved = folders[0].rename(tmp_path / "cats")
    gan = tiny()
    gan.fit(moved, epochs=3, verbose=0)
    assert (gan.run_path, gan.state.step) == (Path("Results", "cats"), 9)


def test_other_images_in_a_list_are_another_run(tiny, images):
    gan, other = tiny(), tiny()
    gan.fit(list(images), epochs=1, verbose=0)
    other.fit(list(255 - images), epochs=1, verbose=0)
    assert gan.run_path != other.run_path and other.state.step == 3


def test_the_log_of_a_run_whose_checkpoints_are_gone_starts_anew(tiny, images):
    tiny(save_path="run").fit(images, epochs=2, verbose=0)
    shutil.rmtree("run/checkpoints")
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    lines = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    assert max(line["step"] for line in lines) == 3


def test_a_finished_run_says_that_nothing_is_left_to_do(tiny, images, caplog):
    for _ in range(2):
        tiny(save_path="run").fit(images, epochs=1, verbose=0)
    assert "All 1 epochs are done (3 steps)" in caplog.text


def test_the_run_folder_is_named_after_the_images(tiny, tmp_path, images):
    (tmp_path / "my sea").mkdir()
    for number, image in enumerate(images):
        save_png(tmp_path / "my sea" / f"{number}.png", image)
    gan = tiny()
    gan.fit(tmp_path / "my sea", epochs=1, verbose=0)
    assert gan.run_path.as_posix() == "Results/my sea"


def test_a_dataset_after_a_folder_takes_neither_its_augmentation_nor_its_facts(tiny, images):
    gan = tiny()
    gan.fit(images, epochs=1, verbose=0)
    assert float(gan.augment.strength) == 1.0 and gan.state.data.count == 10
    gan.fit(Stream(images[:4], images[4:8]), epochs=1, verbose=0)
    assert float(gan.augment.strength) == 0.0 and not gan.augment.active
    assert gan.state.data is None


def test_validation_data_is_held_out_and_all_of_x_is_trained_on(tiny, images):
    gan = tiny()
    gan.fit(images, epochs=1, validation_data=255 - images[:6], verbose=0)
    assert (gan.state.data.count, gan.state.data.held_out) == (10, 0)
    assert gan.state.health.measured_on.endswith(" 6")


def test_another_seed_is_refused_because_it_decides_what_is_held_out(tiny, images):
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    with pytest.raises(RunError, match="seed: 0 in the folder, 5 now .*which images are held out"):
        tiny(save_path="run", seed=5).fit(images, epochs=2, verbose=0)


def test_what_a_users_callback_raises_passes_on_after_everything_is_saved(tiny, images):
    def fail(batch, logs=None):
        if gan.state.step == 2:
            raise ZeroDivisionError("the user's own")

    gan = tiny(save_path="run")
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(ZeroDivisionError, match="the user's own"):
        gan.fit(images, epochs=2, verbose=0, callbacks=[callback])
    assert DCGAN.load("run/last.dcgan").state.step == 2


def test_steps_per_execution_counts_every_step(tiny, images):
    if keras.backend.backend() == "torch":
        pytest.skip("Keras refuses steps_per_execution on PyTorch")
    gan = tiny(save_path="run", eagerly=False)
    gan.compile(steps_per_execution=2)
    gan.fit(images, steps_per_epoch=4, epochs=2, verbose=0)
    assert gan.state.step == 8 and int(gan.optimizer.generator.iterations) == 8


def test_a_tf_data_dataset_trains(tiny, images):
    tf = pytest.importorskip("tensorflow")
    batches = tf.data.Dataset.from_tensor_slices(images).batch(5)
    history = tiny().fit(batches, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert np.isfinite(history.history["d_loss"]).all()
