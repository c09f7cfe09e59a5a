"""``venturi usage`` on a running server: what it prints in each form."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.reports.filling import KeptPoint, KnownVersion, MeteredRecord, fill, keep_points, version_id
from tests.support.databases import new_database
from tests.support.server import ServerProcess, running_server
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.direction import DirectionCode

Venturi = Callable[..., str]
OUT, IN = DirectionCode.EGRESS, DirectionCode.INGRESS
NOON = ("usage", "--from", "2026-03-01T12:00:00Z")
RECORDS = [
    MeteredRecord(1, 0, 3600, [(1, OUT, 1500, 2_250_000), (1, IN, 10, 600), (2, OUT, 40, 750_000)], unmatched=12_000),
    MeteredRecord(1, 3600, 6000, [(2, OUT, 4, 6000)], Coverage.PARTIAL, "bypass"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose ledger holds an hour and a part of one."""
    folder = tmp_path_factory.mktemp("metered")
    database = new_database(folder)
    fill(
        database,
        [KnownVersion(1, name="web shop"), KnownVersion(2, name="=label 2")],
        [KnownVersion(1, name="uplink")],
        RECORDS,
        totalled=True,
    )
    keep_points(database, [KeptPoint(1, 0)])
    with running_server(folder, database=database) as running:
        yield running


def test_a_table_of_an_hour(venturi: Venturi) -> None:
    assert (
        venturi(*NOON, "--to", "2026-03-01T13:00:00Z")
        == """\
2026-03-01 12:00Z to 2026-03-01 13:00Z

label               direction  packets   octets    share  coverage
──────────────────  ─────────  ───────  ───────  ───────  ────────
web shop (deleted)  egress       1,500  2.25 MB   74.7 %  complete
=label 2 (deleted)  egress          40   750 kB   24.9 %  complete
web shop (deleted)  ingress         10    600 B   <0.1 %  complete
total                            1,550  3.01 MB  100.0 %
"""
    )


def test_a_table_of_hours(venturi: Venturi) -> None:
    printed = venturi(*NOON, "--to", "2026-03-01T14:00:00Z", "--resolution", "1h", "--group-by", "label", "--label", version_id(2))
    lines = printed.splitlines()
    assert lines[-2].split("  ")[0] == "2026-03-01 13:00Z"
    assert lines[-2].endswith("gap: bypass, missing; 66.7 % known")
    assert lines[-1].split()[:3] == ["total", "1,554", "3.02"]
    assert lines[-1].endswith("  83.3 % known")


def test_a_table_of_a_period_shows_the_clocks_of_its_zone(venturi: Venturi) -> None:
    printed = venturi("usage", "--period", "2026-03-01", "--zone", "Asia/Kolkata", "--resolution", "1h", "--group-by", "label")
    lines = printed.splitlines()
    assert lines[0] == "2026-03-01: 2026-03-01 00:00+05:30 to 2026-03-02 00:00+05:30"
    assert [line[:22] for line in lines if "web shop" in line] == ["2026-03-01 17:00+05:30", "2026-03-01 18:00+05:30"]
    (total,) = (line for line in lines if line.startswith("total"))
    assert total.split()[:4] == ["total", "1,554", "3.02", "MB"]
    under_way = venturi("usage", "--period", "this-month", "--group-by", "label").splitlines()
    assert any(line.startswith("this-month: ") and line.endswith("Z, so far") for line in under_way)


