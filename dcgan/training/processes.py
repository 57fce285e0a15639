"""Several processes of one training: all do the same, and one of them writes the run folder.

Each process holds the whole model and reads its share of every batch. What depends on clocks and
signals is decided by the first process, for all; everything else follows from the same numbers.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dcgan.backend.devices import process_id, processes, told
from dcgan.errors import TrainingError
from dcgan.storage.run_folder import RunFolder

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
    """Whether training ends, if any process wants that, and what is due in the first process."""
    rows = told([ends, *due])
    return any(row[0] for row in rows), [bool(value) for value in rows[0][1:]]


def lost(error: BaseException, step: int) -> TrainingError | None:
    """What to say where another process has ended, or cannot be reached."""
    said = str(error).lower()
    if processes() == 1 or not any(word in said for word in ("gloo", "nccl", "peer", "collective")):
        return None
    return TrainingError(
        f"Another of the {processes()} processes of this training has ended, or cannot be reached, "
        f"after step {step}: {str(error).splitlines()[0][:200]}. Start all of them again: they "
        "resume from the newest checkpoint."
    )
