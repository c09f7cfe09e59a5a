"""Usage under ``/v1``: what can be asked, and how it is answered: as JSON, as CSV and by columns."""

import csv
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import urllib3
import zstandard

from tests.api.v1.conftest import OWN, Caller
from tests.reports.filling import KnownVersion, MeteredRecord, fill, version_id
from tests.support.databases import new_database
from tests.support.server import make_token, running_server
from venturi.composition import server as server_composition
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.errors import UnacceptableFormError
from venturi.services.reports.comparing import COMPARISON
from venturi.services.reports.foreseeing import FORECAST
from venturi.services.reports.rates import RATES

HUGE = 1 << 62
DAY = "from=2026-03-01T12:00:00Z&to=2026-03-01T14:00:00Z"
RECORDS = [
    MeteredRecord(1, 0, 3600, [(1, DirectionCode.EGRESS, 2, HUGE), (2, DirectionCode.EGRESS, 1, 5)], unmatched=7),
    MeteredRecord(1, 0, 3600, [(3, DirectionCode.EGRESS, 2, HUGE)], place=2),
    MeteredRecord(1, -86_400, -86_100, [(2, DirectionCode.EGRESS, 4, 30)]),
]


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Caller]]:
    """Callers of a server whose ledger holds an hour at one point of the project ``own``, by role."""
    folder = tmp_path_factory.mktemp("metered")
    database = new_database(folder)
    labels = [
        KnownVersion(1, OWN, shared=True, name="before"),
        KnownVersion(2, "other", shared=True),
        KnownVersion(3, OWN, name='a "quoted", name', of=1),
    ]
    fill(database, labels, [KnownVersion(1, OWN)], RECORDS)
    secrets = {role: make_token(database, role, OWN) for role in ("admin", "reader", "none")}
    secrets["a reader without points"] = make_token(database, "reader", "empty")
    with running_server(folder, "--auth", "token", database=database) as server:
        yield {role: Caller(server, secret) for role, secret in secrets.items()}


def test_a_report_in_json(metered: dict[str, Caller]) -> None:
    status, report = metered["reader"].ask(
        "GET", f"/v1/usage?{DAY}&resolution=1h&group_by=label,direction&group_by=point&project_id={OWN}&project_id=nobody"
    )
    assert status == 200
    assert {name: report[name] for name in ("from", "to", "resolution")} == {
        "from": "2026-03-01T12:00:00Z",
        "to": "2026-03-01T14:00:00Z",
        "resolution": "1h",
    }
    assert report["group_by"] == ["label", "point", "direction"]
    assert (report["boundaries"], report["directions_summed"]) == (None, False)
    first, second = report["intervals"]
    complete = {"coverage": "complete", "reasons": [], "known_seconds": 3600, "segments": "wire"}
    complete |= {"known_point_seconds": 3600, "expected_point_seconds": 3600}
    assert first == {
        "start": "2026-03-01T12:00:00Z",
        "end": "2026-03-01T13:00:00Z",
        **complete,
        "observation_points": 1,
        "usage": first["usage"],
    }
    row = {
        "label_id": version_id(1),
        "label_name": 'a "quoted", name',
        "project_id": OWN,
        "label_deleted": True,
        "observation_point_id": version_id(1),
        "observation_point_name": "point 1",
        "point_project_id": OWN,
        "observation_point_deleted": True,
        "direction": "egress",
        "boundary": "edge",
        "packets": 4,
        "octets": 2 * HUGE,
        **complete,
    }
    assert first["usage"] == [row]
    assert (second["coverage"], second["reasons"], second["usage"]) == ("gap", ["missing"], [])
    assert [second[name] for name in ("observation_points", "known_point_seconds", "expected_point_seconds")] == [0, 0, 0]


