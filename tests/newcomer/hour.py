"""The machine on which the first hour is spent: a copy of this one, booted, with a clone of venturi and packages at hand."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.newcomer.session import Answer, Shell, running_shell
from tests.support.machines.copies import booted_machine
from tests.support.sources import DOCS, ROOT

PAGE = DOCS / "first-hour.md"
# A network behind the machine and one before it: what the page calls the office and the world.
_NETWORKS = """
sysctl -qw net.ipv4.ip_forward=1
hostname edge
for side in office uplink; do
    ip netns add "$side"
    ip link add "$side" type veth peer name eth0 netns "$side"
    ip link set "$side" up
    ip -n "$side" link set eth0 up
done
ip address add 10.1.4.1/24 dev office
ip -n office address add 10.1.4.2/24 dev eth0
ip -n office route add default via 10.1.4.1
ip address add 192.0.2.1/24 dev uplink
ip -n uplink address add 192.0.2.9/24 dev eth0
ip -n uplink route add default via 192.0.2.1
"""


@contextmanager
def typing(folder: Path, packages: Mapping[tuple[str, int], str]) -> Iterator[Callable[[str], Answer]]:
    """Give what types a command at the machine; ``folder`` holds it, and goes with it."""
    with booted_machine(folder) as machine:
        machine.run("sh", "-e", "-c", _NETWORKS)
        brought = [machine.put(Path(package)) for package in packages.values()]
        machine.run("sh", "-e", "-c", 'mkdir ~/dist; ln -s "$0" ~/venturi; mv "$@" ~/dist', str(ROOT), *brought)
        with running_shell(machine.entering) as shell:
            _at_home(shell)
            yield shell.run


def _at_home(shell: Shell) -> None:
    answer = shell.run("cd")
    assert answer.code == 0, answer.shown
