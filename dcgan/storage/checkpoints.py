"""How is the state of a training kept so that a kill at any moment loses at most one interval?

A checkpoint is a folder of its own: written aside, each file flushed to disk, the manifest with
sizes and hashes last, then renamed into place. So a checkpoint with its proper name is whole
unless the disk damaged it later, which the hashes tell.
"""

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcgan.atomic import TEMPORARY_SUFFIX, flush_folder, flush_to_disk
from dcgan.errors import ArgumentError, RunError

FORMAT = "dcgan-checkpoint"
VERSION = 1
_ARRAYS, _STATE, _MANIFEST = "arrays.npz", "state.json", "manifest.json"
_NAME = re.compile(r"(\d{6,})-step-(\d+)")  # the number of the save orders them: after a step back
# to an earlier state the same step is saved again, and it is the later one that counts

_logger = logging.getLogger("dcgan")


@dataclass(frozen=True)
class Checkpoint:
    """A state of training as it was after `step` steps."""

    step: int
    arrays: dict[str, np.ndarray]
    state: dict
    path: Path


class CheckpointStore:
    """The last few states of one training, in a folder that nobody else writes to.

    Args:
        folder: made when the first state is saved, in a folder that is there.
        keep: how many states to keep, at least 1; more than one, so that a damaged one is no loss.
    """

    def __init__(self, folder: str | os.PathLike, keep: int = 3):
        if type(keep) is not int or keep < 1:
            raise ArgumentError(f"keep must be a whole number of at least 1. Received: {keep=}")
        self.folder = Path(folder)
        self.keep = keep

    def save(self, step: int, arrays: Mapping[str, np.ndarray], state: dict) -> Path:
        """Save a state; the ones before stay whole until this one is on the disk.

        Args:
            step: how many steps were trained.
            arrays: numpy arrays of plain numbers, by name.
            state: plain values that JSON can hold.

        Returns:
            The checkpoint's folder.

        Raises:
            RunError: the disk is full or the folder is gone. The states saved before are untouched.
        """
        step = int(step)
        text = json.dumps(state)  # a value JSON cannot hold is found before anything is written
        arrays = {name: _plain(name, array) for name, array in arrays.items()}
        try:
            # not its parents: a run's folder that is gone is an error, not a reason for another one
            self.folder.mkdir(exist_ok=True)
            earlier = self._paths()
            number = _number(earlier[-1]) + 1 if earlier else 1
            path = self.folder / f"{number:06d}-step-{step}"
            self._write(path, step, arrays, text)
        except OSError as error:
            raise RunError(
                f"The checkpoint of step {step} cannot be saved in {str(self.folder)!r}: "
                f"{error.strerror or error}. The checkpoints before it are unchanged; free some "
                "space, or see whether the folder is still there."
            ) from error
        for old in [*earlier, path][: -self.keep]:
            _discard(old)
        return path

    def newest(self) -> Checkpoint | None:
        """The last state that is whole, or None where none was ever saved.

        Leftovers of a killed save are removed. Damaged checkpoints are passed over and named in the
        log, together with the one that is taken instead.

        Raises:
            RunError: there are checkpoints, and all are damaged.
        """
        self._sweep()
        damaged = []
        paths = self._paths()
        for path in reversed(paths):
            try:
                checkpoint = _read(path)
            except _DamagedError as reason:
                damaged.append(f"{path.name} ({reason})")
                continue
            if damaged:
                _logger.warning(
                    "Damaged checkpoint in %s: %s. Going on from the one before it: %s.",
                    self.folder,
                    ", ".join(damaged),
                    path.name,
                )
            return checkpoint
        if not paths:
            return None
        raise RunError(
            f"None of the checkpoints in {str(self.folder)!r} is whole: {', '.join(damaged)}. "
            "Start a new run with resume=False (--new; nothing is deleted), or go on from "
            "best.dcgan or last.dcgan of this one."
        )

    def exist(self) -> bool:
        """Whether there is any checkpoint, whole or not."""
        return bool(self._paths())

    def _paths(self) -> list[Path]:
        """The checkpoints' folders, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(filter(_number, self.folder.iterdir()), key=_number)

    def _write(self, path: Path, step: int, arrays: Mapping[str, np.ndarray], state: str) -> None:
        aside = path.with_name(path.name + TEMPORARY_SUFFIX)
        _remove(aside)
        try:
            aside.mkdir()
            with open(aside / _ARRAYS, "xb") as file:
                np.savez(file, allow_pickle=False, **arrays)
                flush_to_disk(file)
            _write_flushed(aside / _STATE, state)
            manifest = {
                "format": FORMAT,
                "version": VERSION,
                "step": step,
                "files": {name: _fingerprint(aside / name) for name in (_ARRAYS, _STATE)},
            }
            _write_flushed(aside / _MANIFEST, json.dumps(manifest, indent=1))
            flush_folder(aside)
            os.rename(aside, path)
        except BaseException:
            _remove(aside)
            raise
        flush_folder(self.folder)

    def _sweep(self) -> None:
        if self.folder.is_dir():
            for leftover in self.folder.glob("*" + TEMPORARY_SUFFIX):
                _remove(leftover)


class _DamagedError(Exception):
    """Why a checkpoint cannot be used."""


def _read(path: Path) -> Checkpoint:
    try:
        manifest = json.loads((path / _MANIFEST).read_bytes())
        name = f"{_number(path):06d}-step-{manifest['step']}"
        if (manifest["format"], manifest["version"], name) != (FORMAT, VERSION, path.name):
            raise _DamagedError(f"its {_MANIFEST} belongs to another checkpoint or version")
        for name in (_ARRAYS, _STATE):
            if _fingerprint(path / name) != manifest["files"][name]:
                raise _DamagedError(f"its {name} does not match its checksum")
        state = json.loads((path / _STATE).read_bytes())
        with np.load(path / _ARRAYS, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise _DamagedError(f"its {Path(error.filename).name} is missing") from error
    except OSError as error:
        raise _DamagedError(f"it cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _DamagedError(f"its {_MANIFEST} is damaged") from error
    return Checkpoint(manifest["step"], arrays, state, path)


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind not in "biufc":
        raise ArgumentError(
            f"A checkpoint holds plain numbers only. Received: {name!r} of type {array.dtype}"
        )
    return array


def _number(path: Path) -> int:
    """The number of the save, or 0 for what is no checkpoint."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def _fingerprint(path: Path) -> dict:
    with open(path, "rb") as file:
        return {
            "size": os.fstat(file.fileno()).st_size,
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
        }


def _write_flushed(path: Path, text: str) -> None:
    with open(path, "xb") as file:
        file.write(text.encode())
        flush_to_disk(file)


def _discard(path: Path) -> None:
    """Remove a checkpoint under a leftover's name: a kill meanwhile leaves no half of one."""
    aside = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        os.rename(path, aside)
    except OSError as error:  # the new state is safe, so this is no failure of the save
        _logger.warning("The old checkpoint %s could not be removed: %s", path, error)
    _remove(aside)


def _remove(path: Path) -> None:
    """Remove a folder if it is there; what cannot be removed now is swept at the next start."""
    shutil.rmtree(path, ignore_errors=True)
