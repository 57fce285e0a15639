"""Is there a whole checkpoint whenever a save is killed, fails, or finds the disk full?"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dcgan.storage.checkpoints import CheckpointStore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither fork nor SIGKILL")

ROOT = Path(__file__).parents[2]

STOPPED_AT_EVERY_STEP = """
import errno, logging, os, shutil, signal, sys
import numpy as np
from dcgan.errors import RunError
from dcgan.storage.checkpoints import CheckpointStore

logging.disable()
folder, how = sys.argv[1], sys.argv[2]
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate"}

def arrays(step):
    return {"a": np.full(5000, step, "float32")}

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
        CheckpointStore(folder).save(40, arrays(40), {})
    except RunError:
        os._exit(1)
    os._exit(2 if count >= number else 0)

outcomes = []
for number in range(1, 1000):
    shutil.rmtree(folder, ignore_errors=True)
    store = CheckpointStore(folder)
    for step in (10, 20, 30):
        store.save(step, arrays(step), {})
    process = os.fork()
    if process == 0:
        child(number)
    status = os.waitpid(process, 0)[1]
    failed = os.waitstatus_to_exitcode(status) == 1
    if failed and [path for path in os.listdir(folder) if "partial" in path]:
        sys.exit(f"the failed save {number} left something behind")
    checkpoint = CheckpointStore(folder).newest()
    if not (checkpoint.arrays["a"] == checkpoint.step).all() or checkpoint.step not in (30, 40):
        sys.exit(f"after stop {number}: {checkpoint}")
    if [path for path in os.listdir(folder) if "partial" in path]:
        sys.exit(f"stop {number} left something behind")
    outcomes.append(checkpoint.step)
    if status == 0:  # the save was over before that many steps
        break
print(len(outcomes), outcomes.count(30), outcomes.count(40))
"""

SAVE_FOR_EVER = """
import itertools, sys
import numpy as np
from dcgan.storage.checkpoints import CheckpointStore

store = CheckpointStore(sys.argv[1])
checkpoint = store.newest()
for step in itertools.count(checkpoint.step + 1 if checkpoint else 0):
    store.save(step, {"a": np.full(50_000, step)}, {"step": step})
    print(step, flush=True)
"""

FULL_DISK = """
import resource, sys
import numpy as np
from dcgan.errors import RunError
from dcgan.storage.checkpoints import CheckpointStore

store = CheckpointStore(sys.argv[1])
store.save(1, {"a": np.full(50_000, 1)}, {})
for attempt in range(20):
    resource.setrlimit(resource.RLIMIT_FSIZE, (attempt * 20_000, resource.RLIM_INFINITY))
    try:
        store.save(2, {"a": np.full(50_000, 2)}, {})
    except RunError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
print(store.save(3, {"a": np.full(50_000, 3)}, {}).name)
"""


def run_child(program: str, *arguments) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT},
    )


@pytest.mark.parametrize("how", ["kill", "fail"])
def test_a_save_stopped_at_any_of_its_steps_leaves_a_whole_checkpoint(tmp_path, how):
    child = run_child(STOPPED_AT_EVERY_STEP, tmp_path / "checkpoints", how)
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    stops, old, new = map(int, output.split())
    assert stops > 12  # mkdir, 3 files opened and flushed, 2 read, rename, 2 folders flushed, ...
    assert old > 5
    assert new > 5


def test_a_loop_of_saves_killed_at_random_moments_always_goes_on_from_a_whole_one(tmp_path):
    random, newest = np.random.default_rng(0), -1
    for _ in range(8):
        child = run_child(SAVE_FOR_EVER, tmp_path)
        child.stdout.readline()
        time.sleep(random.uniform(0, 0.03))
        child.send_signal(signal.SIGKILL)
        finished = [int(line) for line in child.communicate()[0].split() if line.strip()]
        checkpoint = CheckpointStore(tmp_path).newest()
        assert checkpoint.step > newest
        assert checkpoint.step >= max(finished, default=0)  # what was said to be saved, is
        assert (checkpoint.arrays["a"] == checkpoint.step).all()
        newest = checkpoint.step


def test_20_saves_on_a_full_disk_leave_the_old_checkpoint_and_the_next_one_succeeds(tmp_path):
    child = run_child(FULL_DISK, tmp_path)
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    *refusals, last = output.splitlines()
    assert len(refusals) == 20
    assert all("cannot be saved" in line and "File too large" in line for line in refusals)
    assert last == "000002-step-3"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000001-step-1", last]
    assert CheckpointStore(tmp_path).newest().step == 3
