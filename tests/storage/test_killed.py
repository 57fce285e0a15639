"""A save that is killed or fails leaves the old file or the new one whole."""

import os
import signal

import numpy as np
import pytest

from dcgan.storage.checkpoints import CheckpointStore
from dcgan.storage.model_file import read_model_file

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name == "nt", reason="Windows has neither fork nor SIGKILL"),
]

PARTS = """
import numpy as np
PARTS = {"options": {}, "plan": {}, "optimizers": {}, "training": {}}

def arrays(value, size=5000):
    return {"generator/a": np.full(size, value, "float32")}
"""

STOPPED_AT_EVERY_STEP = (
    PARTS
    + """
import errno, logging, os, shutil, signal, sys
from dcgan.atomic import sweep_leftovers
from dcgan.errors import RunError
from dcgan.storage.checkpoints import CheckpointStore

logging.disable()
folder, how = sys.argv[1], sys.argv[2]
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate"}
count = 0

def stop_at(number):
    # Each step that a save does in the file system counts; the one of this number is the last.
    def watch(event, arguments=()):
        global count
        if event in EVENTS:
            count += 1
            if count == number and how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if count == number:
                raise OSError(errno.ENOSPC, "No space left on device")
    EVENTS.add("fsync")
    fsync = os.fsync
    os.fsync = lambda descriptor: (watch("fsync"), fsync(descriptor))
    sys.addaudithook(watch)

def child(number):
    stop_at(number)
    try:
        CheckpointStore(folder).save(40, PARTS, arrays(40))
    except RunError:
        os._exit(1)
    os._exit(2 if count >= number else 0)

outcomes = []
for number in range(1, 1000):
    shutil.rmtree(folder, ignore_errors=True)
    store = CheckpointStore(folder)
    for step in (10, 20, 30):
        store.save(step, PARTS, arrays(step))
    process = os.fork()
    if process == 0:
        child(number)
    status = os.waitpid(process, 0)[1]
    failed = os.waitstatus_to_exitcode(status) == 1
    if failed and [path for path in os.listdir(folder) if "partial" in path]:
        sys.exit(f"the failed save {number} left something behind")
    sweep_leftovers(folder)  # as the next start does
    checkpoint = CheckpointStore(folder).newest()
    saved = checkpoint.arrays["generator/a"]
    if not (saved == checkpoint.step).all() or checkpoint.step not in (30, 40):
        sys.exit(f"after stop {number}: {checkpoint}")
    if [path for path in os.listdir(folder) if "partial" in path]:
        sys.exit(f"stop {number} left something behind")
    outcomes.append(checkpoint.step)
    if status == 0:  # the save was over before that many steps
        break
print(len(outcomes), outcomes.count(30), outcomes.count(40))
"""
)

SAVE_CHECKPOINTS = (
    PARTS
    + """
import itertools, sys
from dcgan.storage.checkpoints import CheckpointStore

store = CheckpointStore(sys.argv[1])
checkpoint = store.newest()
for step in itertools.count(checkpoint.step + 1 if checkpoint else 0):
    store.save(step, PARTS, arrays(step, 50_000))
    print(step, flush=True)
"""
)

SAVE_MODELS = (
    PARTS
    + """
import itertools, sys
from dcgan.storage.model_file import write_model_file

for count in itertools.count():
    write_model_file(sys.argv[1], PARTS, arrays(count, 100_000))
    print(count, flush=True)
"""
)

FULL_DISK = (
    PARTS
    + """
import resource, sys
from dcgan.errors import DCGANError
from dcgan.storage.checkpoints import CheckpointStore
from dcgan.storage.model_file import write_model_file

store, model = CheckpointStore(sys.argv[1]), sys.argv[2]
store.save(1, PARTS, arrays(1, 100_000))
write_model_file(model, PARTS, arrays(1, 100_000))
for attempt in range(20):
    resource.setrlimit(resource.RLIMIT_FSIZE, (attempt * 20_000, resource.RLIM_INFINITY))
    for save, place in (store.save, 2), (write_model_file, model):
        try:
            save(place, PARTS, arrays(2, 100_000))
        except DCGANError as error:
            print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
print(store.save(3, PARTS, arrays(3, 100_000)).name)
"""
)


@pytest.mark.parametrize("how", ["kill", "fail"])
def test_a_save_stopped_at_any_of_its_steps_leaves_a_whole_checkpoint(start_child, tmp_path, how):
    child = start_child(STOPPED_AT_EVERY_STEP, tmp_path / "checkpoints", how)
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    stops, old, new = map(int, output.split())
    assert stops > 6  # mkdir, open and flush, rename, open and flush the folder, remove, end
    assert old >= 3
    assert new >= 3


def test_saves_of_checkpoints_killed_at_random_moments_always_leave_a_whole_one(
    start_child, tmp_path
):
    random, newest = np.random.default_rng(0), -1
    for _ in range(5):
        child = start_child(SAVE_CHECKPOINTS, tmp_path)
        for _ in range(random.integers(1, 12)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        finished = [int(line) for line in child.communicate()[0].split() if line.strip()]
        checkpoint = CheckpointStore(tmp_path).newest()
        assert checkpoint.step > newest
        assert checkpoint.step >= max(finished, default=0)  # what was said to be saved, is
        assert (checkpoint.arrays["generator/a"] == checkpoint.step).all()
        newest = checkpoint.step


def test_a_model_file_is_whole_whenever_its_save_is_killed(start_child, tmp_path):
    random, path = np.random.default_rng(0), tmp_path / "sea.dcgan"
    for _ in range(4):
        child = start_child(SAVE_MODELS, path)
        for _ in range(random.integers(1, 12)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.communicate()
        saved = read_model_file(path).arrays["generator/a"]
        assert (saved == saved[0]).all()


def test_saves_on_a_full_disk_leave_the_files_of_before_and_no_litter(start_child, tmp_path):
    model = tmp_path / "sea.dcgan"
    child = start_child(FULL_DISK, tmp_path / "checkpoints", model)
    (output, errors), store = child.communicate(), CheckpointStore(tmp_path / "checkpoints")
    assert child.returncode == 0, errors
    *refusals, last = output.splitlines()
    assert len(refusals) == 40
    assert all("cannot be saved" in line and "File too large" in line for line in refusals)
    assert last == "000002-step-3.dcgan"
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        *("000001-step-1.dcgan", last, "checkpoints", "sea.dcgan"),
    ]
    assert store.newest().step == 3
    assert (read_model_file(model).arrays["generator/a"] == 1).all()