def test_known_time_is_the_same_in_each_form_and_resolution(venturi: Venturi, tmp_path: Path) -> None:
    """From noon to two, of which 100 minutes are known; the point was created at noon."""
    chosen = ("known_point_seconds", "expected_point_seconds")
    for resolution in ("5m", "1h", "1d", "total"):
        asked = (*NOON, "--to", "2026-03-01T14:00:00Z", "--resolution", resolution, "--totals", "--group-by", "")
        bounds = [] if resolution == "1d" else ["2026-03-01T12:00:00Z", "2026-03-01T14:00:00Z"]
        document = json.loads(venturi(*asked, "-f", "json"))
        assert bounds in ([], [document["from"], document["to"]])
        told = [[interval[name] for name in chosen] for interval in document["intervals"]]
        rows = list(csv.DictReader(io.StringIO(venturi(*asked, "-f", "csv"))))
        if resolution != "5m":  # where all that is known passed without a packet, an interval has no row
            assert [[int(row[name]) for name in chosen] for row in rows] == told
        venturi(*asked, "-f", "parquet", "-o", str(tmp_path / "usage.parquet"))
        table = pq.read_table(tmp_path / "usage.parquet")
        assert [list(map(row.get, chosen)) for row in table.to_pylist()] == [[int(row[name]) for name in chosen] for row in rows]
        until = 12 * 3600 if resolution == "1d" else 7200
        assert [sum(each) for each in zip(*told, strict=True)] == [6000, until], resolution


def test_forms_for_programs(venturi: Venturi) -> None:
    asked = (*NOON, "--to", "2026-03-01T13:00:00Z", "--group-by", "label")
    document = json.loads(venturi(*asked, "-f", "json"))
    assert [row["octets"] for row in document["intervals"][0]["usage"]] == [2_250_600, 750_000]
    lines = list(csv.DictReader(io.StringIO(venturi(*asked, "-f", "csv"))))
    assert [(line["label_name"], line["octets"], line["coverage"]) for line in lines] == [
        ("web shop", "2250600", "complete"),
        ("'=label 2", "750000", "complete"),
    ]
    chosen = ("-c", "label_name", "-c", "octets", "--sort-column", "octets")
    assert venturi(*asked, *chosen, "-f", "value") == "=label 2\t750000\nweb shop\t2250600\n"
    assert venturi(*asked, *chosen, "-f", "yaml").startswith("- label_name: =label 2\n")


@pytest.mark.parametrize(("option", "parameter"), [((), ""), (("--raw",), "&raw=true")])
@pytest.mark.parametrize("what", ["usage", "usage/points"])
def test_csv_is_the_server_s_own(venturi: Venturi, server: ServerProcess, what: str, option: tuple[str, ...], parameter: str) -> None:
    totals = ("--totals",) if what == "usage/points" else ()
    group = "point" if totals else "label,point"
    printed = venturi(*NOON, "--to", "2026-03-01T14:00:00Z", "--resolution", "1h", "--group-by", group, "-f", "csv", *totals, *option)
    path = f"/v1/{what}?from=2026-03-01T12:00:00Z&to=2026-03-01T14:00:00Z&resolution=1h&group_by={group}&format=csv{parameter}"
    answered = server.request("GET", path).data.decode()
    assert printed.splitlines() == answered.splitlines()
    assert "bypass missing" in printed
    assert ("'=label 2" in printed) == (not option and not totals)


def test_totals_of_points(venturi: Venturi) -> None:
    printed = venturi(*NOON, "--to", "2026-03-01T13:00:00Z", "--totals", "--group-by", "point", "-f", "csv")
    (line,) = csv.DictReader(io.StringIO(printed))
    assert (line["observation_point_name"], line["unmatched_octets"]) == ("uplink", "12000")
    table = venturi(*NOON, "--to", "2026-03-01T13:00:00Z", "--totals", "--group-by", "point")
    assert "unmatched  unattributed" in table


def test_what_is_refused(venturi: Venturi) -> None:
    venturi("usage", "--label", "nobody", code=8, sentence="there is no label with the id or name 'nobody'")
    venturi(
        "usage",
        "--group-by",
        "colour",
        code=2,
        sentence="group_by: 'colour' is none of label, project, point, point_project, direction, boundary",
    )
    venturi("usage", "-c", "colour", "-f", "csv", code=2, sentence=_columns())


def _columns() -> str:
    before = "interval_start, interval_end, label_id, label_name, project_id, label_deleted, direction, boundary"
    after = "coverage, reasons, known_seconds, segments, known_point_seconds, expected_point_seconds"
    return f"there is no column 'colour': there are {before}, packets, octets, {after}"
