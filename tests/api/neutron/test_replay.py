"""The answers of a real Neutron, recorded, beside those of this server: every recorded request, on every database."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.neutron.callers import serving
from tests.support.tools import find_contract

IDENTITIES = {
    "admin": ("admin", "proj-0"),
    "manager1": ("manager", "proj-1"),
    "member1": ("member", "proj-1"),
    "reader1": ("reader", "proj-1"),
    "none1": ("none", "proj-1"),
    "manager2": ("manager", "proj-2"),
    "reader2": ("reader", "proj-2"),
}
OWN_PROJECT = "proj-own"


@pytest.mark.timeout(600)
def test_answers_as_neutron_does_or_saner(database: str, tmp_path: Path) -> None:
    contract = find_contract()
    with serving(tmp_path, {**IDENTITIES, "caller": ("admin", OWN_PROJECT)}, database) as callers:
        caller = callers["caller"]
        command = [
            sys.executable,
            str(contract / "neutron_contract.py"),
            f"--base-url={caller.server.url}",
            f"--own-project={OWN_PROJECT}",
            f"--header=X-Auth-Token: {caller.secret}",
            "--wipe",
            "--check-headers",
            f"--compare={contract / 'neutron_expected.json'}",
        ]
        command += [f"--identity={name}=X-Auth-Token: {callers[name].secret}" for name in IDENTITIES]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = [line for line in done.stdout.splitlines() if not line.startswith("NEW ")]
    assert done.returncode == 0, "\n".join(told) + done.stderr
    assert told[-1].endswith(", 0 failed")
