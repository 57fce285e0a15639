"""Output of the command line: safe streams, one-line notes, progress bars and usage errors."""

import argparse
import difflib
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from dcgan.cli.flags import with_flags
from dcgan.errors import RunError

CLOSED = {errno.EINVAL} if os.name == "nt" else {errno.EPIPE}  # of writing to a closed pipe


class SafeStream:
    """A text stream that falls silent, and raises nothing, once nobody reads it.

    Args:
        stream: the stream, or None where the process has none.
        ignores_all: whether any error means that nobody reads it, or only that of a closed pipe.
    """

    def __init__(self, stream: Any, ignores_all: bool = False):
        self.stream = open(os.devnull, "w") if stream is None or stream.closed else stream
        self.ignores_all = ignores_all

    def write(self, text: str) -> int:
        try:
            return self.stream.write(text)
        except OSError as error:
            self._silence(error)
            return len(text)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except OSError as error:
            self._silence(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def _silence(self, error: OSError) -> None:
        if not self.ignores_all and error.errno not in CLOSED:
            raise error
        # Under the old number too, since what is still buffered is written when Python exits
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)


@contextmanager
def safe_streams() -> Iterator[None]:
    """Let a reader of stdout or stderr go away, or be missing, without any harm to the work.

    Other errors of stdout are raised, since results that do not fit on the disk are lost.
    """
    before = sys.stdout, sys.stderr
    stdout = SafeStream(sys.stdout)
    sys.stdout, sys.stderr = stdout, SafeStream(sys.stderr, True)  # type: ignore[assignment]
    try:
        yield
    finally:
        stdout.ignores_all = True  # a verb has flushed its results by now
        stdout.flush()
        sys.stdout, sys.stderr = before


def say(line: str) -> None:
    """Print a line that is no result."""
    print(line, file=sys.stderr)


def progress_bar(**options: Any) -> Any:
    """A progress bar on stderr, shown only if the work takes more than two seconds.

    Where there is no terminal, it is written anew each half minute only.
    """
    from tqdm import tqdm

    seconds = 0.1 if sys.stderr.isatty() else 30
    return tqdm(delay=2, mininterval=seconds, file=sys.stderr, leave=False, **options)


@contextmanager
def writing(flag: str, path: object) -> Iterator[None]:
    """Say in one sentence what of a flag could not be written.

    Raises:
        RunError: in place of any OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"Cannot write {flag} {str(path)!r}: {reason}.") from error


def find_model(name: str) -> str:
    """The model file at a path, in a run folder, or in the folder of a run of that name.

    A run that is still training has no last.dcgan yet, but a best.dcgan.
    """
    if not Path(name).is_file():
        for folder in (Path(name), Path("Results") / name):
            for model in (folder / "last.dcgan", folder / "best.dcgan"):
                if model.is_file():
                    return str(model)
    return name


def find_run(name: str) -> Path:
    """The run folder at a path, or the run of that name in Results.

    Raises:
        RunError: there is none.
    """
    from dcgan.storage.run_folder import read_run  # imports NumPy, of which help has no need

    for folder in (Path(name), Path("Results") / name):
        if read_run(folder) is not None:
            return folder
    raise RunError(f"There is no run at {name!r}, or of that name in Results.")


@contextmanager
def log_lines() -> Iterator[None]:
    """Show what the library logs, each message in one line, with the flags of what it names."""
    logger, handler = logging.getLogger("dcgan"), _LogLines()
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class Terminated(BaseException):
    """SIGTERM came while there was nothing to save."""


@contextmanager
def end_on_sigterm() -> Iterator[None]:
    """Raise `Terminated` on SIGTERM; a training that has begun saves its state instead."""

    def terminate(number: int, frame: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():  # Python allows no handlers
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


class _LogLines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(with_flags(record.getMessage()))


class Parser(argparse.ArgumentParser):
    """A parser that answers a wrong command in two lines."""

    def __init__(self, **options: Any):
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options
        )

    def words(self) -> str:
        """The arguments in short: `MODEL --out FILE [options]`."""
        words, flags, optional = [], [], ""
        for action in self._actions[1:]:  # after --help
            if not action.option_strings:
                words.append(f"[{action.metavar}]" if action.nargs == "?" else f"{action.metavar}")
            elif action.required:
                flags.append(f"{action.option_strings[0]} {action.metavar}")
            elif action.help != argparse.SUPPRESS:
                optional = "[options]"
        return " ".join([*words, *flags, optional]).strip()

    def error(self, message: str) -> NoReturn:
        """End with exit code 2, and two lines: what is wrong, and the flag that may be meant."""
        meant = None
        if message.startswith("unrecognized"):
            flags = [flag for action in self._actions for flag in action.option_strings]
            words = [word.split("=")[0] for word in message.split() if word.startswith("-")]
            close = (difflib.get_close_matches(word, flags, n=1) for word in words)
            meant = next((found[0] for found in close if found), None)
        self.refuse(message, meant)

    def refuse(self, message: str, meant: str | None) -> NoReturn:
        """End with exit code 2 and these words."""
        hint = f"Did you mean {meant}? " if meant else ""
        say(f"{self.prog}: {message}\n{hint}See {self.prog} --help")
        raise SystemExit(2)
