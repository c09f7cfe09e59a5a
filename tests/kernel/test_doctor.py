"""The doctor names what can count on this host and what would pass uncounted, for people and programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.kernel.router import OUTER, Router, run
from tests.support.tools import needs
from venturi.adapters.network.namespaces import NAMESPACE_FOLDER, list_devices
from venturi.core.domain.errors import DriverError

pytestmark = [pytest.mark.root, needs("ip", "nft")]


def examine(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    return subprocess.run((sys.executable, "-m", "venturi", "doctor", *options), capture_output=True, text=True, check=False)


def test_programs_are_told_everything(own_router: Router) -> None:
    run("ip", "-n", own_router.namespace, "link", "add", "br7", "type", "bridge")
    run("ip", "-n", own_router.namespace, "link", "set", OUTER, "master", "br7")
    finished = examine("-f", "json")
    assert (finished.returncode, finished.stderr) == (0, "")
    told = json.loads(finished.stdout)
    answers = {(row["driver"], row["hook"]): row["answer"] for row in told["drivers"]}
    assert answers["nftables", "netfilter"] == "yes"
    assert answers["nftables", "tc"] == "no"
    assert all(row["because"] and row["remedy"] for row in told["drivers"])
    assert told["takes"] == ("ebpf" if answers["ebpf", "netfilter"] == "yes" else "nftables")
    assert told["takes_at_tc"] == "ebpf" or answers["ebpf", "tc"] != "yes"
    assert "CAP_NET_ADMIN" in told["host"]["capabilities"]
    (found,) = (row for row in told["bypasses"] if row["namespace"] == own_router.namespace)
    assert (found["device"], "the bridge 'br7'" in found["because"]) == (OUTER, True)


def test_people_are_shown_the_same() -> None:
    finished = examine()
    assert finished.returncode == 0
    assert "nftables  netfilter  yes" in finished.stdout
    host = finished.stdout.split("\n\n")[0].splitlines()[2:]
    assert [line for line in host if len(line.split(maxsplit=1)) < 2] == []
    assert "no driver can count on this host" not in finished.stdout


def test_each_no_has_its_remedy(tmp_path: Path) -> None:
    """Without a file system of BPF, and without rights."""
    config = tmp_path / "venturi.toml"
    config.write_text(f"[agent]\nbpffs = '{tmp_path}'\nmount_bpffs = false\n")
    rows = {(row["driver"], row["hook"]): row for row in json.loads(examine("--config", str(config), "-f", "json").stdout)["drivers"]}
    for hook in ("netfilter", "tc"):
        told = rows["ebpf", hook]
        if "clang" not in told["because"]:
            assert (told["answer"], told["remedy"]) == ("no", f"mount one: mount -t bpf bpf {tmp_path}")
    assert rows["nftables", "netfilter"]["remedy"] == "none needed"
    asked = (sys.executable, "-m", "venturi", "doctor", "-f", "json")
    without = subprocess.run(("setpriv", "--inh-caps=-all", "--bounding-set=-all", *asked), capture_output=True, text=True, check=False)
    assert without.returncode == DriverError.exit_code
    told = json.loads(without.stdout)
    assert [row["answer"] for row in told["drivers"]] == ["no"] * 4
    assert all("CAP_NET_ADMIN" in row["remedy"] for row in told["drivers"] if row["driver"] == "nftables" and row["hook"] == "netfilter")
    assert told["takes"] == "none: no driver can count at the hook 'netfilter', for the reasons below"


def test_a_device_whose_name_is_no_text_is_one_like_others(own_router: Router) -> None:
    strange = b"up\xff0".decode(errors="surrogateescape")
    run("ip", "-n", own_router.namespace, "link", "add", strange, "type", "bridge")
    assert examine().returncode == 0
    assert {device.name for device in list_devices(own_router.namespace)} >= {OUTER, r"up\xff0"}


@needs("unshare", "setpriv")
def test_namespaces_that_may_not_be_looked_at_are_told_in_a_sentence(own_router: Router) -> None:
    assert own_router.namespace
    hide = f"mount -t tmpfs -o mode=700,uid=1 none {NAMESPACE_FOLDER}"
    asked = f"exec setpriv --inh-caps=-all,+net_admin --bounding-set=-all,+net_admin {sys.executable} -m venturi doctor"
    finished = subprocess.run(("unshare", "-m", "sh", "-c", f"{hide} && {asked}"), capture_output=True, text=True, check=False)
    assert finished.returncode == DriverError.exit_code
    assert finished.stderr == f"venturi: the network namespaces in {NAMESPACE_FOLDER} cannot be listed: Permission denied\n"
