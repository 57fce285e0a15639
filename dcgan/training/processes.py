"""Several processes of one training: all do the same, and one of them writes the run folder.

Each process holds the whole model and reads its share of every batch. What depends on clocks and
signals is decided by the first process, for all; everything else follows from the same numbers.
"""

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dcgan.backend.devices import device_count, process_id, processes, told
from dcgan.errors import TrainingError
from dcgan.storage.run_folder import RunFolder
from dcgan.training.state import TrainingState

MAX_SECONDS = 900.0  # without a step: compiling the first one takes minutes
LOST = ("gloo", "nccl", "peer", "collective", "coordination")  # in what JAX says of it
COPIED = ("options.json", "best.dcgan", "checkpoints")  # what a training reads from its folder

logger = logging.getLogger("dcgan")


@contextmanager
def open_run(path: Path, resume: bool) -> Iterator[RunFolder]:
    """Open the run folder; in all processes but the first, a copy of it that is then thrown away.

    Raises:
        RunError: as `RunFolder.open`.
    """
    if process_id() == 0:
        told([1])  # the others have copied it
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
        told([1])
        with RunFolder.open(copy) as run:
            yield run


def agreed(ends: bool, due: list[bool]) -> tuple[bool, list[bool]]:
    """Whether training ends, if any process wants that, and what is due in the first process.

    All processes have the same tasks, in the same order.
    """
    rows = told([ends, *due])
    return any(row[0] for row in rows), [bool(value) for value in rows[0][1:]]


def lost(error: BaseException, step: int) -> TrainingError | None:
    """What to say where another process has ended, or cannot be reached."""
    told_already = isinstance(error, TrainingError)
    if processes() == 1 or told_already or not any(word in str(error).lower() for word in LOST):
        return None
    return TrainingError(
        f"Another of the {processes()} processes of this training has ended, or cannot be reached, "
        f"after step {step}: {str(error).splitlines()[0][:200]}. Start all of them again: they "
        "resume from the newest checkpoint."
    )


@contextmanager
def watched(state: TrainingState, seconds: float = MAX_SECONDS) -> Iterator[None]:
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
        if gone := lost(error, state.step):
            raise gone from None
        raise
    finally:
        ended.set()
        watch.join()


def _watch(state: TrainingState, seconds: float, ended: threading.Event) -> None:
    step, since = state.step, time.monotonic()
    while not ended.wait(min(1.0, seconds)):
        if state.step != step:
            step, since = state.step, time.monotonic()
        elif time.monotonic() - since > seconds:
            logger.error(
                "No step for %.0f seconds after step %d: the devices wait for each other, since "
                "one is lost or has no processor time. Stopped; the same call, in all processes, "
                "resumes from the newest checkpoint.",
                *(seconds, step),
            )
            os._exit(1)
