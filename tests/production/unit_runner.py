"""Runs systemd units in a sandbox that has no systemd: the program ``systemctl`` of its hosts, as far as services need it.

Owns reading units with their drop-ins, users, capabilities, state, credentials, sockets, readiness and restarts. What a unit locks away
beyond that (system calls, parts of the file system) is not enforced here. Runs as ``unit_runner.py VERB UNIT...``; the folder of
VENTURI_UNITS holds what it remembers and what services write.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from select import select

STATE = Path(os.environ["VENTURI_UNITS"])
UNIT_FOLDERS = (Path("/etc/systemd/system"), Path("/lib/systemd/system"))
START_SECONDS = 60.0
STOP_SECONDS = 60.0
FIRST_DYNAMIC_USER = 61184
DYNAMIC_USERS = 4000
FIRST_SOCKET = 3

Unit = Mapping[str, list[str]]


def read_unit(name: str) -> dict[str, list[str]]:
    """Read a unit and its drop-ins: the values of each key, in their order (systemd.syntax(7))."""
    paths = [path for folder in UNIT_FOLDERS if (path := folder / name).is_file()][:1]
    if not paths:
        sys.exit(f"Unit {name} not found.")
    paths += sorted(Path("/etc/systemd/system", f"{name}.d").glob("*.conf"))
    unit: dict[str, list[str]] = {}
    for line in (line for path in paths for line in path.read_text(encoding="utf-8").splitlines()):
        key, equals, text = line.partition("=")
        if equals and not line.startswith(("#", ";", "[")):
            unit[key] = [*unit.get(key, []), text] if text else []
    return unit


def last(unit: Unit, key: str, otherwise: str = "") -> str:
    """Give the value of a key that has one."""
    return (unit.get(key) or [otherwise])[-1]


def full_name(name: str) -> str:
    return name if name.endswith((".service", ".socket")) else f"{name}.service"


class Supervisor:
    """Runs one service, and keeps its sockets while it is started anew."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sockets = list(self._listen())
        self.ready = STATE / f"{name}.ready"
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(f"\0{name}-{os.getpid()}")
        self.child: subprocess.Popen[bytes] | None = None
        self.wanted = "start"

    def run(self) -> None:
        """Keep the service running until SIGTERM; SIGHUP starts it anew."""
        signal.signal(signal.SIGTERM, lambda *_: self._want("stop"))
        signal.signal(signal.SIGHUP, lambda *_: self._want("restart"))
        while self.wanted != "stop":
            unit = read_unit(self.name)
            self.wanted = "start"
            self.ready.unlink(missing_ok=True)
            self._spawn(unit)
            self._watch(unit)
            if self.wanted == "start" and last(unit, "Restart", "no") == "no":
                break
            if self.wanted == "start":
                time.sleep(float(last(unit, "RestartSec", "0.1")))

    def _want(self, wanted: str) -> None:
        self.wanted = wanted

    def _listen(self) -> Iterator[socket.socket]:
        """Open the sockets of the service's socket unit, where it requires one."""
        required = f"{self.name.removesuffix('.service')}.socket"
        if required in read_unit(self.name).get("Requires", []):
            for address in read_unit(required)["ListenStream"]:
                host, _, port = address.rpartition(":")
                both = not host
                family = socket.AF_INET6 if both or host.startswith("[") else socket.AF_INET
                yield socket.create_server((host.strip("[]"), int(port)), family=family, backlog=2048, dualstack_ipv6=both)

    def _spawn(self, unit: Unit) -> None:
        user, environment = self._user(unit), self._environment(unit)
        command = shlex.split(last(unit, "ExecStart"))
        command = [part for word in command for part in (shlex.split(environment.get(word[1:], "")) if word.startswith("$") else [word])]
        handed_over = "".join(f"exec {FIRST_SOCKET + place}<&{each.fileno()};" for place, each in enumerate(self.sockets))
        if self.sockets:
            handed_over += f"export LISTEN_PID=$$ LISTEN_FDS={len(self.sockets)};"
        script = f'umask {last(unit, "UMask", "0022")};{handed_over} exec "$@"'
        with (STATE / f"{self.name}.log").open("ab") as log:
            self.child = subprocess.Popen(
                ["bash", "-c", script, self.name, *user, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment,
                pass_fds=[each.fileno() for each in self.sockets],
            )
        if last(unit, "Type") != "notify":
            self.ready.touch()

    def _watch(self, unit: Unit) -> None:
        """Wait until the service ends, by itself or because that is wanted."""
        child = self.child
        deadline = 0.0
        while child is not None and child.poll() is None:
            heard, _, _ = select([self.notices], [], [], 0.1)
            if heard and b"READY=1" in self.notices.recv(4096):
                self.ready.touch()
            if self.wanted != "start" and not deadline:
                child.terminate()
                deadline = time.monotonic() + float(last(unit, "TimeoutStopSec", "90").removesuffix("s"))
            if deadline and time.monotonic() > deadline:
                child.kill()

    def _user(self, unit: Unit) -> list[str]:
        """Give the command before the command: who runs it, with which capabilities."""
        if not self._user_id(unit):
            return []
        kept = "".join(f",+{name.removeprefix('CAP_').lower()}" for name in last(unit, "AmbientCapabilities").split())
        capabilities = [f"--{kind}=-all{kept}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
        user = self._user_id(unit)
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *capabilities, "--no-new-privs"]

    def _user_id(self, unit: Unit) -> str:
        if last(unit, "DynamicUser") == "yes":
            return str(FIRST_DYNAMIC_USER + zlib.crc32(self.name.encode()) % DYNAMIC_USERS)
        return last(unit, "User")

    def _environment(self, unit: Unit) -> dict[str, str]:
        credentials = self._credentials(unit)
        own = {"PATH": os.environ["PATH"], "HOME": "/", "NOTIFY_SOCKET": f"@{self.name}-{os.getpid()}"}
        own |= {"CREDENTIALS_DIRECTORY": str(credentials)} if credentials else {}
        if folder := last(unit, "StateDirectory"):
            state = Path("/var/lib", folder)
            state.mkdir(parents=True, exist_ok=True)
            subprocess.run(["chown", "-R", f"{self._user_id(unit)}:{self._user_id(unit)}", str(state)], check=True)
            state.chmod(int(last(unit, "StateDirectoryMode", "0755"), 8))
            own["STATE_DIRECTORY"] = str(state)
        for text in unit.get("Environment", []):
            assigned = shlex.split(text.replace("%d", str(credentials)).replace("%S", "/var/lib"))
            own |= dict(each.split("=", 1) for each in assigned)
        for place in unit.get("EnvironmentFile", []):
            own |= read_environment_file(Path(place.removeprefix("-")), optional=place.startswith("-"))
        return own

    def _credentials(self, unit: Unit) -> Path | None:
        """Copy the files of LoadCredential where only the service reads them (systemd.exec(5))."""
        folder = STATE / "credentials" / self.name
        for named in unit.get("LoadCredential", []):
            name, _, path = named.partition(":")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
            (folder / name).chmod(0o400)
            subprocess.run(["chown", f"{self._user_id(unit)}:{self._user_id(unit)}", str(folder / name)], check=True)
        return folder if unit.get("LoadCredential") else None


def read_environment_file(path: Path, *, optional: bool) -> dict[str, str]:
    """Read a file of variables (EnvironmentFile in systemd.exec(5))."""
    if optional and not path.exists():
        return {}
    lines = re.sub(r"\\\n", "", path.read_text(encoding="utf-8")).splitlines()
    assigned = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", ";")))
    return {name.strip(): "".join(shlex.split(text)) if text[:1] in {'"', "'"} else text.strip() for name, text in assigned}


def supervisor_of(name: str) -> int | None:
    """Give the process of the supervisor of a service that is running."""
    try:
        process = int((STATE / f"{name}.pid").read_text(encoding="ascii"))
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else process


def start(name: str) -> None:
    """Start a service, and wait until it is ready."""
    if name.endswith(".socket") or supervisor_of(name):
        return
    (STATE / f"{name}.ready").unlink(missing_ok=True)
    command = [sys.executable, __file__, "supervise", name]
    with (STATE / f"{name}.log").open("ab") as log:
        quiet = subprocess.DEVNULL
        child = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=log, start_new_session=True)
    (STATE / f"{name}.pid").write_text(str(child.pid), encoding="ascii")
    await_ready(name)


