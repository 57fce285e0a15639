"""Checkpoints: when they are saved, and what never is."""

from pathlib import Path

import numpy as np
import pytest

from dcgan import DCGAN, RunError
from dcgan.storage.checkpoints import CheckpointStore
from dcgan.storage.model_file import read_model_file


def test_a_state_with_broken_weights_is_never_saved(tiny, images, breaking_at):
    gan = tiny(save_path="run", checkpoint_seconds=0)  # after every step
    gan.fit(images, epochs=3, verbose=0, callbacks=[breaking_at([4])])
    found = sorted(Path("run/checkpoints").iterdir())
    assert len(found) == 3
    for path in found:
        assert all(np.isfinite(array).all() for array in read_model_file(path).arrays.values())


def test_a_full_disk_is_said_and_ends_with_an_error(tiny, images, monkeypatch, caplog):
    def full(self, step, document, arrays):
        raise RunError("No space left on device.")

    monkeypatch.setattr(CheckpointStore, "save", full)
    gan = tiny(save_path="run")
    with pytest.raises(RunError, match="could not be saved"):
        gan.fit(images, epochs=2, verbose=0)
    assert gan.state.step == 6  # training continued to its end
    assert "No space left" in caplog.text


def test_a_checkpoint_loads_as_a_model(tiny, images):
    gan = tiny(save_path="run")
    gan.fit(images, epochs=1, verbose=0)
    loaded = DCGAN.load(max(Path("run/checkpoints").iterdir()))
    assert (loaded.generate(3) == gan.generate(3)).all()
    assert loaded.state == gan.state


def test_broken_weights_at_the_end_are_rolled_back_and_saved(tiny, images, breaking_at):
    gan = tiny(save_path="run")
    gan.fit(images, epochs=1, verbose=0, callbacks=[breaking_at([3])])  # the last step
    newest = DCGAN.load(max(Path("run/checkpoints").iterdir()))
    assert (newest.state.step, newest.state.rollbacks) == (3, 1)
