"""A decoding process: it reads names, writes pixels into a file, and answers each line.

Started by `workers.py` as a program of its own. Unlike a fork it cannot inherit the threads of a
framework, unlike `multiprocessing` it does not run the caller's script again, and a decoder that
crashes takes only this process with it.
"""

import json
import signal
import sys
from typing import Any, BinaryIO

import numpy as np

from dcgan.data.decode import Original, Unusable, decode_file
from dcgan.data.target import Target


def main() -> None:
    """First line: where to write and what to make. Then a line of [slot, path] pairs each time."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program; this ends with stdin
    settings = json.loads(sys.stdin.readline())
    background = tuple(settings["target"].pop("background"))
    target = Target(**settings["target"], background=background)
    with open(settings["path"], "r+b", buffering=0) as file:
        _say("ready")
        for line in sys.stdin:
            try:
                _say([_decode_into(file, slot, path, target) for slot, path in json.loads(line)])
            except OSError as error:  # not of the images: those are caught in `decode_file`
                _say({"fatal": error.strerror or str(error)})


def _decode_into(file: BinaryIO, slot: int, path: str, target: Target) -> Original | str:
    """What the file was, or why it is of no use."""
    try:
        pixels, original = decode_file(path, target)
    except Unusable as reason:
        return str(reason)
    file.seek(slot * pixels.nbytes)
    if file.write(np.ascontiguousarray(pixels).data) != pixels.nbytes:
        raise OSError("the disk is full")
    return original


def _say(answer: list[Any] | str | dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
