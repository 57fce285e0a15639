"""The memory that is free: the container's limit where there is one, else the system's."""

import os
from pathlib import Path

from dcgan.errors import ArgumentError

# (limit, in use, what is in use for): control groups of version 2, then 1
_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)
# Copies of files, which the system drops where a process needs their memory
_DROPPED = ("active_file", "inactive_file")


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse what needs more memory than is free.

    Args:
        needed: bytes.
        what: what needs them, as the beginning of a sentence.
        advice: what to do instead.

    Raises:
        ArgumentError: less is free; the message has both numbers.
    """
    free = free_memory()
    if free is not None and needed > free:
        raise ArgumentError(
            f"{what} needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are "
            f"free. {advice}"
        )


def free_memory() -> int | None:
    """Bytes of memory that this process may still take; None where the system does not say."""
    found = [value for value in (_free_in_group(), _free_in_system()) if value is not None]
    return min(found, default=None)


def _free_in_group() -> int | None:
    for limit, used, purposes in _GROUPS:
        try:
            left = int(Path(limit).read_text()) - int(Path(used).read_text())
        except (OSError, ValueError):  # not there, or "max": no limit
            continue
        return max(0, left + _dropped(purposes))
    return None


def _dropped(purposes: str) -> int:
    try:
        lines = Path(purposes).read_text().splitlines()
        numbers = {name: int(number) for name, number in map(str.split, lines)}
    except (OSError, ValueError):
        return 0
    return sum(numbers.get(name, 0) for name in _DROPPED)


def _free_in_system() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(ln.split()[1]) * 1024 for ln in lines if ln.startswith("MemAvailable"))
    except (OSError, ValueError, StopIteration):  # not Linux
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return None
