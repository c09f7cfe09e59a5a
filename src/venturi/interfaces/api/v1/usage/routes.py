"""Routes of usage and of the totals of points; answers are written while the store is read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Sequence
from contextlib import suppress
from functools import partial

from litestar import get
from litestar.di import NamedDependency
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.memory import trim_memory
from venturi.interfaces.api.openapi.declaring import Answer, declare
from venturi.interfaces.api.turns import ServerTurns, at_end
from venturi.interfaces.api.v1.forms.usage import PointReportForm, UsageReportForm
from venturi.interfaces.api.v1.usage.encoding import choose_encoding, encode
from venturi.interfaces.api.v1.usage.queries import (
    COLUMNAR,
    MEDIA_TYPES,
    POINT_FILTERS,
    USAGE_FILTERS,
    Askable,
    UsageForm,
    read_form,
    read_raw,
    read_request,
    usage_parameters,
)
from venturi.interfaces.api.v1.usage.writing import LABEL_COUNTS, POINT_COUNTS, write_csv, write_json
from venturi.interfaces.api.v1.wire import ApiRequest, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.reports.reporting import USED_COUNTS, UsageReports
from venturi.services.reports.request import POINT_GROUPINGS, Grouping, UsageRequest
from venturi.services.reports.rows import ReportInterval

_USAGE = Askable(
    filters=USAGE_FILTERS,
    groupings=tuple(Grouping),
    unasked=(Grouping.LABEL, Grouping.DIRECTION),
    counts=lambda request: USED_COUNTS if request.by_owner else LABEL_COUNTS,
)
_POINTS = Askable(
    filters=POINT_FILTERS,
    groupings=POINT_GROUPINGS,
    unasked=(Grouping.POINT, Grouping.DIRECTION),
    counts=lambda _request: POINT_COUNTS,
)
_TAGS = ["usage"]
_TEXT_FORMS = (MEDIA_TYPES[UsageForm.CSV],)
_BINARY_FORMS = tuple(MEDIA_TYPES[form] for form in UsageForm if form in COLUMNAR)

WriteColumns = Callable[[UsageForm, UsageRequest, Iterable[ReportInterval], Sequence[str]], Generator[bytes, None, None]]
"""Writes a report by columns; ``columns.write_columns`` does."""

ColumnLoader = Callable[[], WriteColumns]
"""Loads what writes a report by columns; raises ``UnacceptableFormError`` where it is not installed."""


@get(
    "/v1/usage",
    opt={OPERATION: Operation.READ_USAGE},
    tags=_TAGS,
    operation_class=declare(
        Answer(form=UsageReportForm, text_forms=_TEXT_FORMS, binary_forms=_BINARY_FORMS),
        *usage_parameters(_USAGE),
        refusals=(404, 406, 429),
    ),
)
async def report_usage(
    request: ApiRequest,
    reports: NamedDependency[UsageReports],
    turns: NamedDependency[ServerTurns],
    load_columns: NamedDependency[ColumnLoader],
) -> Stream:
    """Report the usage of labels.

    Sums what labels counted, with the coverage of each interval; streamed, as JSON, CSV, Parquet or Arrow. To others than administrators
    it shows labels of their project at its points and at shared ones, and shared labels at its points. A label without a row counted
    nothing as far as the coverage of the interval reaches. A packet counts once for each label that it belongs to. A report that tells no
    labels apart and asks for none has what projects used: a packet counts once for each project, in `alone_packets` and `alone_octets` if
    no label of another project counts it. Rows of shared labels stand apart. Where `labels_may_overlap`, a packet may have been counted
    several times: by an agent that does not tell what projects used, by several shared labels, or for several projects.
    """
    return await stream_usage(request, reports, turns, load_columns)


@get(
    "/v1/usage/points",
    opt={OPERATION: Operation.READ_POINT_TOTALS},
    tags=_TAGS,
    operation_class=declare(
        Answer(form=PointReportForm, text_forms=_TEXT_FORMS, binary_forms=_BINARY_FORMS),
        *usage_parameters(_POINTS),
        refusals=(404, 406, 429),
    ),
)
async def report_point_totals(
    request: ApiRequest,
    reports: NamedDependency[UsageReports],
    turns: NamedDependency[ServerTurns],
    load_columns: NamedDependency[ColumnLoader],
) -> Stream:
    """Report the totals of observation points.

    Sums all that was counted at the points that the caller may see, each packet once, and how much of it no label counts or could not
    be classed; streamed, as JSON, CSV, Parquet or Arrow.
    """
    return await stream_point_totals(request, reports, turns, load_columns)


async def stream_usage(request: ApiRequest, reports: UsageReports, turns: ServerTurns, load_columns: ColumnLoader) -> Stream:
    """Answer with a report of the usage of labels, in the form and about what the query asks for."""
    return await _stream(request, reports, turns, load_columns, _USAGE, lambda asked: reports.usage(request.user, asked))


async def stream_point_totals(request: ApiRequest, reports: UsageReports, turns: ServerTurns, load_columns: ColumnLoader) -> Stream:
    """Answer with a report of the totals of observation points, likewise."""
    return await _stream(request, reports, turns, load_columns, _POINTS, lambda asked: reports.point_totals(request.user, asked))


async def _stream(
    request: ApiRequest,
    reports: UsageReports,
    turns: ServerTurns,
    load_columns: ColumnLoader,
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

    encoding = None if form in COLUMNAR else choose_encoding(request.headers.get("accept-encoding", ""))
    write = await turns.reports.run(caller, lambda: _writing(form, load_columns, raw=raw))
    blocks = write(asked, report(asked), askable.counts(asked))
    if encoding is not None:
        blocks = encode(blocks, encoding)
    at_end(request.scope, lambda: _let_go(blocks))
    first = await turns.reports.run(caller, lambda: next(blocks))

    async def send() -> AsyncIterator[bytes]:
        block: bytes | None = first
        while block is not None:
            yield block
            block = await turns.reports.run(caller, lambda: next(blocks, None))

    headers = {"Vary": "Accept, Accept-Encoding", **({} if encoding is None else {"Content-Encoding": encoding})}
    return Stream(send(), media_type=MEDIA_TYPES[form], headers=headers)


def _writing(
    form: UsageForm, load_columns: ColumnLoader, *, raw: bool
) -> Callable[[UsageRequest, Iterable[ReportInterval], Sequence[str]], Generator[bytes, None, None]]:
    """Give what writes a form; raises ``UnacceptableFormError``."""
    if form in COLUMNAR:
        return partial(load_columns(), form)
    return write_json if form is UsageForm.JSON else partial(write_csv, raw=raw)


def _let_go(blocks: Generator[bytes, None, None]) -> None:
    """Free what a report holds, at once; one that is being read in a thread is freed when that ends."""
    with suppress(ValueError):
        blocks.close()
    asyncio.get_running_loop().run_in_executor(None, trim_memory)


USAGE_ROUTES: list[ControllerRouterHandler] = [report_usage, report_point_totals]
