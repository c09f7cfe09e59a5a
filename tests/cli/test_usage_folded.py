"""``venturi usage`` where there are records, but not of all intervals: what is folded, and since when nothing is known."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.reports.filling import NOON, KeptPoint, KnownVersion, MeteredRecord, fill, keep_points
from tests.support.databases import new_database
from tests.support.server import ServerProcess, running_server
from venturi.core.domain.direction import DirectionCode

Venturi = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Two records of five minutes, with twenty between them."""
    folder = tmp_path_factory.mktemp("metered")
    database = new_database(folder)
    old = int(time.time()) // 300 * 300 - 3600 - NOON
    usage = [(1, DirectionCode.EGRESS, 10, 6000)]
    records = [MeteredRecord(1, old + start, old + start + 300, usage) for start in (-1500, 0)]
    fill(database, [KnownVersion(1, name="web")], [KnownVersion(1, name="uplink")], records)
    keep_points(database, [KeptPoint(1, old - 200_000), KeptPoint(2, old - 100_000, old - 90_000)])
    with running_server(folder, database=database) as running:
        yield running


def test_intervals_without_records_are_folded_at_both_ends_and_not_between(venturi: Venturi) -> None:
    lines = venturi("usage", "--resolution", "5m").splitlines()
    assert sum("interval" in line and "shown by --all" in line for line in lines) == 2
    assert sum(line.startswith("20") and "nothing known" in line for line in lines) == 4
    assert sum("web" in line for line in lines) == 2


def test_all_shows_every_interval(venturi: Venturi) -> None:
    printed = venturi("usage", "--resolution", "5m", "--all")
    assert "shown by" not in printed
    assert len(printed.splitlines()) > 280


def test_the_first_line_says_since_when_nothing_is_known(venturi: Venturi) -> None:
    lines = venturi("usage").splitlines()
    first = " ".join(lines[: lines.index("")])
    assert max(map(len, lines[: lines.index("")])) <= 80
    since = datetime.strptime(first.split("since ")[1].split("Z:")[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert timedelta(minutes=50) < datetime.now(UTC) - since < timedelta(minutes=65)
    assert first.endswith("no agent reports. Start one on the host: venturi agent --server URL")


def test_a_report_of_the_past_does_not_say_so(venturi: Venturi) -> None:
    past = datetime.fromtimestamp(time.time() - 4500, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "since" not in venturi("usage", "--to", past)