@pytest.mark.parametrize(("form", "accept"), [("&format=csv", "application/json"), ("", "text/csv")])
def test_a_report_in_csv(metered: dict[str, Caller], form: str, accept: str) -> None:
    caller = metered["admin"]
    headers = {"X-Auth-Token": caller.secret, "Accept": accept}
    answer = caller.server.request("GET", f"/v1/usage?{DAY}&resolution=1h&group_by=label{form}", headers=headers)
    assert answer.headers["Content-Type"].partition(";")[0] == "text/csv"
    lines = list(csv.DictReader(io.StringIO(answer.data.decode(), newline="")))
    assert [(line["interval_start"], line["label_name"], line["octets"], line["coverage"], line["reasons"]) for line in lines] == [
        ("2026-03-01T12:00:00Z", 'a "quoted", name', str(2 * HUGE), "complete", ""),
        ("2026-03-01T12:00:00Z", "label 2", "5", "complete", ""),
    ], "there was no point in the second hour"
    assert {(line["known_point_seconds"], line["expected_point_seconds"]) for line in lines} == {("3600", "3600")}


COLUMNAR: dict[str, Callable[[bytes], Any]] = {
    "application/vnd.apache.parquet": lambda octets: pq.read_table(io.BytesIO(octets)),
    "application/vnd.apache.arrow.stream": lambda octets: pa.ipc.open_stream(octets).read_all(),
}


def ask_in_form(caller: Caller, path: str, accept: str, **headers: str) -> urllib3.BaseHTTPResponse:
    """Ask for a form, and leave the answer as it was sent."""
    asked = {"X-Auth-Token": caller.secret, "Accept": accept, **headers}
    with urllib3.PoolManager(retries=False, timeout=30) as pool:
        return pool.request("GET", caller.server.url + path, headers=asked, decode_content=False)


@pytest.mark.parametrize("accept", COLUMNAR)
def test_a_report_by_columns_is_that_in_csv(metered: dict[str, Caller], accept: str) -> None:
    for path in (
        f"/v1/usage?{DAY}&resolution=5m&group_by=label,point,direction&project_id=other",
        "/v1/usage/points?from=2026-03-01T12:00:00Z&to=2026-03-01T13:30:00Z&resolution=1h&group_by=point&raw=true",
        "/v1/usage?from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z",
    ):
        answer = ask_in_form(metered["admin"], path, accept)
        assert (answer.status, answer.headers["Content-Type"]) == (200, accept)
        table = COLUMNAR[accept](answer.data)
        text = ask_in_form(metered["admin"], path, "text/csv").data.decode()
        lines = list(csv.DictReader(io.StringIO(text, newline="")))
        assert table.column_names == text.partition("\r\n")[0].split(",")
        assert [{name: spell_cell(cell) for name, cell in row.items()} for row in table.to_pylist()] == lines
        types = {name: str(table.schema.field(name).type) for name in ("interval_start", "packets", "octets", "known_seconds")}
        assert types == {
            "interval_start": "timestamp[ns, tz=UTC]",
            "packets": "int64",
            "octets": "int64",
            "known_seconds": "int64",
        }


