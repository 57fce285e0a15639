"""The precision that a machine trains in by itself, and that of a resumed run."""

import keras
import pytest

from dcgan import DCGAN
from dcgan.backend import precision

OTHERS = {"float32": "mixed_bfloat16", "mixed_bfloat16": "float32"}


@pytest.fixture(autouse=True)
def asked_anew():
    """The answer is kept for the process; each test asks for itself."""
    precision.fastest_precision.cache_clear()
    yield
    precision.fastest_precision.cache_clear()


@pytest.mark.once
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx512f avx512_bf16", "mixed_bfloat16"),
        ("fpu amx_bf16 amx_tile", "mixed_bfloat16"),
        ("fpu avx2 avx512f", "float32"),
    ],
)
def test_a_processor_is_asked_for_its_flags(flags, expected, tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: {flags}\nbugs : none\n")
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("dcgan.backend.tensorflow_backend.multiplies_bfloat16", lambda: None)
    assert precision.fastest_precision() == expected


@pytest.mark.once
def test_a_system_that_does_not_tell_trains_in_float32(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "nowhere")
    monkeypatch.setattr("dcgan.backend.tensorflow_backend.multiplies_bfloat16", lambda: None)
    assert precision.fastest_precision() == "float32"


@pytest.mark.once
@pytest.mark.parametrize(("answer", "expected"), [(True, "mixed_bfloat16"), (False, "float32")])
def test_a_gpu_decides_where_there_is_one(answer, expected, monkeypatch):
    name = "dcgan.backend.tensorflow_backend.multiplies_bfloat16"
    monkeypatch.setattr(name, lambda: answer)
    assert precision.fastest_precision() == expected


def compute_dtypes(network):
    return {layer.compute_dtype for layer in network.layers if layer.name.startswith("stage")}


@pytest.mark.parametrize("earlier", list(OTHERS))
def test_a_resumed_run_and_a_loaded_file_keep_their_precision(tiny, images, earlier, monkeypatch):
    monkeypatch.setattr("dcgan.gan.fastest_precision", lambda: earlier)
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    monkeypatch.setattr("dcgan.gan.fastest_precision", lambda: OTHERS[earlier])
    again = tiny(save_path="run")
    again.fit(images, epochs=2, verbose=0)
    wanted = keras.dtype_policies.get(earlier).compute_dtype
    for gan in (again, DCGAN.load("run/last.dcgan")):
        assert gan.state.precision == earlier
        assert compute_dtypes(gan.discriminator) == {wanted}
        assert compute_dtypes(gan.training_generator) == {wanted}
        assert compute_dtypes(gan.generator) == {"float32"}


def test_a_precision_that_is_asked_for_wins_over_the_runs(tiny, images):
    tiny(save_path="run", precision="mixed_bfloat16").fit(images, epochs=1, verbose=0)
    gan = tiny(save_path="run", precision="float32")
    gan.fit(images, epochs=2, verbose=0)
    assert gan.state.precision == "float32" and compute_dtypes(gan.discriminator) == {"float32"}
