"""A run's folder: options, log, samples, checkpoints and models."""

import errno
import importlib.metadata
import itertools
import json
import logging
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dcgan.atomic import sweep_leftovers, write_atomically
from dcgan.errors import RunError
from dcgan.storage.checkpoints import CheckpointStore
from dcgan.storage.lock import RunLock
from dcgan.storage.run_log import RunLog

FORMAT = "dcgan-run"
VERSION = 1
SAMPLE_SET = "the drawn sample set"  # in options.json, in place of a path
_LOCK = ".lock"
_OWN_NAMES = ("log.jsonl", "log.csv", "checkpoints", "best.dcgan", "last.dcgan")
_PACKAGES = ("dcgan", "keras", "tensorflow", "jax", "torch", "numpy", "pillow")

_logger = logging.getLogger("dcgan")


class RunFolder:
    """A run's folder, locked from `open` until the `with` block ends.

    Attributes:
        path: the folder; what is in it has a path of its own: samples_path, options_path,
            skipped_path, best_path, last_path.
        checkpoints, log: its checkpoints and its log.
        earlier: what options.json said when the folder was opened ("options", "data", "source"),
            or None in a new folder.

    Examples:
        >>> with RunFolder.open("Results/sea") as run:
        ...     run.write_options(options, data, source)
        ...     run.log.write({"step": 100, "d_loss": 0.7})
        ...     run.checkpoints.save(100, document, arrays)
    """

    def __init__(self, path: Path, lock: RunLock):
        self.path = path
        self.samples_path = path / "samples"
        self.options_path = path / "options.json"
        self.skipped_path = path / "skipped.txt"
        self.best_path = path / "best.dcgan"
        self.last_path = path / "last.dcgan"
        self.log = RunLog(path)
        self.checkpoints = CheckpointStore(path / "checkpoints", self.log)
        self.earlier: dict[str, Any] | None = None
        self._lock = lock
        self._options = ""  # what this process has written to options.json

    @classmethod
    @contextmanager
    def open(cls, path: str | os.PathLike[str], *, resume: bool = True) -> Iterator["RunFolder"]:
        """Make a run's folder, or take the one that is there, and lock it until the block ends.

        Args:
            path: the folder; missing parents are made.
            resume: whether to take a folder that is not empty. If False, a new one is made beside
                it: "sea-2", "sea-3", ...

        Raises:
            RunError: the folder cannot be made or written, is in use, or is no run's folder.
        """
        path = Path(path)
        with _using(path):
            path = _claim(path, resume)
        with _using(path):
            run = cls(path, RunLock(path / _LOCK))
        try:
            with _using(path):
                run.earlier = run._read_options()
                run.samples_path.mkdir(exist_ok=True)
                for folder in (run.path, run.samples_path, run.checkpoints.folder):
                    if folder.is_dir():
                        sweep_leftovers(folder)
            yield run
        finally:
            run._lock.release()

    @staticmethod
    def check(path: str | os.PathLike[str]) -> None:
        """Refuse a path that cannot become a run's folder; makes nothing.

        Raises:
            RunError: it is a file, or it or the folder above cannot be written.
        """
        place = Path(path)
        with _using(place):
            while not place.exists():
                place = place.parent
            if not place.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a folder")
            if not os.access(place, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "it cannot be written")

    def restore(self) -> None:
        """Make the folder again, locked and with its options, where it was deleted meanwhile.

        Raises:
            RunError: it cannot be made, or another run has taken its place.
        """
        if not self._options or self.options_path.exists():
            return
        with _using(self.path):
            self.samples_path.mkdir(parents=True, exist_ok=True)
            self._lock.release()
            self._lock = RunLock(self.path / _LOCK)
            write_atomically(self.options_path, self._options)
        _logger.warning(
            "The run folder %s was deleted while in use. It is made again; what was in it is lost.",
            self.path,
        )

    def write_options(
        self, options: Mapping[str, object], data: Mapping[str, object], source: str | None
    ) -> None:
        """Write options.json: the options, what the images are, and where they come from.

        Raises:
            RunError: the folder cannot be written, or the disk is full.
        """
        content = {
            "format": FORMAT,
            "version": VERSION,
            "options": dict(options),
            "data": dict(data),
            "source": source,
            "versions": _versions(),
        }
        self._options = json.dumps(content, indent=2) + "\n"
        with _using(self.path):
            write_atomically(self.options_path, self._options)

    def _read_options(self) -> dict[str, Any] | None:
        """What options.json says; None where the folder is new."""
        content = read_run(self.path)
        if content is None:
            if found := [name for name in _OWN_NAMES if (self.path / name).exists()]:
                raise RunError(
                    f"{str(self.path)!r} holds {', '.join(found)} but no options.json, so it is no "
                    "run that can be resumed, and nothing of it is overwritten. Choose another "
                    "folder, or resume=False for a numbered one."
                )
        return content


