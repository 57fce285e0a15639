"""Resuming: what of the run in the folder is taken over, and what is refused."""

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from dcgan import DCGAN, ArgumentError, RunError
from dcgan.data.sample_set import draw_seascapes
from dcgan.images import save_png
from dcgan.training.resume import run_options


def log_lines(run):
    return [json.loads(line) for line in Path(run, "log.jsonl").read_text().splitlines()]


def same(first, second):
    return [name for name in first if not np.array_equal(first[name], second[name])]


@pytest.fixture
def few(images):
    """Four of the images, which one step shows: an epoch."""
    return images[:4]


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
    options = {"dropout": 0.3, "horizontal_flip": True, "precision": precision}
    if (after, precision) == (5, "float32"):  # compiled, as people run it, once
        options["eagerly"] = False
    whole = tiny(save_path="whole", **options)
    whole.fit(images, epochs=2, verbose=0)
    first = tiny(save_path="parts", **options)
    first.fit(images, epochs=2, verbose=0, callbacks=[interrupted(after)])
    assert first.state.step == after
    second = tiny(save_path="parts", **options)  # a new process has nothing but the folder
    second.fit(images, epochs=2, verbose=0)
    assert second.state.step == 6
    assert same(arrays_of(whole), arrays_of(second)) == []
    lines = [log_lines(name)[-1] for name in ("whole", "parts")]
    assert all(line.pop("seconds") > 0 for line in lines)
    assert lines[0] == lines[1]  # its means are of all six steps, also after the interruption