def spell_cell(cell: object) -> str:
    """Spell a typed value as CSV does."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case list():
            return " ".join(map(str, cell))
        case datetime():
            return cell.strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            return str(cell)


@pytest.mark.parametrize("accept", COLUMNAR)
def test_a_count_beyond_64_bits_is_refused_by_columns(metered: dict[str, Caller], accept: str) -> None:
    answer = ask_in_form(metered["admin"], f"/v1/usage?{DAY}&group_by=label", accept)
    assert answer.status == 406
    assert answer.json()["error"]["message"] == "octets: a count does not fit the 64 bits of this form; ask for JSON or CSV"


def test_a_server_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_composition, "EXTRAS", {"archive": "no_such_module_at_all"})
    with pytest.raises(UnacceptableFormError, match=r"need the extra archive, .* pip install 'venturi\[archive\]'") as refused:
        server_composition.load_columns()
    assert refused.value.status == 406


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda octets: zstandard.ZstdDecompressor().decompressobj().decompress(octets),
}


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0, gzip;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("br", None),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_texts_are_compressed_as_asked(metered: dict[str, Caller], accept: str, accepted: str, encoding: str | None) -> None:
    path = "/v1/usage?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&resolution=5m"
    plain = ask_in_form(metered["reader"], path, accept)
    answer = ask_in_form(metered["reader"], path, accept, **{"Accept-Encoding": accepted})
    assert answer.headers["Vary"] == plain.headers["Vary"] == "Accept, Accept-Encoding"
    assert (plain.headers.get("Content-Encoding"), answer.headers.get("Content-Encoding")) == (None, encoding)
    content = answer.data if encoding is None else DECODERS[encoding](answer.data)
    assert content.partition(b'"read_at"')[0] == plain.data.partition(b'"read_at"')[0]
    assert encoding is None or len(answer.data) < len(plain.data) // 5


def test_columns_are_not_compressed_again(metered: dict[str, Caller]) -> None:
    (parquet, _) = COLUMNAR
    answer = ask_in_form(metered["reader"], "/v1/usage", parquet, **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_totals_of_points(metered: dict[str, Caller]) -> None:
    report = metered["reader"].ask("GET", f"/v1/usage/points?{DAY}&group_by=point")[1]
    (row,) = report["intervals"][0]["usage"]
    assert (row["observation_point_id"], row["unmatched_octets"], row["unattributed_packets"]) == (version_id(1), 7, 0)


@pytest.mark.parametrize(("path", "asked"), [("/v1/usage", "group_by="), ("/v1/usage/points", "group_by=boundary")])
def test_a_boundary_is_asked_for(metered: dict[str, Caller], path: str, asked: str) -> None:
    report = metered["reader"].ask("GET", f"{path}?{DAY}&{asked}&boundary=edge&boundary=nowhere")[1]
    assert (report["boundaries"], report["directions_summed"]) == (["edge", "nowhere"], True)
    assert {row["boundary"] for row in report["intervals"][0]["usage"]} == {"edge"}
    report = metered["reader"].ask("GET", f"{path}?{DAY}&{asked}&boundary=nowhere")[1]
    assert (report["intervals"][0]["usage"], report["intervals"][0]["observation_points"]) == ([], 0)


@pytest.mark.parametrize("path", ["/v1/usage", "/v1/usage/points"])
def test_by_default_the_last_day_is_reported(metered: dict[str, Caller], path: str) -> None:
    status, report = metered["admin"].ask("GET", path)
    assert (status, report["resolution"], len(report["intervals"])) == (200, "total", 1)
    assert (report["intervals"][0]["coverage"], report["intervals"][0]["usage"]) == ("gap", [])


def test_whoever_may_read_no_usage_is_refused(metered: dict[str, Caller]) -> None:
    for path in ("/v1/usage", "/v1/usage/points"):
        status, document = metered["none"].ask("GET", path)
        assert (status, document["error"]["type"]) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("colour=1", "colour: usage has no such parameter"),
        ("resolution=2h", "resolution: '2h' is none of 5m, 1h, 1d, 1w, 1month, total"),
        ("resolution=1h&resolution=1d", "resolution: given 2 times"),
        ("group_by=label,colour", "group_by: 'colour' is none of"),
        ("from=yesterday", "from: 'yesterday'"),
        ("from=2026-03-02&to=2026-03-01", "from: a report begins before it ends"),
        ("from=1970-01-01&resolution=5m", "at most"),
        ("from=1969-12-31&to=1970-01-02", "from: no usage is older than 1970-01-01T00:00:00Z"),
        ("from=9999-12-31&to=9999-12-31T01:00:00Z", "from: a report begins before now"),
        ("zone=Mars/Olympus", "zone: 'Mars/Olympus' is no time zone: give a name of the IANA database"),
        ("zone=..%2F..%2Fetc%2Fpasswd", "zone: '../../etc/passwd' is no time zone"),
        ("period=2026-13", "period: '2026-13' is no period such as today, yesterday"),
        ("period=9999-01", "period: '9999-01' is no period"),
        ("period=2199-01", "period: '2199-01' is yet to begin"),
        ("period=2026-03&from=2026-03-01", "from: a period has its own bounds"),
        ("zone=Africa/Monrovia&resolution=1d&from=1971-03-01", "zone: the clocks of Africa/Monrovia were no multiple of 5 minutes"),
        ("top=0", "top: '0' is no number from 1 to 10000"),
        ("top=10001", "top: '10001' is no number from 1 to 10000"),
        ("top=1e3", "top: '1e3' is no number"),
        ("top=3&order_by=colour", "order_by: 'colour' is none of bytes, packets, rate, name"),
        ("order_by=name", "order_by: it ranks the largest; say by top how many"),
        ("compare=next", "compare: 'next' is none of previous"),
        ("compare=previous&resolution=1h", "compare: a comparison is of the whole report, so its resolution is total"),
        ("compare=previous&from=1970-01-02&to=1970-02-02", "compare: no usage is older than 1970-01-01T00:00:00Z"),
        ("unit=furlong", "unit: 'furlong' is none of bit/s, packet/s"),
        ("unit=bit/s&resolution=5m", "unit: rates are of many samples of 5 minutes, so the resolution is 1d or longer"),
        ("unit=bit/s&percentile=101", "percentile: '101' is no number above 0 and at most 100"),
        ("unit=bit/s&percentile=0", "percentile: '0' is no number above 0"),
        ("forecast=true", "forecast: it is of a whole period that is so far: name one by period"),
        ("forecast=true&period=2026-03&resolution=1d", "forecast: it is of a whole period"),
        ("percentile=95", "percentile: it is one of rates; say by unit in which"),
        ("direction=sideways", "direction: 'sideways' is none of ingress, egress, unknown"),
        ("format=xml", "format: 'xml' is none of json, csv, parquet, arrow"),
        ("label_id=%00", "label_id: control and invisible characters"),
    ],
)
def test_what_is_refused(metered: dict[str, Caller], query: str, sentence: str) -> None:
    status, document = metered["admin"].ask("GET", f"/v1/usage?{query}")
    assert (status, sentence in document["error"]["message"]) == (400, True), document


def test_usage_begins_in_1970_by_the_clock_of_any_zone(metered: dict[str, Caller]) -> None:
    status, report = metered["admin"].ask("GET", "/v1/usage?from=1970-01-01T00:30:00%2B01:00&to=1970-01-01T06:00:00%2B02:00")
    assert (status, report["from"], report["to"]) == (200, "1970-01-01T00:00:00Z", "1970-01-01T04:00:00Z")


def test_the_largest_in_every_form(metered: dict[str, Caller]) -> None:
    question = f"/v1/usage?{DAY}&resolution=total&top=1&group_by=label"
    status, report = metered["admin"].ask("GET", question)
    assert (status, report["top"], report["order_by"]) == (200, 1, "bytes")
    rows = [(row["kind"], row.get("label_name", ""), str(row["octets"])) for row in report["intervals"][0]["usage"]]
    assert rows == [("group", 'a "quoted", name', str(2 * HUGE)), ("others", "", "5"), ("total", "", "7")]
    text = ask_in_form(metered["admin"], question, "text/csv").data.decode()
    assert [(row["kind"], row["label_name"], row["octets"]) for row in csv.DictReader(io.StringIO(text, newline=""))] == rows
    for accept, read in COLUMNAR.items():
        table = read(ask_in_form(metered["admin"], f"{question}&label=label*", accept).data).to_pylist()
        assert [(row["kind"], row["label_name"], row["octets"]) for row in table] == [("group", "label 2", 5), ("total", None, 7)]


def test_a_comparison_in_every_form(metered: dict[str, Caller]) -> None:
    question = f"/v1/usage?from=2026-03-01T13:00:00Z&to=2026-03-01T14:00:00Z&compare=previous&group_by=label&label_id={version_id(2)}"
    status, report = metered["admin"].ask("GET", question)
    assert (status, report["compared_with"]) == (200, {"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T13:00:00Z"})
    (row,) = report["intervals"][0]["usage"]
    told = {name: row[name] for name in ("octets", *COMPARISON)}
    assert told == {
        "octets": 0,
        "previous_packets": 1,
        "previous_octets": 5,
        "difference_packets": None,
        "difference_octets": None,
        "percent": None,
        "comparison": "unknown",
        "previous_coverage": "complete",
        "previous_known_point_seconds": 3600,
        "previous_expected_point_seconds": 3600,
    }
    text = ask_in_form(metered["admin"], question, "text/csv").data.decode()
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert {name: line[name] for name in told} == {name: "" if value is None else str(value) for name, value in told.items()}
    for accept, read in COLUMNAR.items():
        (columns,) = read(ask_in_form(metered["admin"], question, accept).data).to_pylist()
        assert {name: columns[name] for name in told} == told


def test_rates_in_every_form(metered: dict[str, Caller]) -> None:
    day_before = "from=2026-02-28T12:00:00Z&to=2026-02-28T12:10:00Z"
    question = f"/v1/usage?{day_before}&unit=packet/s&percentile=50&group_by=label&label_id={version_id(2)}"
    status, report = metered["admin"].ask("GET", question)
    assert (status, report["unit"], report["percentile"]) == (200, "packet/s", "50")
    (row,) = report["intervals"][0]["usage"]
    told = {name: row[name] for name in RATES}
    assert told == {**dict.fromkeys(RATES, 0.013), "known_samples": 1, "missing_samples": 1}
    text = ask_in_form(metered["admin"], question, "text/csv").data.decode()
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert {name: float(line[name]) for name in told} == told
    for accept, read in COLUMNAR.items():
        (columns,) = read(ask_in_form(metered["admin"], question, accept).data).to_pylist()
        assert {name: float(columns[name]) for name in told} == told


def test_a_forecast_in_every_form(metered: dict[str, Caller]) -> None:
    question = f"/v1/usage?period=2026-03&forecast=true&group_by=label&label_id={version_id(2)}"
    status, report = metered["admin"].ask("GET", question)
    (row,) = report["intervals"][0]["usage"]
    assert (status, row["octets"], [row[name] for name in FORECAST]) == (200, 5, [None] * 4), "of so few hours there is none"
    text = ask_in_form(metered["admin"], question, "text/csv").data.decode()
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert [line[name] for name in FORECAST] == [""] * 4
    for accept, read in COLUMNAR.items():
        table = read(ask_in_form(metered["admin"], question, accept).data)
        assert [str(table.schema.field(name).type) for name in FORECAST] == ["int64"] * 4


@pytest.mark.parametrize(
    ("query", "octets"),
    [
        ("label=b*", []),
        ("label=a*&label=nobody", [2 * HUGE]),
        ("label=*&project=oth*", [5]),
        ("point=point+1&boundary=*", [2 * HUGE, 5]),
        ("boundary=edge*&direction=egress", [2 * HUGE, 5]),
        ("direction=ingress&direction=unknown", []),
    ],
)
def test_filters_by_names(metered: dict[str, Caller], query: str, octets: list[int]) -> None:
    status, report = metered["admin"].ask("GET", f"/v1/usage?{DAY}&group_by=label&{query}")
    assert (status, [row["octets"] for row in report["intervals"][0]["usage"]]) == (200, octets)
    assert report["directions_summed"] == (query != "boundary=edge*&direction=egress")


def test_a_period_is_that_of_a_zone(metered: dict[str, Caller]) -> None:
    question = f"/v1/usage?period=2026-03-01&zone=Asia/Kolkata&label_id={version_id(2)}&resolution="
    status, report = metered["admin"].ask("GET", f"{question}1d")
    period = {"name": "2026-03-01", "start": "2026-02-28T18:30:00Z", "end": "2026-03-01T18:30:00Z"}
    assert (status, report["zone"], report["period"]) == (200, "Asia/Kolkata", period)
    assert [(each["start"], each["end"]) for each in report["intervals"]] == [(period["start"], period["end"])]
    assert report["intervals"][0]["usage"][0]["octets"] == 5
    status, report = metered["admin"].ask("GET", f"{question}1h")
    counted = [(each["start"], row["octets"]) for each in report["intervals"] for row in each["usage"]]
    assert (status, counted) == (200, [("2026-03-01T11:30:00Z", 2), ("2026-03-01T12:30:00Z", 3)])


def test_a_date_is_that_of_the_zone(metered: dict[str, Caller]) -> None:
    status, report = metered["admin"].ask("GET", "/v1/usage?from=2026-03-29&to=2026-03-30&zone=Europe/Zurich")
    assert (status, report["from"], report["to"], report["period"]) == (200, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", None)


def test_a_period_that_is_not_over_ends_now(metered: dict[str, Caller]) -> None:
    status, report = metered["admin"].ask("GET", "/v1/usage?period=this-month")
    assert (status, report["from"]) == (200, report["period"]["start"])
    assert report["read_at"] <= report["to"] <= report["period"]["end"]
    assert report["read_at"] < report["period"]["end"]


def test_points_have_no_labels_to_group_by(metered: dict[str, Caller]) -> None:
    answers: list[tuple[int, Any]] = [
        metered["admin"].ask("GET", f"/v1/usage/points?{query}") for query in ("group_by=label", "label_id=1")
    ]
    assert [status for status, _ in answers] == [400, 400]


@pytest.mark.parametrize(("role", "points"), [("admin", 1), ("reader", 1), ("a reader without points", 0)])
def test_a_report_says_how_many_points_it_is_about(metered: dict[str, Caller], role: str, points: int) -> None:
    for path in ("/v1/usage", "/v1/usage/points"):
        _, report = metered[role].ask("GET", f"{path}?{DAY}")
        assert [interval["observation_points"] for interval in report["intervals"]] == [points]


WITHOUT_POINTS = "There is no observation point that you may see"


@pytest.mark.parametrize(("role", "told"), [("reader", False), ("a reader without points", True)])
@pytest.mark.parametrize("totals", [(), ("--totals",)], ids=["of labels", "of points"])
def test_a_reader_without_points_is_told_so(metered: dict[str, Caller], totals: tuple[str, ...], role: str, told: bool) -> None:
    printed = _usage(metered[role], *totals)
    assert (WITHOUT_POINTS in printed) == told
    assert ("nothing known" in printed) is False


def test_a_point_is_asked_for_by_the_name_that_reports_show(metered: dict[str, Caller]) -> None:
    """The point was deleted, so that no list of points has its name."""
    _, report = metered["reader"].ask("GET", f"/v1/usage?{DAY}&group_by=point")
    (name,) = {row["observation_point_name"] for interval in report["intervals"] for row in interval["usage"]}
    assert name in _usage(metered["reader"], "--group-by", "point", "--point", name)
    assert "is called" in _usage(metered["a reader without points"], "--point", name, expected=8)
    status, document = metered["reader"].ask("GET", "/v1/usage?observation_point_name=nowhere")
    assert (status, document["error"]["code"]) == (404, 404)


def _usage(caller: Caller, *options: str, expected: int = 0) -> str:
    start, end = (part.partition("=")[2] for part in DAY.split("&"))
    command = [sys.executable, "-m", "venturi", "usage", "--from", start, "--to", end, *options]
    surroundings = {**os.environ, "VENTURI_URL": caller.server.url, "VENTURI_TOKEN": caller.secret or ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + done.stderr
