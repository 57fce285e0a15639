"""How are thousands of files decoded at once, though any of them may crash or stall its decoder?"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from dcgan.data.decode import Original
from dcgan.data.target import Target
from dcgan.errors import DataError

CHUNK = 16  # files sent at once: a worker never waits for its next name
PATIENCE_SECONDS = 120  # for one chunk; the largest pictures that are accepted take a few each
MOST_WORKERS = 16

Outcome = Original | str  # what a file was, or why it is of no use


def decode_all(
    paths: list[str], target: Target, pixels_path: Path, done: Callable[[int], None]
) -> list[Outcome]:
    """Decode `paths` with one process per core; picture i goes to slot i of the pixel file.

    Args:
        paths: the files.
        target: what to make of them.
        pixels_path: an existing file, which the workers write into.
        done: called from any thread with the number of files finished since the last call.

    Returns:
        for each file what it was, or the reason why its slot holds nothing.

    Raises:
        OSError: the pixel file cannot be written.
        DataError: the decoding processes do not start.
    """
    outcomes: list[Outcome] = [""] * len(paths)
    chunks = iter([range(i, min(i + CHUNK, len(paths))) for i in range(0, len(paths), CHUNK)])
    header = json.dumps({"target": asdict(target), "path": str(pixels_path)})
    stopping, lock = threading.Event(), threading.Lock()

    def drive() -> None:
        with _Worker(header, stopping) as worker:
            while not stopping.is_set():
                with lock:
                    chunk = next(chunks, range(0))
                if not chunk:
                    return
                for slot, outcome in worker.decode([(slot, paths[slot]) for slot in chunk]):
                    outcomes[slot] = outcome
                done(len(chunk))

    count = min(available_cores(), MOST_WORKERS, -(-len(paths) // CHUNK))
    with ThreadPoolExecutor(count) as threads:
        try:
            for finished in [threads.submit(drive) for _ in range(count)]:
                finished.result()
        finally:  # also on Ctrl-C, or when one of them failed: the others need not go on
            stopping.set()
    return outcomes


def available_cores() -> int:
    """Cores that this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """One decoding process, started again when a file has brought it down."""

    def __init__(self, header: str, stopping: threading.Event):
        self._header = header
        self._stopping = stopping

    def __enter__(self) -> "_Worker":
        self._start()
        return self

    def __exit__(self, *error) -> None:
        self._stop()

    def decode(self, jobs: list[tuple[int, str]]) -> Iterator[tuple[int, Outcome]]:
        """Outcomes of (slot, path) pairs, in order. A file that ends the process is named."""
        while jobs:
            answered = 0
            for answer in self._answers(jobs):
                yield jobs[answered][0], answer
                answered += 1
            jobs = jobs[answered:]
            if jobs and self._stopping.is_set():
                return
            if jobs:
                yield jobs[0][0], "its decoder crashed, or took too long"
                jobs = jobs[1:]
                self._stop()
                self._start()

    def _answers(self, jobs: list[tuple[int, str]]) -> Iterator[Outcome]:
        """What the process says of each job, until it is done, dies, or is out of time."""
        alarm = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            self._send(json.dumps(jobs))
            for _ in jobs:
                line = self._process.stdout.readline()
                if not line.endswith("\n"):
                    return
                answer = json.loads(line)
                if isinstance(answer, dict):
                    raise OSError(f"Decoded pictures cannot be written: {answer['fatal']}.")
                yield answer if isinstance(answer, str) else Original(*answer)
        finally:
            alarm.cancel()

    def _start(self) -> None:
        package = str(Path(__file__).resolve().parents[2])
        inherited = os.environ.get("PYTHONPATH")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, [package, inherited])),
            "OPENBLAS_NUM_THREADS": "1",  # NumPy's threads would only cost start-up time here
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dcgan.data.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what decoders written in C say is not for the screen
            env=environment,
            text=True,
        )
        self._send(self._header)
        if self._process.stdout.readline() != '"ready"\n':
            self._stop()
            raise DataError(
                "The processes that decode pictures do not start. Expected: "
                f"`{sys.executable} -m dcgan.data.worker` waits for input. Run it to see the error."
            )

    def _send(self, line: str) -> None:
        with suppress(BrokenPipeError):  # it has died: its missing answer tells
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _stop(self) -> None:
        """End the process; whatever it was at is not wanted any more."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        with suppress(BrokenPipeError):  # an unsent rest, for nobody
            self._process.stdin.close()