def test_a_second_fit_continues_to_the_epochs_asked_for(tiny, few, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    gan = tiny(save_path="run")
    gan.fit(few, epochs=1, verbose=0)
    assert gan.fit(few, epochs=3, verbose=0).epoch == [1, 2]
    assert "Resuming in run from step 1 (epoch 2)" in caplog.text
    assert gan.fit(few, epochs=3, verbose=0).epoch == []


@pytest.mark.once
def test_resume_false_starts_a_numbered_folder_and_keeps_the_old_one(tiny, few, tmp_path):
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    before = (tmp_path / "run" / "last.dcgan").read_bytes()
    gan = tiny(save_path="run")
    assert gan.fit(few, epochs=1, verbose=0, resume=False).epoch == [0]
    assert gan.run_path.name == "run-2"
    assert (tmp_path / "run" / "last.dcgan").read_bytes() == before


@pytest.mark.once
def test_other_networks_cannot_resume_a_run(tiny, few):
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    with pytest.raises(RunError, match="increment: 4 in the folder, 5 now"):
        tiny(save_path="run", increment=5).fit(few, epochs=2, verbose=0)


def test_a_run_resumes_although_new_networks_would_be_initialized_otherwise(tiny, few):
    gan = tiny(save_path="run")
    gan.fit(few, epochs=1, verbose=0)
    as_before = replace(gan.plan, initializer="normal")
    again = DCGAN(save_path="run", batch_size=4, network_plan=as_before)
    again.run_eagerly = gan.run_eagerly
    assert again.fit(few, epochs=2, verbose=0).epoch == [1]


@pytest.mark.once
@pytest.mark.parametrize("part", ["self_modulation", "latent_maps"])
def test_a_run_from_before_the_latent_reached_the_stages_resumes(part, tiny, few, eager):
    plan = replace(tiny().plan, **{part: False})
    DCGAN(save_path="run", batch_size=4, network_plan=plan).fit(few, epochs=1, verbose=0)
    path = Path("run/options.json")
    content = json.loads(path.read_text())
    del content["options"]["network_plan"][part]
    path.write_text(json.dumps(content))
    gan = DCGAN.resume("run")
    assert gan.fit(few, epochs=2, verbose=0).epoch == [1]
    assert gan.plan == plan


def test_a_model_of_another_run_does_not_train_over_a_folders_run(tiny, few, eager):
    tiny(save_path="run").fit(few, epochs=2, verbose=0)
    other = tiny(save_path="other", seed=0)
    other.fit(few, epochs=3, verbose=0)
    other.save("other.dcgan")
    loaded = DCGAN.load("other.dcgan")
    loaded.options = replace(loaded.options, save_path="run")
    loaded.options = replace(loaded.options, sample_steps=7)  # would be written
    files = [Path("run/last.dcgan"), Path("run/options.json")]
    before = [file.read_bytes() for file in files]
    with pytest.raises(RunError, match="not this model's.*resume=False"):
        loaded.fit(few, epochs=9, verbose=0)
    assert [file.read_bytes() for file in files] == before
    loaded.fit(few, epochs=4, verbose=0, resume=False)
    assert loaded.run_path.name == "run-2"
    assert loaded.state.step == 4


def test_a_loaded_model_that_is_given_other_images_begins_a_new_run(tiny, few, eager):
    gan = tiny(save_path="run")
    gan.fit(few, epochs=3, verbose=0)
    loaded = DCGAN.load("run/last.dcgan")
    loaded.options = replace(loaded.options, save_path="other")
    history = loaded.fit(255 - few, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert loaded.state.step == 2 and loaded.state.run_id != gan.state.run_id


def test_another_learning_rate_is_taken_and_stated(tiny, few, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    gan = tiny(save_path="run", optimizer=1e-5)
    gan.fit(few, epochs=2, verbose=0)
    assert gan.optimizer.rates == pytest.approx((1e-5, 1e-5))
    assert "other settings" in caplog.text
    assert "; optimizer learning rate 0.0002 > 1e-05)" in caplog.text


def test_images_that_were_trained_on_are_not_held_out_when_others_are_added(tiny, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    images = draw_seascapes(80, (16, 12, 3), seed=1)
    fits = ((images[:79], "run"), (images, "run"), (images, "run"), (images, "new"))
    for epochs, ((shown, name), held_out) in enumerate(zip(fits, (0, 0, 0, 20), strict=True), 1):
        gan = tiny(save_path=name)
        gan.fit(shown, epochs=epochs, steps_per_epoch=1, verbose=0)
        assert (gan.state.data.count, gan.state.data.held_out) == (len(shown), held_out)
    assert caplog.text.count("no images are held out") == 2


@pytest.mark.once
@pytest.mark.parametrize(("verbose", "said"), [(0, False), (2, True)])
def test_fit_says_from_where_it_resumes(tiny, few, capsys, monkeypatch, verbose, said):
    logging.getLogger("dcgan").setLevel(logging.NOTSET)  # nobody set up logging
    monkeypatch.setattr(logging.getLogger("dcgan"), "propagate", False)
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    tiny(save_path="run").fit(few, epochs=2, verbose=verbose)
    assert ("Resuming in run from step 1" in capsys.readouterr().err) == said
    assert logging.getLogger("dcgan").level == logging.NOTSET


@pytest.mark.once
def test_a_new_run_says_how_to_resume_it(tiny, few, caplog):
    caplog.set_level(logging.INFO, "dcgan")
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    tiny(save_path="run").fit(few, epochs=1, verbose=0, resume=False)
    assert "save_path='run-2' resumes this run" in caplog.text


@pytest.mark.once
def test_folders_of_the_same_name_have_runs_of_their_own(tiny, few, tmp_path, caplog):
    folders = [tmp_path / name / "cats" for name in ("mine", "yours")]
    for folder in folders:
        folder.mkdir(parents=True)
        for index, image in enumerate(few):
            save_png(folder / f"{index}.png", image)
    for folder, run, steps in [(0, "cats", 1), (1, "cats-2", 1), (0, "cats", 2), (1, "cats-2", 2)]:
        gan = tiny()
        gan.fit(folders[folder], epochs=steps, verbose=0)
        assert (gan.run_path, gan.state.step) == (Path("Results", run), steps)
    assert f"is the run of {folders[0]}" in caplog.text
    moved = folders[0].rename(tmp_path / "cats")
    gan = tiny()
    gan.fit(moved, epochs=3, verbose=0)
    assert (gan.run_path, gan.state.step) == (Path("Results", "cats"), 3)


@pytest.mark.once
@pytest.mark.parametrize(("resize", "added", "warned"), [("pad", 0, False), ("crop", 1, True)])
def test_images_are_other_ones_where_files_changed(tiny, few, caplog, resize, added, warned):
    def folder_of(images):
        for index, image in enumerate(images):
            save_png(Path("cats", f"{index}.png"), image[:10])
        return "cats"

    caplog.set_level(logging.INFO, "dcgan")
    Path("cats").mkdir()
    tiny(save_path="run").fit(folder_of(few), epochs=1, verbose=0)
    shown = np.concatenate([few, 255 - few[:added]])
    tiny(save_path="run", resize=resize).fit(folder_of(shown), epochs=2, verbose=0)
    assert ("resize: 'crop' in the folder" in caplog.text) != warned
    assert ("The images are not those" in caplog.text) == warned


@pytest.mark.once
def test_other_images_in_a_list_are_another_run(tiny, few):
    gan, other = tiny(), tiny()
    gan.fit(list(few), epochs=1, verbose=0)
    other.fit(list(255 - few), epochs=1, verbose=0)
    assert gan.run_path != other.run_path and other.state.step == 1


@pytest.mark.once
def test_the_log_of_a_run_whose_checkpoints_are_gone_starts_anew(tiny, few):
    tiny(save_path="run").fit(few, epochs=2, verbose=0)
    shutil.rmtree("run/checkpoints")
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    lines = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    assert max(line["step"] for line in lines) == 1


@pytest.mark.once
def test_a_finished_run_says_that_nothing_is_left_to_do(tiny, few, caplog):
    for _ in range(2):
        tiny(save_path="run").fit(few, epochs=1, verbose=0)
    assert "All 1 epochs are done (1 steps)" in caplog.text


@pytest.mark.once
def test_another_seed_is_refused_because_it_decides_what_is_held_out(tiny, few):
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    with pytest.raises(RunError, match="seed: 0 in the folder, 5 now .*which images are held out"):
        tiny(save_path="run", seed=5).fit(few, epochs=2, verbose=0)


@pytest.mark.once
def test_images_of_another_place_do_not_train_over_a_run(tiny, few, tmp_path):
    for name, shown in (("one", few), ("two", 255 - few)):
        (tmp_path / name).mkdir()
        for number, image in enumerate(shown):
            save_png(tmp_path / name / f"{number}.png", image)
    tiny(save_path="run").fit(tmp_path / "one", epochs=1, verbose=0)
    with pytest.raises(RunError, match="is the run of .*one.*these images are from .*two"):
        tiny(save_path="run").fit(tmp_path / "two", epochs=2, verbose=0)


def test_a_run_is_resumed_from_its_folder_alone(tiny, few, tmp_path, eager):
    folder = tmp_path / "sea"
    folder.mkdir()
    for number, image in enumerate(few):
        save_png(folder / f"{number}.png", image)
    first = tiny(save_path="run", optimizer=1e-4)
    first.fit(folder, epochs=1, verbose=0)
    gan = DCGAN.resume("run")
    assert gan.state == first.state and gan.options.optimizer is not None
    assert (gan.generate(2) == first.generate(2)).all()
    gan.fit(epochs=2, verbose=0)
    assert gan.state.step == 2 * first.state.step
    assert gan.optimizer.rates == pytest.approx((1e-4, 1e-4))


def test_a_run_of_the_sample_set_resumes_without_images(tiny, monkeypatch, eager):
    monkeypatch.setattr("dcgan.training.source.SAMPLE_SET_COUNT", 8)
    tiny(save_path="run").fit(epochs=1, verbose=0)
    gan = DCGAN.resume("run")
    gan.fit(epochs=2, verbose=0)
    assert gan.state.step == 4


@pytest.mark.once
def test_a_folder_does_not_continue_the_run_of_the_sample_set(tiny, few, tmp_path, monkeypatch):
    monkeypatch.setattr("dcgan.training.source.SAMPLE_SET_COUNT", 8)
    tiny(save_path="run").fit(epochs=1, verbose=0)
    folder = tmp_path / "sea"
    folder.mkdir()
    save_png(folder / "0.png", few[0])
    with pytest.raises(RunError, match="is the run of"):
        tiny(save_path="run").fit(folder, verbose=0)


@pytest.mark.once
def test_a_run_of_arrays_asks_for_them_again(tiny, few):
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    with pytest.raises(ArgumentError, match="images that the run in 'run' was begun with"):
        DCGAN.resume("run").fit(epochs=2)


@pytest.mark.once
def test_the_options_of_a_run_name_no_other_place_to_write_to(tiny, few):
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    path = Path("run/options.json")
    content = json.loads(path.read_text())
    content["options"]["save_path"] = "elsewhere"
    path.write_text(json.dumps(content))
    assert "save_path" not in run_options(Path("run"))
    assert DCGAN.resume("run").save_path == "run"


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "value"),
    [("optimizer", []), ("optimizer", {"class": 7}), ("depth", "x"), ("network_plan", [1])],
)
def test_the_options_of_a_run_that_somebody_damaged_are_one_sentence(tiny, few, name, value):
    tiny(save_path="run").fit(few, epochs=1, verbose=0)
    path = Path("run/options.json")
    content = json.loads(path.read_text())
    content["options"][name] = value
    path.write_text(json.dumps(content))
    for again in (lambda: DCGAN.resume("run"), lambda: tiny(save_path="run").fit(few, epochs=2)):
        with pytest.raises(RunError, match="options.json' is damaged: .* resume=False"):
            again()


def test_a_folder_without_a_run_cannot_be_resumed(tmp_path):
    with pytest.raises(RunError, match="There is no run in"):
        DCGAN.resume(tmp_path)


def test_epochs_are_images_seen_also_after_the_batch_size_changed(tiny, images):
    tiny(save_path="run").fit(images[:8], epochs=2, verbose=0)  # 4 steps of 4
    gan = tiny(save_path="run", batch_size=2)
    history = gan.fit(images[:8], epochs=3, verbose=0)
    assert history.epoch == [2]  # the third, of 4 steps of 2
    assert (gan.state.step, gan.state.images_seen, gan.state.epochs) == (8, 24, 3)
    assert list(Path("run/samples").glob("step_0000008_epoch_0003.png"))
