"""Several processes of one training: all do the same, and one of them writes the run folder.

Each process holds the whole model and reads its share of every batch. What depends on clocks and
signals is decided by the first process, for all; everything else follows from the same numbers.
"""

import atexit
import logging
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dcgan.backend.devices import device_count, gather_from_processes, process_id, processes
from dcgan.data.stream import COUNT_BYTES
from dcgan.errors import MAX_POSITION_BYTES, RunError, TrainingError
from dcgan.storage.run_folder import RunFolder
from dcgan.training.health import Measurement
from dcgan.training.state import TrainingState

MAX_SECONDS = 3600.0  # without a step: a callback of the user's may take long
LOST = ("gloo ", "nccl ", "coordinationservice", "coordination service")  # as JAX names them
COPIED = ("options.json", "best.dcgan", "checkpoints")  # what a training reads from its folder

logger = logging.getLogger("dcgan")


@contextmanager
def open_run(path: Path, resume: bool) -> Iterator[RunFolder]:
    """Open the run folder; in all processes but the first, a copy of it that is then thrown away.

    Raises:
        RunError: as `RunFolder.open`.
    """
    gather_from_processes([0])  # the first has ended an earlier `fit`
    if process_id() == 0:
        gather_from_processes([1])  # the others have copied it
        with RunFolder.open(path, resume=resume) as run:
            yield run
        return
    with tempfile.TemporaryDirectory(prefix="dcgan-") as folder:
        copy = Path(folder, path.name)
        copy.mkdir()
        for name in COPIED if resume else ():
            source = path / name
            if source.is_dir():
                shutil.copytree(source, copy / name)
            elif source.exists():
                shutil.copy(source, copy / name)
        gather_from_processes([1])
        with RunFolder.open(copy) as run:
            yield run


def check_alike(values: list[int]) -> None:
    """Check that all processes begin with the same numbers.

    Raises:
        RunError: they do not.
    """
    rows = gather_from_processes(values)
    if (rows != rows[0]).any():
        raise RunError(
            "The processes of this training do not see the same run folder or images, or were "
            f"called with different arguments. Received: {rows.tolist()}, a row for each process."
        )


def agreed(ends: bool, due: list[bool]) -> tuple[bool, list[bool]]:
    """Whether training ends, if any process wants that, and what is due in the first process.

    All processes have the same tasks, in the same order.
    """
    rows = gather_from_processes([ends, *due])
    return any(row[0] for row in rows), [bool(value) for value in rows[0][1:]]


def as_in_first_process(measurement: Measurement) -> Measurement:
    """What the first process has measured, for all: on GPUs, last digits may differ."""
    numbers = {n: v for n, v in vars(measurement).items() if isinstance(v, float | bool)}
    said = gather_from_processes(np.array([*numbers.values()], np.float64).view(np.int32))[0]
    same = zip(numbers.items(), said.view(np.float64).tolist(), strict=True)
    found: dict[str, Any] = {name: type(value)(first) for (name, value), first in same}
    return replace(measurement, **found)


def gather_position(position: bytes | None) -> bytes | None:
    """The positions of all processes in their datasets as one; None where one has none.

    Several are minus their number, then for each its length and itself, padded to the longest.
    """
    if processes() == 1:
        return position
    content = position or b""
    lengths = gather_from_processes([len(content)])[:, 0]
    size = COUNT_BYTES + -(-int(lengths.max()) // 4) * 4  # whole numbers of 4 bytes
    if not lengths.all() or processes() * size >= MAX_POSITION_BYTES:
        return None
    row = (len(content).to_bytes(COUNT_BYTES, "little") + content).ljust(size, b"\0")
    rows = gather_from_processes(np.frombuffer(row, np.int32))
    return (-processes()).to_bytes(COUNT_BYTES, "little", signed=True) + rows.tobytes()


def own_position(position: bytes) -> bytes | None:
    """This process's part of what `gather_position` gave; None where there were other processes."""
    count = max(1, -int.from_bytes(position[:COUNT_BYTES], "little", signed=True))
    if count != processes():
        logger.warning(
            "The dataset begins anew, since the run has stored the positions of %d process(es), "
            "and there are %d now.",
            *(count, processes()),
        )
        return None
    if count == 1:
        return position
    size = (len(position) - COUNT_BYTES) // count
    first = COUNT_BYTES + process_id() * size
    row = position[first : first + size]
    return row[COUNT_BYTES : COUNT_BYTES + int.from_bytes(row[:COUNT_BYTES], "little")]


def lost_process(error: BaseException, step: int | None = None) -> TrainingError | None:
    """What to say where another process has ended, or cannot be reached."""
    ours = isinstance(error, TrainingError)
    if processes() == 1 or ours or not any(word in str(error).lower() for word in LOST):
        return None
    when = "" if step is None else f", after step {step}"
    return TrainingError(
        f"Another of the {processes()} processes of this training has ended, or cannot be reached"
        f"{when}: {str(error).splitlines()[0][:200]}. Start all of them again: they "
        "resume from the newest checkpoint."
    )


@contextmanager
def ends_together() -> Iterator[None]:
    """Let this process end as soon as it can after an error.

    At exit JAX would wait five minutes for the other processes, which wait for this one.

    Raises:
        TrainingError: another process is lost.
    """
    atexit.unregister(_leave)
    try:
        yield
    except Exception as error:
        if processes() > 1:
            atexit.register(_leave)  # called before what was registered earlier
        if gone := lost_process(error):
            raise gone from None
        raise


def _leave() -> None:
    logging.shutdown()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    os._exit(1)


@contextmanager
def watchdog(state: TrainingState, seconds: float = MAX_SECONDS) -> Iterator[None]:
    """End this process where several devices make no step for so long.

    They wait for each other inside a call that nothing else can end.

    Raises:
        TrainingError: another process is lost.
    """
    if device_count() == 1:
        yield
        return
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(state, seconds, ended), daemon=True)
    watch.start()
    try:
        yield
    except Exception as error:
        if gone := lost_process(error, state.step):
            raise gone from None
        raise
    finally:
        ended.set()
        watch.join()


def _watch(state: TrainingState, seconds: float, ended: threading.Event) -> None:
    step, waited, interval = state.step, 0.0, min(1.0, seconds)
    while not ended.wait(interval):  # counted, since a clock also runs while a process is stopped
        waited += interval
        if state.step != step:
            step, waited = state.step, 0.0
        elif waited > seconds:
            logger.error(
                "No step for %.0f seconds after step %d: the devices wait for each other, since "
                "one is lost or has no processor time. Stopped; the same call, in all processes, "
                "resumes from the newest checkpoint.",
                *(seconds, step),
            )
            os._exit(1)
