"""What is a run on disk? A folder with its options, log, samples, checkpoints and models."""

import errno
import importlib.metadata
import itertools
import json
import logging
import os
import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dcgan.atomic import sweep_leftovers, write_atomically
from dcgan.errors import RunError
from dcgan.storage.checkpoints import Checkpoint, CheckpointStore
from dcgan.storage.lock import RunLock
from dcgan.storage.run_log import RunLog

FORMAT = "dcgan-run"
VERSION = 1
_LOCK = ".lock"
_OWN_NAMES = ("log.jsonl", "log.csv", "checkpoints", "best.dcgan", "last.dcgan")
_PACKAGES = ("dcgan", "keras", "tensorflow", "jax", "torch", "numpy", "pillow")

_logger = logging.getLogger("dcgan")


class RunFolder:
    """A run's folder, locked from `open` until the `with` block ends.

    Example:
        >>> with RunFolder.open("Results/sea", options, shaping=SHAPING) as run:
        ...     checkpoint = run.resume()
        ...     run.log.write({"step": 100, "loss": 0.7})
        ...     run.save_checkpoint(100, arrays, state)
    """

    def __init__(self, path: Path, lock: RunLock):
        self.path = path
        self.samples = path / "samples"
        self.checkpoints = CheckpointStore(path / "checkpoints")
        self.log = RunLog(path)
        self.options_path = path / "options.json"
        self.skipped_path = path / "skipped.txt"
        self.best_path = path / "best.dcgan"
        self.last_path = path / "last.dcgan"
        self._lock = lock

    @classmethod
    def open(
        cls,
        path: str | os.PathLike,
        options: Mapping[str, object],
        *,
        shaping: frozenset[str] = frozenset(),
        resume: bool = True,
    ) -> "RunFolder":
        """Make a run's folder, or take the one that is there, and lock it.

        Args:
            path: the folder; missing parents are made.
            options: every setting by name, in plain values.
            shaping: names of those that shape the networks: where the folder holds a checkpoint,
                these must be as they were. Others may differ, which is stated in the log.
            resume: whether to go on in the folder. If False and it is not empty, a new one is made
                beside it: "sea-2", "sea-3", ...

        Raises:
            RunError: the folder cannot be made or written, is in use, is no run's folder, or holds
                a run of networks of another shape.
        """
        path = Path(path)
        plain = json.loads(json.dumps(dict(options)))  # as they will be when read back
        try:
            path = _claim(path, resume)
            run = cls(path, RunLock(path / _LOCK))
            try:
                run._settle(plain, shaping)
            except BaseException:
                run.close()
                raise
        except RunError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise _unusable(path, error) from error
        return run

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder back to other runs."""
        self._lock.release()

    def resume(self) -> Checkpoint | None:
        """The state to go on from, or None to begin; the log is cut to what came before it.

        Raises:
            RunError: there are checkpoints, and all are damaged.
        """
        checkpoint = self.checkpoints.newest()
        self.log.cut_after(checkpoint.step if checkpoint else -1)
        return checkpoint

    def save_checkpoint(self, step: int, arrays: Mapping[str, np.ndarray], state: dict) -> Path:
        """Save a state (see `CheckpointStore.save`), with the log on the disk before it."""
        try:
            self.log.flush()
        except OSError as error:
            raise _unusable(self.path, error) from error
        return self.checkpoints.save(step, arrays, state)

    def record_data(self, fingerprint: Mapping[str, object], source: str | None = None) -> None:
        """Note which images the run is trained on; says so if they are not those of before.

        `source` is where they came from: a path, or None.
        """
        content = json.loads(self.options_path.read_bytes())
        if self.data and self.data.get("sha256") != fingerprint["sha256"]:
            _logger.warning(
                "The images are not those that the run in %s was trained on so far.", self.path
            )
        self._write_options({**content, "data": dict(fingerprint), "source": source})

    @property
    def data(self) -> dict:
        """What `record_data` noted last, in this call or an earlier one; empty at first."""
        return json.loads(self.options_path.read_bytes())["data"]

    def _settle(self, options: dict, shaping: frozenset[str]) -> None:
        """Compare the options with those of the run that is there, and write them down."""
        earlier = self._read_options()
        if earlier is not None and self.checkpoints.exist():
            _compare(self.path, earlier["options"], options, shaping)
        content = {"format": FORMAT, "version": VERSION, "options": options}
        kept = (
            {"data": earlier["data"], "source": earlier.get("source")} if earlier else {"data": {}}
        )
        self._write_options({**content, "versions": _versions(), **kept})
        self.samples.mkdir(exist_ok=True)
        for folder in (self.path, self.samples):
            sweep_leftovers(folder)

    def _read_options(self) -> dict | None:
        """What options.json says; None where the folder is new."""
        if not self.options_path.exists():
            if found := [name for name in _OWN_NAMES if (self.path / name).exists()]:
                raise RunError(
                    f"{str(self.path)!r} holds {', '.join(found)} but no options.json, so it is no "
                    "run that can be gone on with, and nothing of it is overwritten. Choose "
                    "another folder, or resume=False (--new) for a numbered one."
                )
            return None
        try:
            content = json.loads(self.options_path.read_bytes())
            if content["format"] != FORMAT or not isinstance(content["version"], int):
                raise ValueError(f"its format is not {FORMAT!r}")
            if not isinstance(content["options"], dict) or not isinstance(content["data"], dict):
                raise ValueError("its options or data are no dictionary")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RunError(
                f"{str(self.options_path)!r} is damaged or not of a run ({error}). Put it right, "
                "or start a new numbered folder with resume=False (--new)."
            ) from error
        if content["version"] > VERSION:
            raise RunError(
                f"{str(self.path)!r} was made by a newer dcgan (run version {content['version']}, "
                f"this program reads up to {VERSION}): update with `pip install -U dcgan`."
            )
        return content

    def _write_options(self, content: dict) -> None:
        write_atomically(self.options_path, json.dumps(content, indent=2) + "\n")


def folder_for(path: Path, source: str) -> Path:
    """Where the run of the images at `source` is or may go: `path`, "sea-2", "sea-3", ...

    Args:
        path: where it would go by the name of its images. A run of images elsewhere is left
            alone; one whose images are gone may have been theirs, before they were moved.
        source: where these images are.
    """
    free = None
    for number in itertools.count(1):
        candidate = path if number == 1 else path.with_name(f"{path.name}-{number}")
        known = _source(candidate)
        if known == source:
            return candidate
        if free is None and (known is None or not os.path.exists(known)):
            free = candidate
        if not candidate.exists():
            break
    if free != path:
        _logger.warning("%s is the run of %s; this one is in %s.", path, _source(path), free)
    return free


def _source(path: Path) -> str | None:
    """Where the images of the run at `path` are; None if it does not say, or is no run."""
    try:
        source = json.loads((path / "options.json").read_bytes())["source"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # `RunFolder.open` says what is wrong with it
    return source if isinstance(source, str) else None


def _claim(path: Path, resume: bool) -> Path:
    """Make the folder, or with resume=False the first free one of its name and number."""
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a folder")
    path.mkdir(parents=True, exist_ok=True)
    if resume or not any(path.iterdir()):
        return path
    for number in itertools.count(2):
        numbered = path.with_name(f"{path.name}-{number}")
        try:
            numbered.mkdir()
        except FileExistsError:
            continue
        return numbered
    raise RuntimeError("unreachable: the numbers do not end")


def _compare(path: Path, earlier: dict, options: dict, shaping: frozenset[str]) -> None:
    changes = {
        name: _change(name, earlier[name], options[name])
        for name in earlier.keys() & options.keys()
        if earlier[name] != options[name]
    }
    if refused := sorted(changes.keys() & shaping):
        # the others say what makes the plan another
        refused = [name for name in refused if name != "network_plan"] or refused
        listing = "; ".join(changes[name] for name in refused)
        raise RunError(
            f"{str(path)!r} holds a run of networks of another shape ({listing}). Give the "
            "settings of the folder to go on with it, or another folder, or resume=False (--new) "
            "for a new numbered one."
        )
    if changes:
        listing = "; ".join(changes[name] for name in sorted(changes))
        _logger.info("Going on in %s with other settings (%s).", path, listing)


def _change(name: str, earlier: object, now: object) -> str:
    """What differs, in a line; of two dictionaries, the entries that do."""
    if name == "network_plan":  # hashes tell a person nothing
        return "other layers"
    if isinstance(earlier, dict) and isinstance(now, dict):
        keys = sorted(key for key in earlier.keys() & now.keys() if earlier[key] != now[key])
        return "; ".join(_change(f"{name} {key}", earlier[key], now[key]) for key in keys)
    return f"{name}: {earlier!r} in the folder, {now!r} now"


def _unusable(path: Path, error: Exception) -> RunError:
    reason = getattr(error, "strerror", None) or error
    return RunError(
        f"The run folder {str(path)!r} cannot be used: {reason}. Expected a folder that can be "
        "made and written; choose another one."
    )


def _versions() -> dict[str, str]:
    """What the run is made with, as far as it is installed."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
