"""Routes of usage and of the totals of points; answers are written while the store is read."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain

from litestar import get
from litestar.di import NamedDependency
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from venturi.core.domain.control.principal import Principal
from venturi.interfaces.api.v1.usage.queries import POINT_FILTERS, USAGE_FILTERS, Askable, UsageForm, read_form, read_raw, read_request
from venturi.interfaces.api.v1.usage.writing import POINT_COUNTS, USAGE_COUNTS, write_csv, write_json
from venturi.interfaces.api.v1.wire import ApiRequest, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.reports.reporting import ReportInterval, UsageReports
from venturi.services.reports.request import POINT_GROUPINGS, Grouping, UsageRequest

_USAGE = Askable(filters=USAGE_FILTERS, groupings=tuple(Grouping), unasked=(Grouping.LABEL, Grouping.DIRECTION))
_POINTS = Askable(filters=POINT_FILTERS, groupings=POINT_GROUPINGS, unasked=(Grouping.POINT, Grouping.DIRECTION))
_MEDIA_TYPES = {UsageForm.JSON: "application/json", UsageForm.CSV: "text/csv"}


@get("/v1/usage", sync_to_thread=True, opt={OPERATION: Operation.READ_USAGE})
def report_usage(request: ApiRequest, caller: NamedDependency[Principal], reports: NamedDependency[UsageReports]) -> Stream:
    """Report the usage of labels."""
    return _stream(request, reports, _USAGE, USAGE_COUNTS, lambda asked: reports.usage(caller, asked))


@get("/v1/usage/points", sync_to_thread=True, opt={OPERATION: Operation.READ_POINT_TOTALS})
def report_point_totals(request: ApiRequest, caller: NamedDependency[Principal], reports: NamedDependency[UsageReports]) -> Stream:
    """Report all that points counted, what no label counts included."""
    return _stream(request, reports, _POINTS, POINT_COUNTS, lambda asked: reports.point_totals(caller, asked))


def _stream(
    request: ApiRequest,
    reports: UsageReports,
    askable: Askable,
    counts: Sequence[str],
    report: Callable[[UsageRequest], Iterable[ReportInterval]],
) -> Stream:
    """Read the first block now, while what is wrong can still be said by a status, and the others as they are sent."""
    query = query_of(request)
    form = read_form(query, request.headers.get("accept", ""))
    asked = read_request(query, askable, reports.now())
    write = write_json if form is UsageForm.JSON else partial(write_csv, raw=read_raw(query))
    blocks = write(asked, report(asked), counts)
    return Stream(chain([next(blocks)], blocks), media_type=_MEDIA_TYPES[form], headers={"Vary": "Accept"})


USAGE_ROUTES: list[ControllerRouterHandler] = [report_usage, report_point_totals]
