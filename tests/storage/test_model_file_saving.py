"""Does a save of a model leave the new file or the old one, whatever happens meanwhile?"""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from dcgan.storage.model_file_old import read_model, write_model
from test_model_file import DOCUMENT, expected, small_arrays, small_file

from dcgan.errors import ModelFileError


@pytest.fixture
def model(tmp_path):
    return small_file(tmp_path / "sea.dcgan")


def test_missing_parent_folders_are_made(tmp_path):
    read_model(small_file(tmp_path / "a" / "b" / "sea.dcgan"), expected)


def test_a_parent_that_is_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(ModelFileError, match="cannot be saved .*(Not a directory|File exists)"):
        small_file(tmp_path / "a" / "sea.dcgan")


READ_ONLY = """
import os, sys
import numpy as np
from dcgan.errors import ModelFileError
from dcgan.storage.model_file_old import write_model

os.chdir(sys.argv[1])
os.chmod("sea", 0o555)
if os.geteuid() == 0:
    os.setuid(65534)  # the administrator could write anywhere; this user cannot
try:
    write_model(
        "sea/sea.dcgan",
        {"config": {}, "training": {}, "data": {}},
        {"generator/kernel": np.ones(3, "float32")},
    )
except ModelFileError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_read_only_folder_is_a_clear_error(tmp_path):
    path = small_file(tmp_path / "sea" / "sea.dcgan")
    before = path.read_bytes()
    child = run_child(READ_ONLY, tmp_path)
    assert "Permission denied" in child.communicate()[0]
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("generator/x", np.array([np.inf], "float32"), "not finite"),
        ("generator/x", np.array(["a"], object), "expected one of"),
        ("../x", np.zeros(1, "float32"), "names an array"),
        ("generator/../x", np.zeros(1, "float32"), "names an array"),
        ("state/x", np.zeros(1 << 18, "float64"), "at most"),
        ("optimizer/x", np.zeros(1000, "float32"), "than an optimizer of its networks can"),
    ],
)
def test_what_could_not_be_read_back_is_never_written(model, name, value, words):
    before = model.read_bytes()
    with pytest.raises(ModelFileError, match=words):
        write_model(model, DOCUMENT, small_arrays() | {name: value})
    assert model.read_bytes() == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), 2**70])
def test_a_document_of_other_than_bounded_plain_values_is_never_written(tmp_path, value):
    with pytest.raises(ModelFileError, match="cannot be saved"):
        small_file(tmp_path / "a.dcgan", training={"value": value})
    assert not list(tmp_path.iterdir())


def run_child(program: str, *arguments) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    )


FULL_DISK = """
import resource, sys
import numpy as np
from dcgan.errors import ModelFileError
from dcgan.storage.model_file_old import write_model

path = sys.argv[1]
arrays = {"generator/kernel": np.ones((100, 1000), "float32")}
for attempt in range(20):
    resource.setrlimit(resource.RLIMIT_FSIZE, (attempt * 20_000, resource.RLIM_INFINITY))
    try:
        write_model(path, {"config": {}, "training": {"attempt": attempt}, "data": {}}, arrays)
    except ModelFileError as error:
        print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no RLIMIT_FSIZE")
def test_the_old_file_still_loads_after_20_saves_on_a_full_disk(model):
    before = model.read_bytes()
    child = run_child(FULL_DISK, model)
    output = child.communicate()[0].splitlines()
    assert child.returncode == 0
    assert len(output) == 20
    assert all("File too large" in line and "unchanged" in line for line in output)
    assert model.read_bytes() == before
    assert list(model.parent.iterdir()) == [model]  # no litter


SAVE_FOR_EVER = """
import itertools, sys
import numpy as np
from dcgan.storage.model_file_old import write_model

for count in itertools.count():
    arrays = {"generator/kernel": np.full((100, 1000), count, "float32")}
    write_model(sys.argv[1], {"config": {}, "training": {}, "data": {}}, arrays)
    if not count:
        print("saving", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_file_loads_whenever_its_save_is_killed(tmp_path):
    random, path = np.random.default_rng(0), tmp_path / "sea.dcgan"
    for _ in range(6):
        child = run_child(SAVE_FOR_EVER, path)
        child.stdout.readline()
        time.sleep(random.uniform(0, 0.03))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        kernel = read_model(path).arrays["generator/kernel"]
        assert (kernel == kernel[0, 0]).all()


def test_what_a_killed_save_left_is_swept_by_a_later_one(tmp_path):
    old, young, foreign = (
        tmp_path / name
        for name in (".sea.dcgan.old.partial", ".sea.dcgan.new.partial", ".x.dcgan.old.partial")
    )
    for path in (old, young, foreign):
        path.write_bytes(b"half a mo")
    for path in (old, foreign):
        os.utime(path, (time.time() - 3600,) * 2)
    small_file(tmp_path / "sea.dcgan")
    assert not old.exists()
    assert young.exists() and foreign.exists()  # of a save that may still be going on; of another


def test_names_of_any_length_and_script_are_saved(tmp_path):
    for name in ("a b\n{c}.dcgan", "海" * 80 + ".dcgan", "m" * 240 + ".dcgan"):
        read_model(small_file(tmp_path / name), expected)
    assert not list(tmp_path.glob("*.partial"))
