"""The real OpenStack clients as processes of their own: the ``openstack`` shell, openstacksdk and neutronclient.

Owns starting them, asking and reading answers. They live in an environment of their own (``scripts/openstack-tools``), so nothing of
them is imported here.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.tools import OPENSTACK_PROGRAMS

_PROGRAMS = Path(__file__).parents[1] / "openstack" / "programs"
_END_OF_ANSWER = "@end-of-answer@"
_STOP_SECONDS = 20


class CallFailedError(Exception):
    """A call of a client library raised; ``kind`` is the class that it raised, the text is what it said."""

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(f"{kind}: {told}")
        self.kind = kind


class OpenstackShell:
    """One ``openstack`` process that takes command after command, as it does from a person: starting it takes longer than any command."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: str) -> str:
        """Give all that a command prints, errors too."""
        _write(self._process, f"{command}\n!echo {_END_OF_ANSWER}")
        lines: list[str] = []
        for line in self._process.stdout or ():
            if line.rstrip("\n") == _END_OF_ANSWER:
                return "".join(lines).rstrip("\n")
            lines.append(line)
        raise AssertionError("the openstack client ended:\n" + "".join(lines))

    def read(self, command: str) -> Any:  # noqa: ANN401 - whatever JSON says
        """Run a command with JSON as its output and give what that says."""
        told = self.run(f"{command} -f json")
        try:
            return json.loads(told)
        except ValueError:
            message = f"'{command}' printed no JSON but: {told}"
            raise AssertionError(message) from None


class ClientCalls:
    """One Python process of the OpenStack environment, in which openstacksdk or neutronclient is called by name."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, call: str, *positional: object, **named: object) -> Any:  # noqa: ANN401 - whatever JSON says
        """Give what a call returns; iterators as lists, resources as mappings. Raise ``CallFailedError`` if it raised."""
        _write(self._process, json.dumps({"call": call, "positional": positional, "named": named}))
        answer = json.loads((self._process.stdout and self._process.stdout.readline()) or "{}")
        if "returned" in answer:
            return answer["returned"]
        raise CallFailedError(answer.get("kind", "no answer"), answer.get("told", f"the client ended with {self._process.poll()}"))


def without_authentication(url: str) -> dict[str, str]:
    """Give the settings with which a client asks a server for which Keystone does not speak."""
    return {"OS_AUTH_TYPE": "none", "OS_ENDPOINT": url}


@contextmanager
def running_shell(settings: Mapping[str, str]) -> Iterator[OpenstackShell]:
    """Run the ``openstack`` shell until the end of the block; ``settings`` are its OS_ variables."""
    with _running([str(OPENSTACK_PROGRAMS / "openstack")], settings, stderr=subprocess.STDOUT) as process:
        yield OpenstackShell(process)


@contextmanager
def running_calls(client: str, settings: Mapping[str, str]) -> Iterator[ClientCalls]:
    """Run ``sdk`` or ``neutronclient`` until the end of the block."""
    command = [str(OPENSTACK_PROGRAMS / "python"), str(_PROGRAMS / "client_calls.py"), client]
    with _running(command, settings) as process:
        yield ClientCalls(process)


def run_once(settings: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run one ``openstack`` command as a process of its own: for its exit code, or for words with blanks, which the shell cannot take."""
    program = str(OPENSTACK_PROGRAMS / "openstack")
    return subprocess.run([program, *words], env=surroundings(settings), capture_output=True, text=True, check=False, timeout=60)


def surroundings(settings: Mapping[str, str]) -> dict[str, str]:
    """Give the environment for a client: no OS_ variable but ``settings``, no proxy, output at once."""
    kept = {name: setting for name, setting in os.environ.items() if not name.startswith("OS_") and not name.lower().endswith("_proxy")}
    return {**kept, "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **settings}


@contextmanager
def _running(command: list[str], settings: Mapping[str, str], stderr: int | None = None) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, bufsize=1, env=surroundings(settings)
    ) as process:
        try:
            yield process
            if process.stdin:
                process.stdin.close()
            process.wait(_STOP_SECONDS)
        finally:
            process.kill()


def _write(process: subprocess.Popen[str], line: str) -> None:
    if process.stdin is None or process.poll() is not None:
        message = f"the client ended with {process.poll()}"
        raise AssertionError(message)
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