def await_ready(name: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (STATE / f"{name}.ready").exists():
        if time.monotonic() > deadline or supervisor_of(name) is None:
            sys.exit(f"{name} does not start:\n" + (STATE / f"{name}.log").read_text(encoding="utf-8")[-2000:])
        time.sleep(0.05)


def stop(name: str) -> None:
    """Stop a service, and wait until it has ended."""
    process = supervisor_of(name)
    deadline = time.monotonic() + STOP_SECONDS
    if process is not None:
        os.kill(process, signal.SIGTERM)
    while supervisor_of(name) and time.monotonic() < deadline:
        time.sleep(0.05)
    (STATE / f"{name}.pid").unlink(missing_ok=True)


def restart(name: str) -> None:
    """Start a service anew; what comes to its sockets meanwhile waits."""
    process = supervisor_of(name)
    if process is None:
        start(name)
        return
    (STATE / f"{name}.ready").unlink(missing_ok=True)
    os.kill(process, signal.SIGHUP)
    await_ready(name)


def kill(name: str) -> None:
    """Kill a service; its supervisor lives on."""
    subprocess.run(["pkill", "-KILL", "-P", str(supervisor_of(name))], check=True)


def main(arguments: list[str]) -> None:
    """Do what ``systemctl`` is asked."""
    os.umask(0o022)
    verb, *words = arguments
    names = [full_name(word) for word in words if not word.startswith("-") and word != "KILL"]
    if verb == "supervise":
        Supervisor(names[0]).run()
        return
    actions = {"start": start, "stop": stop, "restart": restart, "kill": kill, "enable": start if "--now" in words else read_unit}
    if verb == "daemon-reload":
        return
    if verb not in actions:
        sys.exit(f"systemctl {verb}: no such verb in this sandbox")
    for name in sorted(names, key=lambda each: each.endswith(".service")):
        actions[verb](name)


if __name__ == "__main__":
    main(sys.argv[1:])
