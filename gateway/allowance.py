"""How often something may be done: so many times at once, and so many a second."""

import threading
from collections.abc import Callable


class Allowance:
    """A token bucket. Threads may share it."""

    def __init__(self, per_second: float, at_once: float, clock: Callable[[], float]) -> None:
        """Begin with all that may be done at once.

        Args:
            clock: in seconds, and never going back.
        """
        self._rate, self._most, self._clock = per_second, at_once, clock
        self._left, self._then = at_once, clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether it may be done once more now."""
        with self._lock:
            now = self._clock()
            self._left = min(self._left + (now - self._then) * self._rate, self._most)
            self._then = now
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def give_back(self) -> None:
        """Let what was taken count for nothing."""
        with self._lock:
            self._left = min(self._left + 1, self._most)
