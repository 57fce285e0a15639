"""Sample grids: the same latents, every so many steps, and an animation of them."""

from pathlib import Path

import keras
import pytest


def names(run):
    return sorted(path.name for path in Path(run, "samples").iterdir())


def test_grids_are_named_by_step_and_never_overwritten(tiny, images):
    tiny(save_path="run", sample_steps=2).fit(images, epochs=2, verbose=0)
    steps = ["step_0000002_epoch_0001", "step_0000004_epoch_0002", "step_0000006_epoch_0002"]
    assert names("run") == [f"{step}.png" for step in steps]
    before = {path: path.read_bytes() for path in Path("run/samples").iterdir()}
    tiny(save_path="run", sample_steps=2).fit(images, epochs=4, verbose=0)
    assert len(names("run")) == 6
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_short_run_ends_with_a_grid_and_an_animation(tiny, images, animated):
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    tiny(save_path="run").fit(images, epochs=1, verbose=0)  # nothing left to train
    assert names("run") == ["step_0000003_epoch_0001.png"]
    assert Path("run/epochs.png").exists() and Path("run/animation.gif").exists()


@pytest.mark.once
def test_tensorboard_gets_the_grids_and_the_estimates(tiny, images, often):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = keras.callbacks.TensorBoard("board")
    gan = tiny(save_path="run", sample_steps=2, **often)
    gan.fit(images, epochs=2, verbose=0, callbacks=board)
    shown, values = {}, set()
    for file in Path("board/train").glob("events*"):
        events = EventAccumulator(str(file)).Reload()
        for tag in events.Tags()["tensors"]:
            values.add(tag)
            if tag == "samples":
                tensor = events.Tensors(tag)[0]
                shown[tensor.step] = tensor.tensor_proto.string_val[2]
    assert sorted(shown) == [2, 4, 6]
    assert shown[2].startswith(b"\x89PNG")
    assert {"epoch_rkid", "epoch_variety"} <= values
