"""Requests to stop a training: Ctrl-C, and what schedulers and `kill` send."""

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C; what schedulers and `kill` send


class StopRequest:
    """While active, a first SIGINT or SIGTERM is only noted, and a second one ends at once.

    Whoever trains looks at `requested` between two steps, saves, and leaves with `exit_code`. In a
    thread other than the main one, where Python allows no handlers, it is inert.

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

    @property
    def exit_code(self) -> int:
        """The exit status that shells expect: 130 after Ctrl-C, 143 after SIGTERM, else 0."""
        return 128 + self.signal if self.signal is not None else 0

    def leave(self) -> None:
        """End as the signal would have: raises KeyboardInterrupt or SystemExit."""
        if self.exit_code == 130:
            raise KeyboardInterrupt
        raise SystemExit(self.exit_code)

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
        if self.signal is None:
            self.signal = signal.Signals(number)
            return
        self.__exit__()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)
