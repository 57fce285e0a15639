"""Requests to stop a training: Ctrl-C, and what schedulers and `kill` send."""

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C; what schedulers and `kill` send


class StopRequest:
    """While active, a first SIGINT or SIGTERM is only noted, and a second one ends at once.

    Whoever trains looks at `requested` between two steps, saves, and calls `leave`. In a thread
    other than the main one, where Python allows no handlers, it is inert.

    Examples:
        >>> with StopRequest() as stop:
        ...     while not stop.requested:
        ...         train_a_step()
        ...     save()
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._previous: dict[signal.Signals, Any] = {}

    @property
    def requested(self) -> bool:
        return self.signal is not None

    def leave(self) -> None:
        """End as the signal would have: raises KeyboardInterrupt or SystemExit."""
        if self.signal == signal.SIGINT:
            raise KeyboardInterrupt
        if self.signal is not None:
            raise SystemExit(128 + self.signal)

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        while self._previous:
            number, handler = self._previous.popitem()
            # None stands for a handler that was not made by Python and cannot be given back
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        again, self.signal = self.requested, signal.Signals(number)
        if again:
            self.__exit__()
            self.leave()
