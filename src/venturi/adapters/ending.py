"""The end of a program, as a signal calls for it.

Owns the flag. Setting it takes no lock, which the signal may have interrupted the taking of.
"""

import time

_LOOK_SECONDS = 0.2


class Ending:
    """Whether a program is to end; ``call`` for it from any thread and from a signal handler."""

    def __init__(self) -> None:
        self.called = False

    def call(self) -> None:
        """Have the program end."""
        self.called = True

    def wait(self, seconds: float) -> bool:
        """Sleep for so long, or until soon after the end is called for; tell whether it is."""
        deadline = time.monotonic() + seconds
        while not self.called and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))
        return self.called
