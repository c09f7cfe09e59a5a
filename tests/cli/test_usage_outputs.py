"""``venturi usage`` into files, by its largest groups, as charts, and again and again."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.reports.filling import KnownVersion, MeteredRecord, fill
from tests.support.databases import new_database
from tests.support.server import ServerProcess, running_server
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.direction import DirectionCode

Venturi = Callable[..., str]
OUT, IN = DirectionCode.EGRESS, DirectionCode.INGRESS
HOURS = ("usage", "--from", "2026-03-01 12:00", "--to", "2026-03-01 14:00", "--zone", "UTC", "--resolution", "1h")
HUGE = 1 << 62
RECORDS = [
    MeteredRecord(1, 0, 3600, [(1, OUT, 1, HUGE), (1, IN, 1, HUGE), (2, OUT, 5, 500), (3, OUT, 7, 70), (3, IN, 1, 7)], unmatched=5),
    MeteredRecord(1, 3600, 7200, [(1, OUT, 1, HUGE), (3, OUT, 1, 10_000)]),
    MeteredRecord(2, 0, 3600, [(2, OUT, 1, 100), (4, OUT, 1, 1)], Coverage.PARTIAL, "bypass"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two hours of four labels at two points."""
    folder = tmp_path_factory.mktemp("metered")
    database = new_database(folder)
    labels = [KnownVersion(number, name=f"label {number}") for number in (1, 2, 3, 4)]
    fill(database, labels, [KnownVersion(1, name="uplink"), KnownVersion(2, name="backup")], RECORDS)
    with running_server(folder, database=database) as running:
        yield running


TOPS = [
    ("two labels", ("--top", "2", "--group-by", "label"), {"label 1": [3 * HUGE], "label 3": [10_077], "other": [601]}),
    (
        "all there are",
        ("--top", "4", "--group-by", "label"),
        {"label 1": [3 * HUGE], "label 3": [10_077], "label 2": [600], "label 4": [1]},
    ),
    ("the direction is no group", ("--top", "1"), {"label 1": [2 * HUGE, HUGE], "other": [10_671, 7]}),
]


@pytest.mark.parametrize(("name", "options", "octets"), TOPS, ids=[case[0] for case in TOPS])
def test_the_largest_are_told_apart_and_the_sum_stays(
    venturi: Venturi, name: str, options: tuple[str, ...], octets: dict[str, list[int]]
) -> None:
    asked = (*HOURS, "--resolution", "total", *options)
    chosen = ("-c", "kind", "-c", "label_name", "-c", "octets", "-c", "coverage")
    rows = json.loads(venturi(*asked, "-f", "json", *chosen))
    found: dict[str, list[int]] = {}
    for row in rows:
        if row["kind"] != "total":
            found.setdefault(row["label_name"] or "other", []).append(row["octets"])
    assert {group: sorted(each, reverse=True) for group, each in found.items()} == octets, name
    assert ("other" in venturi(*asked)) == ("other" in octets)


def test_what_is_summed_has_the_worst_coverage(venturi: Venturi) -> None:
    chosen = ("-c", "kind", "-c", "coverage", "-c", "reasons", "-c", "known_seconds")
    rows = json.loads(venturi(*HOURS, "--to", "2026-03-01 13:00", "--group-by", "label,point", "--top", "1", "-f", "json", *chosen))
    assert [row["coverage"] for row in rows] == ["complete", "partial", "partial"]
    assert {row["kind"]: row["reasons"] for row in rows} == {"group": [], "others": ["bypass"], "total": ["bypass"]}


@pytest.mark.parametrize("form", ["table", "json", "csv", "value", "yaml"])
def test_a_file_holds_what_standard_output_would(venturi: Venturi, tmp_path: Path, form: str) -> None:
    written = tmp_path / "usage"
    printed = venturi(*HOURS, "-f", form, "--sort-column", "octets")
    assert venturi(*HOURS, "-f", form, "--sort-column", "octets", "-o", str(written)) == ""
    assert written.read_text(encoding="utf-8") == printed != ""


