"""What `import dcgan` gives: every public name, on demand, typed and without a framework."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dcgan

ROOT = Path(dcgan.__file__).parents[1]
MAIN = ROOT / "main.py"
HOMES = {
    "DCGAN": "dcgan.gan",
    "Plan": "dcgan.networks.plan",
    "compare": "dcgan.evaluation",
    "evaluate": "dcgan.evaluation",
    "inspect": "dcgan.inspection.inspect",
    "list_presets": "dcgan.networks.presets",
    "open_images": "dcgan.data.image_set",
}


def python(*words):
    """The finished process of Python with these words."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
    command = [sys.executable, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


@pytest.mark.once
def test_every_public_name_is_listed():
    assert set(HOMES) < set(dcgan.__all__) <= set(dir(dcgan))


@pytest.mark.parametrize("name", sorted(HOMES))
def test_a_public_name_is_the_object_of_its_module(name):
    assert getattr(dcgan, name) is getattr(importlib.import_module(HOMES[name]), name)


@pytest.mark.once
def test_every_error_is_a_dcgan_error():
    errors = [name for name in dcgan.__all__ if name.endswith("Error")]
    assert len(errors) == 6
    assert all(issubclass(getattr(dcgan, name), dcgan.DCGANError) for name in errors)


@pytest.mark.once
def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'GAN'"):
        dcgan.GAN  # noqa: B018


@pytest.mark.once
def test_importing_the_package_loads_no_framework_and_sets_nothing():
    code = (
        "import os; before = dict(os.environ); import dcgan, sys; "
        "print({m.split('.')[0] for m in sys.modules} & "
        "{'keras', 'tensorflow', 'jax', 'torch', 'numpy'}, dict(os.environ) == before)"
    )
    assert python("-c", code).stdout == "set() True\n"


@pytest.mark.once
def test_the_package_is_marked_as_typed():
    assert Path(dcgan.__file__).with_name("py.typed").is_file()


@pytest.mark.once
@pytest.mark.parametrize(
    ("words", "prog"),
    [(["-m", "dcgan"], "python -m dcgan"), ([str(MAIN)], "python main.py")],
)
def test_the_package_and_the_clone_are_started_in_their_own_ways(words, prog):
    if words == [str(MAIN)] and not MAIN.exists():
        pytest.skip("installed, not a clone")
    assert python(*words, "--help").stdout.startswith(f"usage: {prog} ")


QUIET = """
import os, sys
from dcgan import DCGAN
print("python speaks", file=sys.stderr)
os.write(2, b"and so does the descriptor\\n")
DCGAN(img_size=(16, 16, 3), depth=2, increment=4).generate(1)
"""


@pytest.mark.once
def test_frameworks_are_silent_and_everyone_else_is_heard():
    ended = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True)
    assert ended.returncode == 0
    assert ended.stderr.splitlines() == ["python speaks", "and so does the descriptor"]


@pytest.mark.once
def test_what_a_framework_says_is_shown_where_its_import_fails(tmp_path):
    (tmp_path / "keras.py").write_text(
        "import os\nos.write(2, b'why it fails\\n')\nraise ImportError"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", "from dcgan import DCGAN"],
        **{"capture_output": True, "text": True, "env": environment},
    )
    assert ended.returncode == 1 and ended.stderr.startswith("why it fails\n")


@pytest.mark.once
@pytest.mark.parametrize(
    "installed, chosen",
    [
        ({"tensorflow", "jax"}, ""),
        ({"jax", "torch"}, "jax"),
        ({"torch"}, "torch"),
        (set(), ""),
    ],
)
def test_where_tensorflow_is_missing_another_framework_is_taken(
    monkeypatch, tmp_path, installed, chosen
):
    monkeypatch.setattr(dcgan, "find_spec", lambda name: name in installed)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "")  # and set back after the test
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"backend": "tensorflow"}')  # as Keras writes it
    dcgan._choose_backend()
    assert os.environ["KERAS_BACKEND"] == chosen


@pytest.mark.once
def test_a_framework_that_the_user_chose_stays(monkeypatch, tmp_path):
    monkeypatch.setattr(dcgan, "find_spec", lambda name: name == "jax")
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "")  # and set back after the test
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    dcgan._choose_backend()
    assert os.environ["KERAS_BACKEND"] == ""


@pytest.mark.once
def test_jax_keeps_what_it_compiles_unless_the_user_has_said_where(monkeypatch):
    setting = dcgan.JAX_CACHE
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    environment = {"KERAS_BACKEND": "jax", "DCGAN_CACHE": os.environ["DCGAN_CACHE"]}
    monkeypatch.setattr(os, "environ", environment)
    dcgan._set_up_jax()
    assert Path(environment[setting]).is_relative_to(environment["DCGAN_CACHE"])
    environment[setting] = "elsewhere"
    dcgan._set_up_jax()
    assert environment[setting] == "elsewhere"
