"""Whatever lets packets of a device pass uncounted is found, and nothing else is."""

import subprocess

import pytest

from tests.support.kernel.router import OUTER, Router
from tests.support.tools import needs
from venturi.adapters.network.bypass import find_bypasses

pytestmark = [pytest.mark.root, needs("ip", "nft", "tc")]

_REDIRECT = f"tc filter add dev {OUTER} ingress protocol ip u32 match u32 0 0 action mirred egress redirect dev inner0"
_MIRROR = f"tc filter add dev {OUTER} egress protocol ip u32 match u32 0 0 action mirred egress mirror dev inner0"
_FLOWTABLE = f"nft add table inet t ; add flowtable inet t fast {{ hook ingress priority 0 ; devices = {{ {OUTER} }} ; }}"

BYPASSES = {
    "nothing": ([], []),
    "a bridge that has the device": (
        ["ip link add br7 type bridge", f"ip link set {OUTER} master br7"],
        [f"'{OUTER}' is a port of the bridge 'br7', which passes packets on below the network layer"],
    ),
    "a bridge that has another device": (["ip link add br7 type bridge", "ip link set inner0 master br7"], []),
    "a redirecting filter": (
        [f"tc qdisc add dev {OUTER} clsact", _REDIRECT],
        [f"'{OUTER}' has a tc filter that redirects packets to another device"],
    ),
    "a mirroring filter": ([f"tc qdisc add dev {OUTER} clsact", _MIRROR], []),
    "a flowtable": ([_FLOWTABLE], [f"'{OUTER}' is in the flowtable 'fast' of nftables, which passes on what it knows"]),
}


@pytest.mark.parametrize(("commands", "sentences"), BYPASSES.values(), ids=BYPASSES)
def test_bypasses(commands: list[str], sentences: list[str], own_router: Router) -> None:
    for command in commands:
        inside = ("ip", "netns", "exec", own_router.namespace, *command.split())
        finished = subprocess.run(inside, capture_output=True, text=True, check=False)
        if command == _FLOWTABLE and "No such file" in finished.stderr:
            pytest.skip("the kernel has no flowtables (CONFIG_NF_FLOW_TABLE)")
        assert finished.returncode == 0, finished.stderr
    assert find_bypasses(own_router.namespace, OUTER) == sentences


def test_a_device_that_is_not_there(own_router: Router) -> None:
    assert find_bypasses(own_router.namespace, "outer9") == []
