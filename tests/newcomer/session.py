"""A shell as a newcomer has it, at a terminal of 80 columns, and what must be wrong with no answer in it.

Owns the terminal, the reading of commands from a page and the writing of answers into it. Where the shell runs is told by its caller.
"""

import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import ioctl

COLUMNS = 80
# So many lines that nothing is shown page by page.
_LINES = 2000
_SECONDS = 600.0
_TERMINAL = ("TERM=xterm-256color", "PS1=", "PS2=", "VIRTUAL_ENV_DISABLE_PROMPT=1")
_END = re.compile(r"\x1e(\d+)\x1e\r?\n")
# A control sequence of a terminal, the end of a line, or text.
_PART = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9])|[\r\n]|[^\x1b\r\n]+")
_SILENT = re.compile(r"cat >|(?:cd|cp|deactivate|export|ip|sleep|source|systemctl)\b")
_OURS = re.compile(r"(?:^|[\s(])(?:venturi(?:-agent)? |make )")
_FAULTS = ("Traceback (most recent call last)", "No such command", "command not found")
_PROMPT = "root@edge# "
_BLOCK = re.compile(r"(?s)(?<=```console\n)(.*?)(?=```)")


@dataclass(frozen=True)
class Answer:
    """What a shell answered to a command: its exit code and what it showed, without colours."""

    command: str
    code: int
    shown: str

    def faults(self) -> list[str]:
        """Say what a newcomer would stumble over."""
        found = [f"'{fault}' is shown" for fault in _FAULTS if fault in self.shown]
        if self.code:
            found.append(f"the exit code is {self.code}")
        if not self.shown.strip() and not _SILENT.match(self.command):
            found.append("nothing is shown")
        if _OURS.search(self.command):
            found += [f"a line has {len(line)} columns: {line}" for line in self.shown.splitlines() if len(line) > COLUMNS]
        return found


class Shell:
    """A bash at a terminal; its environment holds what a login gives and nothing else."""

    def __init__(self, entering: Sequence[str]) -> None:
        """Start it, by ``entering`` words before its own command."""
        self._terminal, inner = pty.openpty()
        ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, COLUMNS, 0, 0))
        settings = termios.tcgetattr(inner)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(inner, termios.TCSANOW, settings)
        environment = ("env", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *_TERMINAL)
        command = (*entering, *environment, "bash", "--noprofile", "--norc", "--noediting")
        self._shell = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, start_new_session=True)
        os.close(inner)

    def run(self, command: str) -> Answer:
        """Type a command and wait for its end; raises ``TimeoutError`` with what was shown until then."""
        os.write(self._terminal, f"{command}\nprintf '\\x1e%d\\x1e\\n' $?\n".encode())
        shown, deadline = "", time.monotonic() + _SECONDS
        while not (end := _END.search(shown)):
            if time.monotonic() > deadline:
                raise TimeoutError(command, shown)
            if select.select([self._terminal], [], [], 1.0)[0]:
                shown += os.read(self._terminal, 65_536).decode(errors="replace")
        return Answer(command, int(end[1]), _visible(shown[: end.start()]))

    def end(self) -> None:
        """End the shell and take its terminal away."""
        self._shell.kill()
        self._shell.wait()
        os.close(self._terminal)


@contextmanager
def running_shell(entering: Sequence[str]) -> Iterator[Shell]:
    """Give a shell that ends with the context."""
    shell = Shell(entering)
    try:
        yield shell
    finally:
        shell.end()


def read_answers(page: str) -> list[Answer]:
    """Give the commands of a page, each with what the page shows after it; all of them are taken to have succeeded."""
    return [Answer(command, 0, shown) for block in _BLOCK.findall(page) for command, shown in _split(block)]


def renew(page: str, answer: Callable[[str], Answer]) -> str:
    """Give the page with what ``answer`` gives for each of its commands, one after the other."""

    def answered(block: re.Match[str]) -> str:
        return "".join(_typed(command) + _ended(answer(command).shown) for command, _ in _split(block[0]))

    return _BLOCK.sub(answered, page)


def _split(block: str) -> Iterator[tuple[str, str]]:
    """Tell commands and what is shown apart: a command follows the prompt, its further lines ``>``."""
    for part in re.split(rf"(?m)^{_PROMPT}", block)[1:]:
        lines = part.splitlines(keepends=True)
        more = next((number for number, line in enumerate(lines[1:], 1) if not line.startswith(">")), len(lines))
        further = "".join(f"\n{line.removeprefix('>').removeprefix(' ').rstrip()}" for line in lines[1:more])
        yield lines[0].rstrip("\n") + further, "".join(lines[more:])


def _typed(command: str) -> str:
    first, *more = command.split("\n")
    return "".join([f"{_PROMPT}{first}\n", *(f"> {line}".rstrip() + "\n" for line in more)])


def _ended(shown: str) -> str:
    return f"{shown.rstrip()}\n" if shown.strip() else ""


def _visible(shown: str) -> str:
    """Give what remains on the screen, without styles: what was erased or written over is gone."""
    lines, row, column = [""], 0, 0
    for part in _PART.findall(shown):
        if part == "\r":
            column = 0
        elif part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row == len(lines))
        elif part.endswith("A") and part.startswith("\x1b["):
            row = max(row - int(part[2:-1] or 1), 0)
        elif part.endswith("K") and part.startswith("\x1b["):
            lines[row] = "" if part == "\x1b[2K" else lines[row][:column]
        elif not part.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return "\n".join(line.rstrip() for line in lines)
