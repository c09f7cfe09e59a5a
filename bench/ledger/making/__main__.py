"""``scripts/make-ledger``: makes a ledger of a size that posting would take days for.

Owns the options, and the labels and routers in the control plane, so that they are not taken for deleted ones.
"""

import argparse
import sys
import time
import uuid
from collections.abc import Sequence

from sqlalchemy import select

from bench.ledger.making.filling import AGENT, Tell, fill, project_name
from bench.ledger.making.shape import LedgerShape
from bench.ledger.posting import gather_statistics, prepare_database
from venturi.adapters.store.ledger.rolling.partitions import WEEK, make_partitions
from venturi.adapters.store.maintenance.opening import open_for_reading, open_for_writing
from venturi.adapters.store.schema.ledger_tables import LEDGER_STATE
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import VenturiError
from venturi.core.domain.interval import Nanoseconds, parse_time
from venturi.core.domain.point import RouterPlace
from venturi.core.ledger.bins import DAY
from venturi.services.control.labels import LabelControl, NewLabel
from venturi.services.control.points import NewPoint, PointControl

_OPERATOR = Principal(user_id=AGENT, project_id="", roles=IMPLIED_ROLES[Role.ADMIN])
_LABELS_AT_ONCE = 10_000


def main() -> int:
    """Make a ledger; the exit status is 2 for options that contradict each other, else that of venturi for the error."""
    try:
        url, shape = _read_options()
        make_ledger(url, shape, lambda sentence: print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr))
    except (ValueError, VenturiError) as error:
        print(f"make-ledger: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, VenturiError) else 2
    return 0


def make_ledger(url: str, shape: LedgerShape, tell: Tell = lambda _: None) -> int:
    """Give a database the schema, labels, routers and a ledger; give how many rows of usage that has.

    Raises ``ValueError`` for a ledger with postings, and ``StoreError``.
    """
    prepare_database(url)
    _require_empty(url)
    tell(f"{shape.labels:,} labels of {shape.projects:,} projects")
    labels, points = _make_control_plane(url, shape)
    _make_partitions(url, shape)
    with open_for_writing(url) as connection:
        count = fill(connection, shape, labels, points, tell)
    tell("statistics")
    gather_statistics(url)
    tell(f"{count:,} rows of usage")
    return count


def _require_empty(url: str) -> None:
    with open_for_reading(url) as connection:
        if connection.execute(select(LEDGER_STATE.c.posting)).scalar_one():
            message = "this ledger has postings; make one in an empty database"
            raise ValueError(message)


def _make_partitions(url: str, shape: LedgerShape) -> None:
    """Make the partitions that a server would have made over time, those of the last weeks of 5 minutes at least."""
    for time_then in range(shape.start(shape.fine), shape.end + WEEK, WEEK):
        with open_for_writing(url) as connection:
            make_partitions(connection, Nanoseconds(time_then))


def _make_control_plane(url: str, shape: LedgerShape) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Make the labels, and a router for each project; give ids and names, in order."""
    store = Store(StoreConfig(url))
    store.start()
    try:
        asked = [NewLabel(name=f"label-{number}", project_id=project_name(number % shape.projects)) for number in range(shape.labels)]
        control = LabelControl(store)
        labels = [
            (label.id, label.name)
            for place in range(0, shape.labels, _LABELS_AT_ONCE)
            for label in control.create(_OPERATOR, asked[place : place + _LABELS_AT_ONCE])
        ]
        routers = [
            NewPoint(name=f"router-{number}", place=RouterPlace(router_id=str(uuid.UUID(int=number + 1))), project_id=project_name(number))
            for number in range(shape.projects)
        ]
        points = PointControl(store)
        return labels, [(point.id, point.name) for point in (points.create(_OPERATOR, router) for router in routers)]
    finally:
        store.stop()


def _read_options(arguments: Sequence[str] | None = None) -> tuple[str, LedgerShape]:
    """Read the database and the shape; raises ``ValueError`` where one contradicts the other."""
    parser = argparse.ArgumentParser(
        prog="make-ledger",
        description="Make a ledger in an empty database, with sums as they were folded of what was posted. `venturi ledger verify` finds it"
        " right if entries, 5 minutes and hours reach as far back as the days; else it lacks entries, as after a removal of old ones.",
    )
    parser.add_argument("database", help="the URL of the database, as VENTURI_DATABASE")
    parser.add_argument("--labels", type=int, default=1_000, help="how many labels (default: %(default)s)")
    parser.add_argument("--projects", type=int, default=10, help="of how many projects, each with a router (default: %(default)s)")
    parser.add_argument("--days", type=int, default=395, help="days with sums of days (default: %(default)s, which are 13 months)")
    parser.add_argument("--hours", type=int, help="the last days that have sums of hours (default: all of them)")
    parser.add_argument("--minutes", type=int, help="the last days that have sums of 5 minutes (default: 35, or all there are)")
    parser.add_argument("--entries", type=int, default=0, help="the last days that have entries, each minute (default: %(default)s)")
    parser.add_argument("--until", help="the date at whose beginning in UTC the ledger ends (default: today)")
    given = parser.parse_args(arguments)
    hours = given.days if given.hours is None else given.hours
    minutes = min(35, given.days) if given.minutes is None else given.minutes
    if not 1 <= given.projects <= given.labels:
        message = "--projects: there is at least one, and no more than labels"
        raise ValueError(message)
    for name, days in (("hours", hours), ("minutes", minutes), ("entries", given.entries)):
        if not 0 <= days <= given.days:
            message = f"--{name}: a number of days from 0 to that of --days"
            raise ValueError(message)
    end = time.time_ns() if given.until is None else parse_time(given.until)
    shape = LedgerShape(
        labels=given.labels,
        projects=given.projects,
        end=end // DAY * DAY,
        days=given.days,
        hourly=hours,
        fine=minutes,
        entered=given.entries,
    )
    return given.database, shape


if __name__ == "__main__":
    sys.exit(main())
