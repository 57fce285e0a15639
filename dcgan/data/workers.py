"""Decoding thousands of files in several processes, any of which may crash or hang.

Each process is a program of its own, this file. Unlike a fork it cannot inherit the threads of a
framework, unlike `multiprocessing` it does not run the caller's script again, and a decoder that
crashes takes only its process with it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dcgan.data.decode import BYTES_PER_PIXEL, MAX_PIXELS, Original, Unusable, decode_file
from dcgan.data.memory import free_memory
from dcgan.data.target import Target
from dcgan.errors import DataError

MAX_CHUNK_FILES = 64  # files sent at once: talking costs little beside decoding
CHUNKS_EACH = 8  # at least, for each worker: so that all end at about the same time
PATIENCE_SECONDS = 120  # for a chunk; one that takes longer is tried again file by file
MAX_WORKERS = 16
WORKER_BYTES = 60_000_000  # of one before it decodes
SMALL_BYTES = 26_000_000  # an image of a megapixel is decoded however little memory there is

Outcome = Original | str  # what a file was, or why it is of no use


def decode_all(
    paths: list[str], target: Target, pixels_path: Path, done: Callable[[int], None]
) -> list[Outcome]:
    """Decode `paths` with one process per core; image i goes to slot i of the pixel file.

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
    count = min(available_cores(), MAX_WORKERS, len(paths))
    count, memory = share_memory(count)
    size = max(1, min(MAX_CHUNK_FILES, len(paths) // (count * CHUNKS_EACH)))
    chunks = iter([range(i, min(i + size, len(paths))) for i in range(0, len(paths), size)])
    header = json.dumps({"target": asdict(target), "path": str(pixels_path), "memory": memory})
    stopping, lock = threading.Event(), threading.Lock()

    def drive() -> None:
        with closing(_Worker(header, stopping)) as worker:
            while not stopping.is_set():
                with lock:
                    chunk = next(chunks, range(0))
                if not chunk:
                    return
                answers = worker.decode([(slot, paths[slot]) for slot in chunk])
                outcomes[chunk.start : chunk.start + len(answers)] = answers
                done(len(chunk))

    with ThreadPoolExecutor(count) as threads:
        try:
            for finished in [threads.submit(drive) for _ in range(count)]:
                finished.result()
        finally:  # also on Ctrl-C, or when one of them failed: the others need not go on
            stopping.set()
    return outcomes


def share_memory(count: int) -> tuple[int, int | None]:
    """How many of `count` workers to start, and the bytes that each may take to decode an image.

    Together they take half of the free memory at most: fewer workers, so that each can decode the
    largest image, and where one alone cannot, no such image.
    """
    free = free_memory()
    if free is None:
        return count, None
    largest = WORKER_BYTES + MAX_PIXELS * BYTES_PER_PIXEL
    count = max(1, min(count, free // 2 // largest))
    return count, max(SMALL_BYTES, free // 2 // count - WORKER_BYTES)


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
        self._start()

    def decode(self, jobs: list[tuple[int, str]]) -> list[Outcome]:
        """Outcomes of (slot, path) pairs, in order. A file that ends the process is named."""
        answer = self._ask(jobs)
        if answer is not None or self._stopping.is_set():
            return answer or []
        self.close()
        self._start()
        if len(jobs) == 1:
            return ["its decoder crashed, or took too long"]
        return [outcome for job in jobs for outcome in self.decode([job])]  # which one was it?

    def _ask(self, jobs: list[tuple[int, str]]) -> list[Outcome] | None:
        """What the process says of these jobs; None if it dies of one, or is out of time."""
        alarm = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            self._send(json.dumps(jobs))
            line = self._output.readline()
        finally:
            alarm.cancel()
        if not line.endswith("\n"):
            return None
        answer = json.loads(line)
        if isinstance(answer, dict):
            raise OSError(f"Decoded images cannot be written: {answer['fatal']}.")
        return [each if isinstance(each, str) else Original(*each) for each in answer]

    def _start(self) -> None:
        package = str(Path(__file__).resolve().parents[2])
        inherited = os.environ.get("PYTHONPATH")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, [package, inherited])),
            "OPENBLAS_NUM_THREADS": "1",  # NumPy's threads would only cost start-up time here
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dcgan.data.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what decoders written in C say is not for the screen
            env=environment,
            text=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise DataError("The processes that decode images have no pipes.")
        self._input, self._output = self._process.stdin, self._process.stdout
        self._send(self._header)
        if self._output.readline() != '"ready"\n':
            self.close()
            raise DataError(
                "The processes that decode images do not start. Expected: "
                f"`{sys.executable} -m dcgan.data.workers` waits for input. Run it to see why."
            )

    def _send(self, line: str) -> None:
        with suppress(OSError):  # it has died (Windows: EINVAL): its missing answer tells
            self._input.write(line + "\n")
            self._input.flush()

    def close(self) -> None:
        """End the process, even in the middle of its work."""
        self._process.kill()
        self._process.wait()
        self._output.close()
        with suppress(OSError):  # an unsent rest, for nobody
            self._input.close()


def main() -> None:
    """The decoding process: reads names, writes pixels into a file, and answers each line.

    First line: where to write and what to make. Then a line of [slot, path] pairs each time.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program; this ends with stdin
    settings = json.loads(sys.stdin.readline())
    background = tuple(settings["target"].pop("background"))
    target = Target(**settings["target"], background=background)
    memory = settings["memory"]
    with open(settings["path"], "r+b", buffering=0) as file:
        _say("ready")
        for line in sys.stdin:
            try:
                _say([_decode_into(file, job, target, memory) for job in json.loads(line)])
            except OSError as error:  # not of the images: those are caught in `decode_file`
                _say({"fatal": error.strerror or str(error)})


def _decode_into(
    file: BinaryIO, job: tuple[int, str], target: Target, memory: int | None
) -> Outcome:
    """What the file was, or why it is of no use."""
    try:
        pixels, original = decode_file(job[1], target, memory)
    except Unusable as reason:
        return str(reason)
    file.seek(job[0] * pixels.nbytes)
    if file.write(np.ascontiguousarray(pixels).data) != pixels.nbytes:
        raise OSError("the disk is full")
    return original


def _say(answer: list[Any] | str | dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
