"""The training state: captured and restored whole, and refused where a file has it wrong."""

import json

import numpy as np
import pytest

from dcgan.errors import ArgumentError, ModelFileError
from dcgan.training.state import DataFacts, TrainingState, capture, restore

STATE = TrainingState(
    step=7, images_seen=28, seconds=1.5, run_id="0" * 32, data=DataFacts(10, "ab", 2)
)
PLAIN = json.loads(json.dumps(STATE.to_plain()))


def test_the_plain_form_gives_the_same_state_back():
    assert TrainingState.from_plain(PLAIN) == STATE


@pytest.mark.parametrize(
    "values",
    [
        {},
        None,
        {"step": None},
        {"step": -5},
        {"step": 2**64 - 1},
        {"step": 1.0},
        {"step": True},
        {"images_seen": "many"},
        {"seconds": None},
        {"seconds": float("inf")},
        {"seconds": -1.0},
        {"run_id": "../../etc"},
        {"run_id": 3},
        {"learning_rates": [1e-4]},
        {"learning_rates": [1e-4, float("nan")]},
        {"learning_rates": {"0": 1}},
        {"rollbacks": [1]},
        {"status": "fine"},
        {"status": ["learning"]},
        {"data": {}},
        {"data": {"count": -1, "fingerprint": "ab", "held_out": 0}},
        {"data": {"count": 1, "fingerprint": 7, "held_out": 0}},
        {"health": {}},
        {"phase": 0.5},
        {"more": 1},
    ],
)
def test_a_state_of_the_wrong_kind_or_range_is_refused(values):
    wrong = values if not values else {**PLAIN, **values}
    with pytest.raises(ArgumentError, match="Received"):
        TrainingState.from_plain(wrong)


def test_restore_is_the_mirror_image_of_capture(tiny, images, arrays_of):
    gan, other = tiny(dropout=0.2), tiny(dropout=0.2, seed=3)
    gan.fit(images, epochs=1, verbose=0)
    document, arrays = capture(gan._learner())
    restore(other._learner(), document["training"], arrays)
    assert other.state == gan.state
    again = arrays_of(other)
    assert again.keys() == arrays.keys()
    assert all(np.array_equal(again[name], arrays[name]) for name in arrays)


def test_whole_numbers_are_int64_on_every_backend(tiny, arrays_of):
    arrays = arrays_of(tiny(dropout=0.2))
    assert {array.dtype.name for array in arrays.values()} == {"float32", "int64"}


@pytest.mark.parametrize("change", ["missing", "shape"])
def test_a_state_that_does_not_fit_changes_nothing(tiny, images, arrays_of, change):
    gan = tiny()
    document, arrays = capture(gan._learner())
    name = "discriminator/stage_1/kernel"
    arrays = {n: array + 1 for n, array in arrays.items()}
    if change == "missing":
        del arrays[name]
    else:
        arrays[name] = arrays[name][:1]
    before = arrays_of(gan)
    with pytest.raises(ModelFileError, match=name):
        restore(gan._learner(), document["training"], arrays)
    after = arrays_of(gan)
    assert all(np.array_equal(before[n], after[n]) for n in before)


def test_a_phase_that_the_networks_do_not_have_is_refused(tiny):
    learner = tiny()._learner()
    document, arrays = capture(learner)
    with pytest.raises(ArgumentError, match="phase"):
        restore(learner, {**document["training"], "phase": 9}, arrays)


def test_what_an_earlier_version_did_not_record_has_its_default():
    earlier = {name: value for name, value in PLAIN.items() if name != "epochs"}
    assert TrainingState.from_plain(earlier) == STATE
