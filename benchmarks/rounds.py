"""Fair timing: jobs take turns, each in a process of its own that is idle otherwise."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent


class Worker:
    """A process that calls functions of a module of this package when told, idle otherwise.

    Args:
        module: a module that ends with `serve`.
    """

    def __init__(self, module: str):
        self._errors = tempfile.TemporaryFile("w+")
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )

    def __call__(self, function: str, **arguments):
        """Call a function there and wait for what it returns.

        Raises:
            RuntimeError: it failed; with the end of what the process wrote to stderr.
        """
        try:
            print(json.dumps([function, arguments]), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._process.wait()
            self._errors.seek(0)
            raise RuntimeError(f"{function} failed:\n{self._errors.read()[-3000:]}")
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def serve(functions: list[Callable]) -> None:
    """Answer a `Worker`: a call per line on stdin, its result per line on stdout."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed must not look like an answer
    known = {function.__name__: function for function in functions}
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(known[name](**arguments)), file=answers, flush=True)


def alternate(jobs: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Do every job once per round, in turns; returns each job's results in order."""
    results: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds):
        for name, job in jobs.items():
            print(f"\r\033[Kround {number + 1} of {rounds}: {name}", end="", file=sys.stderr)
            sys.stderr.flush()
            results[name].append(job())
    print("\r\033[K", end="", file=sys.stderr, flush=True)
    return results


def seconds_of(job: Callable[[], object]) -> float:
    """Time of one call, in seconds."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def median_ratio(above: list[float], below: list[float]) -> float:
    """Median of the rounds' ratios: a slow moment of the machine hits both alike."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def resident() -> int:
    """Memory of this process now, in bytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
