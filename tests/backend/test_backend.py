"""A slow TensorFlow is named; what the backends compute is tested where it is used."""

import warnings

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("this is about TensorFlow", allow_module_level=True)

from dcgan.backend.tensorflow_backend import BackendModel, warn_of_slow_convolutions
from dcgan.data.batches import Batches


def test_slow_convolutions_are_named_with_what_to_do(monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    with pytest.warns(UserWarning, match="Import dcgan first, or set TF_ENABLE_ONEDNN_OPTS=1"):
        warn_of_slow_convolutions(enabled=False)


@pytest.mark.parametrize(("enabled", "setting"), [(True, "1"), (False, "0")])
def test_fast_or_unwanted_convolutions_are_no_reason_to_warn(monkeypatch, enabled, setting):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", setting)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_slow_convolutions(enabled=enabled)


def test_a_step_is_compiled_for_batches_of_a_known_size():
    batches = Batches(np.arange(5, dtype=np.uint8).repeat(72).reshape(5, 4, 6, 3), 2, first_step=1)
    stream = BackendModel().stream(batches)
    assert stream.element_spec.shape == (2, 4, 6, 3)
    for index, batch in enumerate(stream.take(4)):
        np.testing.assert_array_equal(batch.numpy(), batches[index])
