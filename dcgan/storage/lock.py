"""Lock of a run folder: no two runs write to one, and a dead run never blocks it."""

import errno
import json
import logging
import os
import socket
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from dcgan.errors import RunError

_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK}  # some cloud drives
_MAX_CONTENT = 4096  # bytes of an owner's file that are looked at

_logger = logging.getLogger("dcgan")
_held: set[str] = set()  # this process's locks, by the path of the owner's file


class RunLock:
    """A lock that the system releases when its process ends, however it ends.

    A file beside the lock says who holds it (process and host), for the message to a second run.
    Where the file system knows no locks, it decides: a process of this host that still lives keeps
    the lock; any other owner is gone.

    Raises:
        RunError: another process, or another run of this one, holds the lock.
        OSError: the lock's files cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        self._owner_path = self.path.with_name(f"{self.path.name}-owner.json")
        self._key = os.path.realpath(self._owner_path)
        self._lock = FileLock(self.path, blocking=False, fallback_to_soft=False)
        try:
            self._lock.acquire()
        except Timeout as error:
            if not self.path.exists():  # filelock waits for a file that cannot be made
                raise FileNotFoundError(errno.ENOENT, "No file can be made in it") from error
            raise self._refusal() from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            if self._owner_lives():
                raise self._refusal() from error
        try:
            if pid := self._read()[0]:
                _logger.info("Taking over %s from process %s, which ended early.", self.path, pid)
            owner = {"pid": os.getpid(), "host": socket.gethostname()}
            self._owner_path.write_text(json.dumps(owner))
        except BaseException:
            self._lock.release()
            raise
        _held.add(self._key)

    def release(self) -> None:
        """Give the folder back. A second time is harmless."""
        if self._key in _held:
            _held.remove(self._key)
            with suppress(OSError):  # the folder may be gone
                self._owner_path.unlink()
            self._lock.release()

    def _owner_lives(self) -> bool:
        """Whether the owner on a drive without locks is a living process of this host."""
        pid, host = self._read()
        if host not in (None, socket.gethostname()):
            _logger.warning(
                "%s was left by a run on %s (process %s). This drive has no locks: make sure that "
                "run has ended.",
                *(self.path, host, pid),
            )
            return False
        if pid == os.getpid():  # ours, or of one before us in a container
            return self._key in _held
        return pid is not None and _is_alive(pid)

    def _refusal(self) -> RunError:
        pid, host = self._read()
        who = f"process {pid} on {host}" if pid else "another process"
        return RunError(
            f"{str(self.path.parent)!r} is in use by {who}. Wait until it has ended, or stop it; "
            "or choose another folder, or resume=False for a new numbered one."
        )

    def _read(self) -> tuple[int | None, str | None]:
        """Process and host of the owner, as far as its file tells."""
        try:
            with open(self._owner_path, "rb") as file:
                owner = json.loads(file.read(_MAX_CONTENT))
            return int(owner["pid"]), str(owner["host"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None, None  # released, or being written: there is nothing to tell


def _is_alive(pid: int) -> bool:
    if pid <= 0 or os.name == "nt":  # Windows cannot be asked without harm
        return False
    try:
        os.kill(pid, 0)  # signal 0 only asks
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it lives and belongs to somebody else
        return True
    return True