def test_parquet_is_typed(venturi: Venturi, tmp_path: Path) -> None:
    written = tmp_path / "usage.parquet"
    assert venturi(*HOURS, "-f", "parquet", "-o", str(written)) == ""
    table = pq.read_table(written)
    header = venturi(*HOURS, "-f", "csv").splitlines()[0]
    assert ",".join(table.column_names) == header
    rows = table.to_pylist()
    assert sum(int(row["octets"] or 0) for row in rows) == 3 * HUGE + 500 + 77 + 10_000 + 101
    assert rows[0]["interval_start"] == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert ["bypass", "missing"] in [row["reasons"] for row in rows] or ["bypass"] in [row["reasons"] for row in rows]


@pytest.mark.parametrize(
    ("options", "types"),
    [
        (("--compare", "previous"), {"previous_octets": "int64", "percent": "decimal128(38, 3)", "comparison": "string"}),
        (("--compare", "previous", "--group-by", "project"), {"alone_octets": "int64", "labels_may_overlap": "bool"}),
        (("--unit", "bit/s", "--resolution", "1d"), {"mean_rate": "decimal128(38, 3)", "known_samples": "int64"}),
    ],
)
def test_what_stands_beside_counts_is_typed_in_parquet(
    venturi: Venturi, tmp_path: Path, options: tuple[str, ...], types: dict[str, str]
) -> None:
    written = tmp_path / "usage.parquet"
    asked = (*HOURS, "--resolution", "total", *options)
    assert venturi(*asked, "-f", "parquet", "-o", str(written)) == ""
    table = pq.read_table(written)
    assert {name: str(table.schema.field(name).type) for name in types} == types
    rows = list(csv.DictReader(io.StringIO(venturi(*asked, "-f", "csv"))))
    for name, kind in types.items():
        told = [None if cell is None else str(cell) for cell in table.column(name).to_pylist()]
        read = [row[name] or None for row in rows]
        if kind.startswith("decimal"):
            assert [cell and Decimal(cell) for cell in told] == [cell and Decimal(cell) for cell in read]
        else:
            assert [cell and cell.lower() for cell in told] == read


@pytest.mark.parametrize("options", [(), ("--resolution", "total"), ("--totals",), ("--group-by", "project,point"), ("--group-by", "")])
def test_a_chart_is_drawn_of_every_grouping(venturi: Venturi, tmp_path: Path, options: tuple[str, ...]) -> None:
    chart = tmp_path / "usage.svg"
    venturi(*HOURS, *options, "--top", "2", "--chart", str(chart))
    drawn = chart.read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    named = {(): "label 1", ("--totals",): "uplink", ("--group-by", "project,point"): "uplink at p1"}.get(options, "")
    assert named in drawn


REFUSED = [
    (("-f", "parquet"), "-f parquet needs -o FILE."),
    (("--watch", "-o", "x"), "--watch shows on the terminal: it does not go with -o."),
    (("--watch", "0"), "0"),
    (("--top", "0"), "0"),
    (("--period", "today", "--last", "1h"), "--period has its own bounds: it goes with none of --from, --to and --last."),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSED, ids=[" ".join(options) for options, _ in REFUSED])
def test_what_is_refused(server: ServerProcess, options: tuple[str, ...], sentence: str) -> None:
    ended = subprocess.run(_command(*options), env=_surroundings(server), capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert sentence in " ".join(ended.stderr.replace("│", " ").split())


@pytest.mark.parametrize(("option", "code"), [(("--chart", "x.gif"), 3), (("-o", "no-folder/x"), 4), (("--chart", "no-folder/x.svg"), 4)])
def test_a_file_that_cannot_be_is_refused(tmp_path: Path, option: tuple[str, str], code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "venturi", "usage", option[0], str(tmp_path / option[1])], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (code, 1), ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_is_shown_again_until_the_end(server: ServerProcess) -> None:
    with subprocess.Popen(_command("--watch", "1"), env=_surroundings(server), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        totals = 0
        while totals < 2:
            line = watching.stdout.readline()
            assert line, "it ended"
            totals += line.startswith("total")
        watching.send_signal(signal.SIGINT)
        rest = watching.stdout.read()
        assert watching.wait(30) == 0
    assert "\x1b" not in rest


def _command(*options: str) -> list[str]:
    return [sys.executable, "-m", "venturi", *HOURS, *options]


def _surroundings(server: ServerProcess) -> dict[str, str]:
    return {**os.environ, "VENTURI_URL": server.url}
