"""A command at a terminal, which a test watches, answers and holds up while it works.

Owns the terminal and the holding up, which makes any work as long as a test needs. What must be shown is for the test.
"""

import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

_LOOKS = frozenset({"NO_COLOR", "PAGER", "LESS", "COLUMNS", "LINES"})
"""Variables that would change what is shown."""

_SECONDS = 60.0


class TerminalCommand:
    """A command that runs at a terminal; ``shown`` is all that it wrote there so far, control sequences included."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.shown = ""
        self._process = process
        self._terminal = terminal

    def wait_for(self, words: str) -> None:
        """Wait until these words are shown."""
        deadline = time.monotonic() + _SECONDS
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._read(), f"'{words}' was not shown before the end of\n{self.shown}"

    def answer(self, line: str) -> None:
        """Type a line."""
        os.write(self._terminal, f"{line}\n".encode())

    def hold_up(self, path: Path, seconds: float) -> None:
        """Stop the command for so long as soon as it has opened or loaded the file at ``path``; what it does then goes on afterwards."""
        deadline = time.monotonic() + _SECONDS
        while not self._uses(str(path)):
            assert self._process.poll() is None, f"the command ended without the file\n{self.shown}"
            assert time.monotonic() < deadline, self.shown
            self._read(0.0)
        with stopped(self._process.pid):
            time.sleep(seconds)

    def end(self) -> int:
        """Read to the end, and give the exit code."""
        while self._read():
            pass
        return self._process.wait(_SECONDS)

    def _read(self, seconds: float = 1.0) -> bool:
        """Read what is there or comes within so long; tell whether more may come. What is not read holds the command up."""
        if not select.select([self._terminal], [], [], seconds)[0]:
            return True
        try:
            octets = os.read(self._terminal, 65_536)
        except OSError:
            return False
        self.shown += octets.decode(errors="replace")
        return bool(octets)

    def _uses(self, path: str) -> bool:
        folder = Path(f"/proc/{self._process.pid}")
        return path in (folder / "maps").read_text(encoding="utf-8") or any(_target(each) == path for each in (folder / "fd").iterdir())


def _target(link: Path) -> str:
    """Give what a file descriptor is open on; empty for one that was closed meanwhile."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


@contextmanager
def at_terminal(command: Sequence[str], *, size: tuple[int, int] = (50, 80), **environment: str) -> Iterator[TerminalCommand]:
    """Run a command at a terminal of so many lines and columns, with more in its environment; it is killed if it still runs at the end."""
    terminal, inner = pty.openpty()
    ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    surroundings = {**{name: text for name, text in os.environ.items() if name not in _LOOKS}, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=surroundings, start_new_session=True)
    os.close(inner)
    try:
        yield TerminalCommand(process, terminal)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """Stop a process for as long as the block runs."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)
