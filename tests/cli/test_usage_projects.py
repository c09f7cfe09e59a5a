"""``venturi usage`` by project: each packet once, beside what the points counted, and stacked only where that is a partition."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.ledger.test_project_usage import LABELS, OVERLAPPING
from tests.support.batches import SpoolOfTests, make_interval
from tests.support.databases import new_database, open_store
from tests.support.ledgers import LedgerOfTests
from tests.support.server import ServerProcess, running_server

Venturi = Callable[..., str]
FIVE = ("usage", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T00:05:00Z")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose ledger holds packets that own labels of two projects and a shared one count; later ones are of an older agent."""
    folder = tmp_path_factory.mktemp("shared")
    database = new_database(folder)
    with open_store(database) as store:
        LedgerOfTests(store).post(SpoolOfTests(labels=LABELS).seal(OVERLAPPING, make_interval(100, usage=[(0, 0, 1, 100), (1, 0, 1, 100)])))
    with running_server(folder, database=database) as running:
        yield running


def test_the_table_has_what_was_counted_once(venturi: Venturi) -> None:
    printed = venturi(*FIVE, "--group-by", "project")
    assert [line.split(" %")[0].split() for line in printed.splitlines()[4:8]] == [
        ["p3", "shared", "8", "800", "B", "80.0"],
        ["p1", "own", "5", "500", "B", "200", "B", "50.0"],
        ["p2", "own", "4", "400", "B", "100", "B", "40.0"],
        ["total", "10", "1.00", "kB", "100.0"],
    ]
    assert "Labels may overlap" not in printed


def test_what_was_added_up_is_said(venturi: Venturi) -> None:
    later = ("usage", "--from", "2026-01-01T01:40:00Z", "--to", "2026-01-01T01:45:00Z", "--group-by", "project")
    assert venturi(*later).splitlines()[-1] == "Labels may overlap: a packet may be in some figures several times."


def test_a_chart_of_projects_stacks_a_partition(venturi: Venturi, tmp_path: Path) -> None:
    asked = (*FIVE, "--resolution", "5m", "--group-by", "project")
    venturi(*asked, "--chart", str(tmp_path / "usage.html"))
    text = (tmp_path / "usage.html").read_text(encoding="utf-8")
    rows = _values(text)
    assert {row["label"]: row["octets"] for row in rows} == {
        "p1": 200,
        "p2": 100,
        "several projects": 300,
        "shared labels": 200,
        "unmatched": 100,
        "unattributed": 100,
    }
    assert "not stacked" not in text


def test_a_chart_of_projects_has_the_intervals_of_its_zone(venturi: Venturi, tmp_path: Path) -> None:
    asked = (*FIVE, "--zone", "Asia/Kolkata", "--resolution", "1h", "--group-by", "project")
    venturi(*asked, "--chart", str(tmp_path / "usage.html"))
    rows = _values((tmp_path / "usage.html").read_text(encoding="utf-8"))
    assert len({row["start"] for row in rows}) == 1
    assert sum(row["octets"] for row in rows) == 1000


def test_a_chart_of_labels_stacks_no_packet_twice(venturi: Venturi, tmp_path: Path) -> None:
    venturi(*FIVE, "--resolution", "5m", "--chart", str(tmp_path / "usage.html"))
    text = (tmp_path / "usage.html").read_text(encoding="utf-8")
    assert sorted(row["octets"] for row in _values(text)) == [400, 500, 500, 800]
    assert "labels overlap, so they are not stacked" in text


def _values(text: str) -> list[dict[str, Any]]:
    """Give the rows of the data of a chart's page."""
    start = text.index('"values":') + len('"values":')
    return list(json.JSONDecoder().raw_decode(text[start:].lstrip())[0])
