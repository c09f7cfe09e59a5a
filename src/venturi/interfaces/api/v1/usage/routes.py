"""Routes of usage and of the totals of points; answers are written while the store is read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from contextlib import suppress
from functools import partial

from litestar import get
from litestar.di import NamedDependency
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.memory import trim_memory
from venturi.core.domain.control.principal import Principal
from venturi.interfaces.api.turns import ServerTurns, at_end
from venturi.interfaces.api.v1.usage.queries import POINT_FILTERS, USAGE_FILTERS, Askable, UsageForm, read_form, read_raw, read_request
from venturi.interfaces.api.v1.usage.writing import POINT_COUNTS, USAGE_COUNTS, write_csv, write_json
from venturi.interfaces.api.v1.wire import ApiRequest, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.reports.reporting import ReportInterval, UsageReports
from venturi.services.reports.request import POINT_GROUPINGS, Grouping, UsageRequest

_USAGE = Askable(filters=USAGE_FILTERS, groupings=tuple(Grouping), unasked=(Grouping.LABEL, Grouping.DIRECTION), counts=USAGE_COUNTS)
_POINTS = Askable(filters=POINT_FILTERS, groupings=POINT_GROUPINGS, unasked=(Grouping.POINT, Grouping.DIRECTION), counts=POINT_COUNTS)
_MEDIA_TYPES = {UsageForm.JSON: "application/json", UsageForm.CSV: "text/csv"}


@get("/v1/usage", opt={OPERATION: Operation.READ_USAGE})
async def report_usage(
    request: ApiRequest, caller: NamedDependency[Principal], reports: NamedDependency[UsageReports], turns: NamedDependency[ServerTurns]
) -> Stream:
    """Report the usage of labels."""
    return await _stream(request, reports, turns, _USAGE, lambda asked: reports.usage(caller, asked))


@get("/v1/usage/points", opt={OPERATION: Operation.READ_POINT_TOTALS})
async def report_point_totals(
    request: ApiRequest, caller: NamedDependency[Principal], reports: NamedDependency[UsageReports], turns: NamedDependency[ServerTurns]
) -> Stream:
    """Report all that points counted, what no label counts included."""
    return await _stream(request, reports, turns, _POINTS, lambda asked: reports.point_totals(caller, asked))


async def _stream(
    request: ApiRequest,
    reports: UsageReports,
    turns: ServerTurns,
    askable: Askable,
    report: Callable[[UsageRequest], Iterable[ReportInterval]],
) -> Stream:
    """Read the first block now, while what is wrong can still be said by a status, and the others as they are sent, each in its turn."""
    query = query_of(request)
    form = read_form(query, request.headers.get("accept", ""))
    raw = read_raw(query)
    asked = reports.confine(read_request(query, askable, reports.now()))
    caller = request.user.user_id
    at_end(request.scope, await turns.places.take(caller))

    write = write_json if form is UsageForm.JSON else partial(write_csv, raw=raw)
    blocks = write(asked, report(asked), askable.counts)
    at_end(request.scope, lambda: _let_go(blocks))
    first = await turns.reports.run(caller, lambda: next(blocks))

    async def send() -> AsyncIterator[bytes]:
        block: bytes | None = first
        while block is not None:
            yield block
            block = await turns.reports.run(caller, lambda: next(blocks, None))

    return Stream(send(), media_type=_MEDIA_TYPES[form], headers={"Vary": "Accept"})


def _let_go(blocks: Generator[bytes, None, None]) -> None:
    """Free what a report holds, at once; one that is being read in a thread is freed when that ends."""
    with suppress(ValueError):
        blocks.close()
    asyncio.get_running_loop().run_in_executor(None, trim_memory)


USAGE_ROUTES: list[ControllerRouterHandler] = [report_usage, report_point_totals]
