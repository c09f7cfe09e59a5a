"""``venturi up`` without the kernel: the bundled hour passes, and its usage is what other programs counted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from tests.support.sources import PACKAGE, ROOT
from venturi.composition.together import EXAMPLES

CAUGHT_UP = "goes on passing"
SECONDS = 120.0


@contextmanager
def replaying(*options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run a replay, and give it with what it wrote once it has caught up; it is ended as by Ctrl-C."""
    command = [sys.executable, "-m", "venturi", "up", "--replay", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if CAUGHT_UP in line:
                    break
            yield process, lines
        finally:
            process.send_signal(2)
            process.wait(SECONDS)


def test_the_bundled_hour_is_metered_live_as_other_programs_counted_it() -> None:
    with replaying() as (process, lines):
        assert CAUGHT_UP in lines[-1], process.communicate(timeout=SECONDS)
        asked = next(line for line in lines if line.startswith("$ venturi usage")).split()
        url = next(word for line in lines for word in line.split() if word.startswith("http://")).rstrip(",")
        query = {"from": asked[4], "to": asked[6], "group_by": "label,direction", "resolution": "total"}
        report = urllib3.request("GET", f"{url}/v1/usage", fields=query).json()
        shown = subprocess.run([sys.executable, "-m", "venturi", "status", "--url", url], capture_output=True, text=True, check=True).stdout
    counted = {(row["label_name"], row["direction"]): (row["packets"], row["octets"]) for row in report["intervals"][0]["usage"]}
    assert counted == expected_usage()
    assert "agents    1 that only posts, without a status" in shown.splitlines()
    assert process.returncode == 0
    assert missing_from_readme(lines) == []


def test_a_capture_in_which_nothing_crosses_is_refused(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text('inside: ["192.0.2.1/32"]\nlabels: [{name: a, rules: [{direction: egress, source_ip_prefix: 192.0.2.1/32}]}]\n')
    with replaying("--capture", str(EXAMPLES / "office.pcap.zst"), "--rules", str(rules)) as (process, _):
        _, wrong = process.communicate(timeout=SECONDS)
    assert process.returncode == 4
    assert "no packet crosses the edge of the network" in wrong
    assert "Traceback" not in wrong


def expected_usage() -> dict[tuple[str, str], tuple[int, int]]:
    """Give what tshark counted for each label of the bundled rules."""
    labels = json.loads((PACKAGE / "examples" / "totals.json").read_text(encoding="utf-8"))["labels"]
    return {
        (name, direction): (counts["packets"], counts["octets"])
        for name, directions in labels.items()
        for direction, counts in directions.items()
        if counts["packets"]
    }


def missing_from_readme(lines: list[str]) -> list[str]:
    """List the lines of the README's table that were not shown."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("$ make run\n")[1].split("```")[0]
    return [line for line in block.splitlines() if line not in {"…", ""} and line.rstrip() not in {shown.rstrip() for shown in lines}]


@pytest.mark.parametrize("option", ["--capture", "--rules"])
def test_capture_and_rules_go_together(option: str) -> None:
    command = [sys.executable, "-m", "venturi", "up", option, "x"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "go together" in refused.stderr
