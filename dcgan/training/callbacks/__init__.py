"""What happens around training? A file for each: clock, progress, samples, log, checkpoints."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger("dcgan")


@contextmanager
def going_on(what: str) -> Iterator[None]:
    """Say that `what` could not be written, and let training go on: a full disk may be emptied."""
    try:
        yield
    except OSError as error:
        logger.error("Not written: %s (%s). Training goes on.", what, error.strerror or error)
