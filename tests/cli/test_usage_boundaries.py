"""``venturi usage`` of points that may see the same packets: side by side, or of the boundary that is named or set."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.reports.filling import KnownVersion, MeteredRecord, fill
from tests.support.databases import new_database
from tests.support.server import ServerProcess, running_server
from venturi.core.domain.direction import DirectionCode

Venturi = Callable[..., str]
OUT, IN = DirectionCode.EGRESS, DirectionCode.INGRESS
HOUR = ("usage", "--from", "2026-03-01T12:00:00Z", "--to", "2026-03-01T13:00:00Z")
POINTS = [KnownVersion(1, name="a", boundary="uplinks"), KnownVersion(2, name="b", boundary="uplinks"), KnownVersion(3, boundary="routers")]
RECORDS = [MeteredRecord(point, 0, 3600, [(1, OUT, 1, 100 * point), (1, IN, 1, 7)]) for point in (1, 2, 3)]


@pytest.fixture(scope="module", params=["", "uplinks"], ids=["nothing is set", "a boundary is set"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ServerProcess]]:  # noqa: PLR0206 - a fixture is no property
    """A server whose ledger holds an hour of two uplinks and a router behind them, and its ``billing_boundary``."""
    folder = tmp_path_factory.mktemp("bounded")
    database = new_database(folder)
    fill(database, [KnownVersion(1, name="web")], POINTS, RECORDS)
    environment = {"VENTURI_BILLING_BOUNDARY": request.param} if request.param else {}
    with running_server(folder, database=database, environment=environment) as running:
        yield request.param, running


@pytest.fixture(scope="module")
def server(served: tuple[str, ServerProcess]) -> ServerProcess:
    return served[1]


def octets(printed: str) -> dict[tuple[str, str | None], int]:
    """Give the octets of the rows of a report, by boundary and direction."""
    rows = [row for interval in json.loads(printed)["intervals"] for row in interval["usage"]]
    return {(row["boundary"], row.get("direction")): row["octets"] for row in rows}


UPLINKS = {("uplinks", "egress"): 300, ("uplinks", "ingress"): 14}
ROUTERS = {("routers", "egress"): 300, ("routers", "ingress"): 7}


def test_a_report_is_of_what_is_set_or_side_by_side(venturi: Venturi, served: tuple[str, ServerProcess]) -> None:
    document = json.loads(printed := venturi(*HOUR, "-f", "json"))
    assert document["boundaries"] == (["uplinks"] if served[0] else None)
    assert octets(printed) == (UPLINKS if served[0] else UPLINKS | ROUTERS)


def test_whoever_names_or_tells_boundaries_apart_gets_them(venturi: Venturi, served: tuple[str, ServerProcess]) -> None:
    assert octets(venturi(*HOUR, "--boundary", "routers", "-f", "json")) == ROUTERS, served
    assert octets(venturi(*HOUR, "--group-by", "boundary", "-f", "json")) == {("uplinks", None): 314, ("routers", None): 307}


def test_the_table_has_a_total_for_each_boundary_and_says_what_is_twice(venturi: Venturi, served: tuple[str, ServerProcess]) -> None:
    lines = venturi(*HOUR).splitlines()
    totals = [line.split()[:2] for line in lines if line.startswith("total")]
    assert totals == ([["total", "4"]] if served[0] else [["total", "uplinks"], ["total", "routers"]])
    assert lines[-1] == "In a sum of both directions, traffic between points of one boundary is twice."


def test_files_carry_the_boundary(venturi: Venturi, tmp_path: Path, served: tuple[str, ServerProcess]) -> None:
    venturi(*HOUR, "-f", "parquet", "-o", str(tmp_path / "usage.parquet"))
    boundaries = set(pq.read_table(tmp_path / "usage.parquet").column("boundary").to_pylist())
    assert boundaries == ({"uplinks"} if served[0] else {"uplinks", "routers"})
    assert "boundary" in venturi(*HOUR, "-f", "csv").splitlines()[0].split(",")


def test_a_chart_over_time_never_stacks_boundaries(venturi: Venturi, tmp_path: Path, served: tuple[str, ServerProcess]) -> None:
    asked = (*HOUR, "--resolution", "1h", "--chart", str(tmp_path / "usage.svg"))
    if not served[0]:
        sentence = (
            "a chart over time is of one boundary, since several may have counted the same packets: name one with --boundary"
            " (routers, uplinks)"
        )
        venturi(*asked, code=2, sentence=sentence)
        assert list(tmp_path.iterdir()) == []
    venturi(*asked, "--boundary", "uplinks")
    assert "web" in (tmp_path / "usage.svg").read_text(encoding="utf-8")
