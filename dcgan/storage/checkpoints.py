"""Checkpoints of a training, of which a kill at any moment leaves the newest whole.

A checkpoint is a model file, written aside and renamed into place. So one with its proper name is
whole unless the disk damaged it later, which its checksums tell.
"""

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcgan.errors import ModelFileError, RunError
from dcgan.storage.model_file import read_model_file, write_model_file
from dcgan.storage.run_log import RunLog

KEPT = 3  # more than one, so that a damaged one is no loss
# The number of the save orders them: after a rollback the same step may be saved again. Without
# the suffix they are folders, made by earlier versions, which are refused like damaged files.
_NAME = re.compile(r"(\d{6,})-step-(\d+)(\.dcgan)?")

_logger = logging.getLogger("dcgan")


@dataclass(frozen=True)
class Checkpoint:
    """A training as it was after `step` steps: a model file's document and arrays."""

    step: int
    document: dict[str, Any]
    arrays: dict[str, np.ndarray]
    path: Path


class CheckpointStore:
    """The last few checkpoints of one training, in a folder that nobody else writes to.

    Args:
        folder: made when the first checkpoint is saved, in a folder that is there.
        log: of the same training; on the disk before each checkpoint, which is never ahead of it.
    """

    def __init__(self, folder: str | os.PathLike[str], log: RunLog | None = None):
        self.folder = Path(folder)
        self.log = log

    def save(
        self, step: int, document: Mapping[str, dict[str, Any]], arrays: Mapping[str, np.ndarray]
    ) -> Path:
        """Save a checkpoint; those before stay whole until this one is on the disk.

        Args:
            step: how many steps were trained.
            document, arrays: as for `write_model_file`.

        Returns the checkpoint's path. Raises `RunError` where the disk is full or the folder is
        gone; the earlier checkpoints are untouched.
        """
        if self.log is not None:
            self.log.flush()
        try:
            # not its parents: a run's folder that is gone is an error, not a reason for another one
            self.folder.mkdir(exist_ok=True)
            earlier = self._paths()
            number = _number(earlier[-1]) + 1 if earlier else 1
            path = self.folder / f"{number:06d}-step-{int(step)}.dcgan"
            write_model_file(path, document, arrays)
        except (OSError, ModelFileError) as error:
            reason = getattr(error.__cause__ or error, "strerror", None) or str(error).rstrip(".")
            raise RunError(
                f"The checkpoint of step {step} cannot be saved in {str(self.folder)!r}: {reason}. "
                "The checkpoints before it are unchanged; free some space, or see whether the "
                "folder is still there."
            ) from error
        for old in [*earlier, path][:-KEPT]:
            try:
                old.unlink()
            except OSError as error:  # the new one is safe, so this is no failure of the save
                _logger.warning("The old checkpoint %s could not be removed: %s", old, error)
        return path

    def newest(self) -> Checkpoint | None:
        """The last checkpoint that is whole, or None where none was ever saved.

        Damaged checkpoints are passed over and named in the log, together with the one that is
        taken instead.

        Raises:
            RunError: there are checkpoints, and all are damaged.
        """
        paths, damaged = self._paths(), []
        for path in reversed(paths):
            try:
                file = read_model_file(path)
            except ModelFileError as reason:
                damaged.append(str(reason).rstrip("."))
                continue
            if damaged:
                _logger.warning(
                    "Damaged checkpoint: %s. Resuming from the one before it: %s.",
                    "; ".join(damaged),
                    path,
                )
            step = int(path.stem.rpartition("-")[2])
            return Checkpoint(step, file.document, file.arrays, path)
        if not paths:
            return None
        raise RunError(
            f"None of the checkpoints in {str(self.folder)!r} is whole: {'; '.join(damaged)}. "
            "Start a new run with resume=False (nothing is deleted), or load best.dcgan or "
            "last.dcgan of this one."
        )

    def latest(self) -> int:
        """The number of the newest save, whole or not; 0 where there is none."""
        return max(map(_number, self._paths()), default=0)

    def _paths(self) -> list[Path]:
        """The checkpoints, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(filter(_number, self.folder.iterdir()), key=_number)


def _number(path: Path) -> int:
    """The number of the save, or 0 for what is no checkpoint."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0
