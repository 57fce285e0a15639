"""Several processes of one training: who writes, who decides, and what is said of a lost one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dcgan.data.batches import Batches
from dcgan.errors import RunError, TrainingError
from dcgan.training import processes
from dcgan.training.health import Measurement
from dcgan.training.processes import (
    agreed,
    as_in_first_process,
    check_alike,
    ends_together,
    gather_position,
    lost_process,
    open_run,
    own_position,
    watchdog,
)
from dcgan.training.state import TrainingState


def test_the_shares_of_a_batch_are_the_batch(images):
    whole = Batches(images, 4, seed=3, horizontal_flip=True)
    parts = [Batches(images, 4, seed=3, horizontal_flip=True, share=(n, 2)) for n in range(2)]
    for step in range(7):  # through two epochs, whose last batch is filled up
        found = np.concatenate([part[step] for part in parts])
        np.testing.assert_array_equal(found, whole[step])


def test_what_is_due_is_decided_by_the_first_process_and_the_end_by_any(monkeypatch):
    said = np.array([[0, 1, 0], [1, 0, 0]])
    monkeypatch.setattr(processes, "gather_from_processes", lambda values: said)
    assert agreed(False, [False, False]) == (True, [True, False])


def test_several_processes_act_on_what_the_first_has_measured(monkeypatch):
    first = Measurement(step=9, variety=0.1 + 0.2, kid=-1e-300, memorized=0.25, copying=False)
    said = np.array([0.1 + 0.2, -1e-300, 0.25, 0.0]).view(np.int32)[None]
    other = replace(first, variety=0.3, memorized=0.75, copying=True)
    assert as_in_first_process(other) == other  # there is one process
    monkeypatch.setattr(processes, "gather_from_processes", lambda values: said)
    assert as_in_first_process(other) == first


def test_another_process_resumes_from_the_run_folder_and_never_writes_to_it(monkeypatch):
    with open_run(Path("run"), True) as run:
        run.write_options({"a": 1}, {}, None)
    Path("run/checkpoints").mkdir()
    Path("run/checkpoints/000001-step-3.dcgan").write_bytes(b"a checkpoint")
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    monkeypatch.setattr(processes, "process_id", lambda: 1)
    with open_run(Path("run"), True) as copy:
        assert copy.earlier["options"] == {"a": 1}
        assert copy.checkpoints.latest() > 0
        copy.write_options({"a": 2}, {}, None)
        assert copy.path != run.path
    assert not copy.path.exists()
    assert before == {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}


@pytest.fixture
def together(monkeypatch):
    """A function that calls another in as many processes as there are values, played by threads."""

    def call(function, values):
        here, said, barrier = threading.local(), {}, threading.Barrier(len(values))

        def gather(row):
            said[here.number] = np.asarray(row)
            barrier.wait(60)
            rows = np.stack([said[number] for number in range(len(values))])
            barrier.wait(60)
            return rows

        def enter(number):
            here.number = number
            return function(values[number])

        monkeypatch.setattr(processes, "processes", lambda: len(values))
        monkeypatch.setattr(processes, "process_id", lambda: here.number)
        monkeypatch.setattr(processes, "gather_from_processes", gather)
        with ThreadPoolExecutor(len(values)) as pool:
            return list(pool.map(enter, range(len(values))))

    return call


def test_each_process_gets_its_own_position_back(together, caplog):
    own = [b"the first", b"", bytes(range(256)), b"\0\0"]
    assert together(gather_position, own) == [None] * 4  # one has none
    own[1] = b"the second"
    gathered = together(gather_position, own)
    assert len(set(gathered)) == 1 and together(own_position, gathered) == own
    assert not caplog.text
    assert together(own_position, gathered[:3]) == [None] * 3
    assert "the positions of 4 process(es), and there are 3 now" in caplog.text


def test_the_position_of_one_process_is_its_own(caplog):
    position = (3).to_bytes(8, "little") + b"as it is"
    assert gather_position(position) is position and own_position(position) is position
    several = (-2).to_bytes(8, "little", signed=True) + bytes(32)
    assert own_position(several) is None and "begins anew" in caplog.text


def test_positions_that_a_checkpoint_cannot_hold_are_none(together, monkeypatch):
    monkeypatch.setattr(processes, "MAX_POSITION_BYTES", 100)
    assert None not in together(gather_position, [bytes(32), bytes(1)])
    assert together(gather_position, [bytes(60), bytes(1)]) == [None] * 2


def test_a_lost_process_is_one_sentence(monkeypatch):
    error = ValueError("UNKNOWN: Gloo AllGather failed: Connection reset by peer")
    assert lost_process(error, 7) is None  # there is one process
    monkeypatch.setattr(processes, "processes", lambda: 2)
    assert "Another of the 2 processes" in str(lost_process(error, 7))
    assert "after step 7" in str(lost_process(error, 7))
    of_a_callback = ConnectionResetError("Connection reset by peer")
    assert lost_process(of_a_callback, 7) is None
    monkeypatch.setattr(processes, "device_count", lambda: 2)
    with pytest.raises(TrainingError, match="Another of the 2"), watchdog(TrainingState(step=7)):
        raise error


def test_after_an_error_a_process_does_not_wait_for_the_others_at_exit(monkeypatch):
    registered = []
    monkeypatch.setattr(processes.atexit, "register", registered.append)
    monkeypatch.setattr(processes.atexit, "unregister", lambda left: registered.clear())
    with pytest.raises(KeyError), ends_together():
        raise KeyError
    assert registered == []  # there is one process
    monkeypatch.setattr(processes, "processes", lambda: 2)
    with pytest.raises(TrainingError, match="cannot be reached: Gloo"), ends_together():
        raise ValueError("Gloo AllGather failed: Connection closed by peer")
    assert registered == [processes._leave]
    left = []
    monkeypatch.setattr(processes.os, "_exit", left.append)
    registered[0]()
    assert left == [1]
    with ends_together():
        pass
    assert registered == []  # a later training has ended well


def test_all_processes_begin_alike_or_none_does(monkeypatch):
    said = {"a": np.array([[3, 7], [3, 7]]), "b": np.array([[3, 7], [0, 7]])}
    monkeypatch.setattr(processes, "gather_from_processes", lambda values: said[values])
    check_alike("a")
    with pytest.raises(RunError, match=r"the same run folder.*\[\[3, 7\], \[0, 7\]\]"):
        check_alike("b")


@pytest.mark.parametrize("resume", [True, False])
def test_another_process_begins_a_new_run_in_an_empty_copy(monkeypatch, resume):
    monkeypatch.setattr(processes, "process_id", lambda: 1)
    with open_run(Path("new"), resume) as copy:
        assert copy.earlier is None
    assert not Path("new").exists()


def test_devices_that_wait_for_each_other_end_the_process_with_a_sentence(monkeypatch, caplog):
    ended = threading.Event()
    monkeypatch.setattr(processes, "device_count", lambda: 2)
    monkeypatch.setattr(processes.os, "_exit", lambda status: ended.set())
    with watchdog(TrainingState(step=7), seconds=0.001):
        assert ended.wait(60)
    assert "No step for" in caplog.text and "after step 7" in caplog.text
