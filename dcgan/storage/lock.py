"""How do two runs never write to one folder, while a dead run never blocks it?"""

import functools
import json
import logging
import os
import socket
from pathlib import Path

from dcgan.errors import RunError

if os.name == "nt":
    import msvcrt
else:
    import fcntl

_WINDOWS_LOCKED_BYTE = 1 << 20  # Windows forbids others to read a locked byte: one past the content
_MAX_CONTENT = 4096  # bytes of a lock file that are looked at

_logger = logging.getLogger("dcgan")
_held: dict[int, str] = {}  # this process's locks by descriptor; its children must not hold them


class RunLock:
    """A lock file that the system releases when its process ends, however it ends.

    The file's content (process and host) only serves the message to a second run. Where the file
    system knows no locks (some network and cloud drives), the content decides: a process of this
    host that still lives keeps the lock; any other lock is stale.

    Raises:
        RunError: another process, or another run of this one, holds the lock.
        OSError: the lock file cannot be made.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            holder = self._read()
            if not self._take(holder):
                raise RunError(self._refusal(holder))
            if holder:
                _logger.info("Taking over %s from a run that ended without notice.", self.path)
            self._write({"pid": os.getpid(), "host": socket.gethostname()})
        except BaseException:
            os.close(self._descriptor)
            raise
        _held[self._descriptor] = os.path.realpath(self.path)
        _close_locks_in_children()

    def release(self) -> None:
        """Give the folder back. The emptied file stays: removing it could remove another's lock."""
        if self._descriptor in _held:
            del _held[self._descriptor]
            try:
                self._write(None)
            finally:
                os.close(self._descriptor)

    def _take(self, holder: dict) -> bool:
        try:
            return _lock(self._descriptor)
        except OSError:  # no locks on this file system
            if holder.get("host") not in (None, socket.gethostname()):
                _logger.warning(
                    "%s was left by a run on %s (process %s). This drive has no locks: make sure "
                    "that run has ended.",
                    *(self.path, holder["host"], holder.get("pid")),
                )
                return True
            if holder.get("pid") == os.getpid():  # ours, or of one before us in a container
                return os.path.realpath(self.path) not in _held.values()
            return not _is_alive(holder.get("pid"))

    def _refusal(self, holder: dict) -> str:
        who = f"process {holder['pid']} on {holder['host']}" if holder else "another process"
        return (
            f"{str(self.path.parent)!r} is in use by {who}. Wait until it has ended, or stop it; "
            "or choose another folder, or resume=False for a new numbered one."
        )

    def _read(self) -> dict:
        """Who holds the lock, as far as the file tells."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        try:
            holder = json.loads(os.read(self._descriptor, _MAX_CONTENT))
            return {"pid": int(holder["pid"]), "host": str(holder["host"])}
        except (ValueError, KeyError, TypeError, RecursionError):
            return {}  # empty (released), or being written: there is nothing to tell

    def _write(self, holder: dict | None) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.ftruncate(self._descriptor, 0)
        if holder:
            os.write(self._descriptor, json.dumps(holder).encode())


def _lock(descriptor: int) -> bool:
    """Lock an open file without waiting; False when another process has it."""
    try:
        if os.name == "nt":
            os.lseek(descriptor, _WINDOWS_LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is_alive(pid: int | None) -> bool:
    if pid is None or pid <= 0 or os.name == "nt":  # Windows cannot be asked without harm
        return False
    try:
        os.kill(pid, 0)  # signal 0 only asks
    except ProcessLookupError:
        return False
    except OSError:  # it lives and belongs to somebody else
        return True
    return True


@functools.cache
def _close_locks_in_children() -> None:
    """A forked worker shares the lock; outliving a killed parent, it would go on holding it."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_close_held)


def _close_held() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()