def read_run(path: Path) -> dict[str, Any] | None:
    """What the options.json of a run's folder says; None where there is none.

    Raises:
        RunError: it is damaged, or was written by a newer version.
    """
    options_path = path / "options.json"
    if not options_path.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(options_path.read_bytes())
        if content["format"] != FORMAT or not isinstance(content["version"], int):
            raise ValueError(f"its format is not {FORMAT!r}")
        if not isinstance(content["options"], dict) or not isinstance(content["data"], dict):
            raise ValueError("its options or data are no dictionary")
        if not isinstance(content.setdefault("source"), str | None):
            raise ValueError("its source is no path")
        if any(type(content["data"].get(name, 0)) is not int for name in ("count", "held_out")):
            raise ValueError("its data are no counts")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(
            f"{str(options_path)!r} is damaged or not of a run ({error}). Put it right, or start a "
            "new numbered folder with resume=False."
        ) from error
    if content["version"] > VERSION:
        raise RunError(
            f"{str(path)!r} was made by a newer dcgan (run version {content['version']}, this "
            f"program reads up to {VERSION}): update with `pip install -U dcgan`."
        )
    return content


def folder_for(path: Path, source: str) -> Path:
    """Where the run of the images at `source` is or may go: `path`, "sea-2", "sea-3", ...

    Args:
        path: where it would go by the name of its images. A run of images elsewhere is left
            alone; one whose images are gone may have been theirs, before they were moved.
        source: where these images are.
    """
    free: Path | None = None
    for number in itertools.count(1):
        candidate = path if number == 1 else path.with_name(f"{path.name}-{number}")
        known = _source(candidate)
        if known == source:
            return candidate
        lost = known is None or (known != SAMPLE_SET and not os.path.exists(known))
        if free is None and lost:
            free = candidate
        if not candidate.exists():
            break
    if free != path:
        _logger.warning("%s is the run of %s; this one is in %s.", path, _source(path), free)
    return free or path


def _source(path: Path) -> str | None:
    """Where the images of the run at `path` are; None if it does not say, or is no run."""
    try:
        run = read_run(path)
    except OSError:
        return None  # `RunFolder.open` says what is wrong with it
    return None if run is None else run["source"]


def _claim(path: Path, resume: bool) -> Path:
    """Make the folder, or with resume=False the first free one of its name and number."""
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a folder")
    path.mkdir(parents=True, exist_ok=True)
    if resume or not any(path.iterdir()):
        return path
    number = 1
    while True:
        number += 1
        numbered = path.with_name(f"{path.name}-{number}")
        with suppress(FileExistsError):
            numbered.mkdir()
            return numbered


@contextmanager
def _using(path: Path) -> Iterator[None]:
    """Say in one sentence why the run folder at `path` cannot be used."""
    try:
        yield
    except RunError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise RunError(
            f"The run folder {str(path)!r} cannot be used: {reason}. Expected a folder that can be "
            "made and written; choose another one."
        ) from error


def _versions() -> dict[str, str]:
    """What the run is made with, as far as it is installed."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
