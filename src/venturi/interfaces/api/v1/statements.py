"""Routes of statements: closing, voiding, showing and checking them."""

from enum import StrEnum

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ContractNotFoundError, InvalidRequestError, StatementNotFoundError
from venturi.core.domain.interval import parse_time
from venturi.core.rules.checks import printable
from venturi.core.statements.document import SignedStatement, StatementKind
from venturi.interfaces.api.openapi.declaring import Answer, Parameter, declare, parameter_in_path
from venturi.interfaces.api.turns import ServerTurns
from venturi.interfaces.api.v1.forms.reading import Query, cut_page, listing_parameters, read_listing, read_once
from venturi.interfaces.api.v1.forms.statements import (
    ClosedForm,
    ClosingForm,
    FindingsForm,
    LinesForm,
    StatementForm,
    StatementList,
    StatementSummary,
    VerificationForm,
    VoidForm,
    closed_form,
    findings_form,
    lines_form,
    read_acceptances,
    statement_form,
    statement_summary,
    verification_form,
)
from venturi.interfaces.api.v1.forms.texts import FitText, GivenTime
from venturi.interfaces.api.v1.wire import ApiRequest, JsonBody, answer, answer_in_turn, identifier, query_of
from venturi.interfaces.render.statement_page import write_csv, write_page
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.statements.closing import StatementControl
from venturi.services.statements.keeping import Statements
from venturi.services.statements.lines import StatementLines
from venturi.services.statements.verifying import StatementVerifying

FILTERS = {"contract_id": FitText, "project_id": FitText, "kind": StatementKind, "period": FitText}
_COLLECTION = "/v1/statements"
_STATEMENT = "/v1/statements/{number:str}"
_TAGS = ["statements"]
_NUMBER = parameter_in_path("number", "The number of the statement.")
_CONTRACT_ID = parameter_in_path("contract_id", "The id of the contract.")
_A_STATEMENT = Answer(form=StatementSummary, meaning="The statement in short.")
_PERIOD = Parameter(
    name="period",
    description="The month in which the period begins, such as 2026-10, or `current`; by default `previous`, the latest one that is over.",
    form=FitText,
)
_MOST_DIGITS = 18
_CLOSING = JsonBody(
    form=ClosingForm,
    example={"period": "2026-10", "accepted": [{"name": "gap:uplink:2026-10-03T02:00:00Z", "reason": "announced works"}]},
)
_VOID = JsonBody(form=VoidForm, example={"reason": "a wrong price"})


class StatementAs(StrEnum):
    """The forms in which statements are given away."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


_MEDIA = {StatementAs.JSON: "application/json", StatementAs.CSV: "text/csv", StatementAs.HTML: "text/html; charset=utf-8"}
_FORMAT = Parameter(
    name="format", description="`json`, signed, by default; `csv` is every sample; `html` is one page to print.", form=StatementAs
)
_BOUNDS = tuple(
    Parameter(name=name, description=meaning, form=GivenTime)
    for name, meaning in (("from", "Only lines from this time on."), ("to", "Only lines before this time."))
)


@get(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_STATEMENTS},
    tags=_TAGS,
    operation_class=declare(StatementList, *listing_parameters(FILTERS), refusals=(404,)),
)
def list_statements(
    request: ApiRequest, caller: NamedDependency[Principal], statements: NamedDependency[Statements], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List statements.

    Lists by number the statements that the caller may see: all to an administrator, those of the project to others.
    """
    listing = read_listing(query_of(request), limits.page_resources, FILTERS)
    page, following = cut_page(statements.list(caller, listing), listing, lambda kept: str(kept.number))
    return answer(StatementList(statements=[statement_summary(kept) for kept in page], next=following))


@post(
    _COLLECTION,
    opt={OPERATION: Operation.CLOSE_STATEMENT},
    tags=_TAGS,
    operation_class=declare(Answer(form=ClosedForm, meaning="What became of each contract."), request=_CLOSING, refusals=(404, 409, 429)),
)
async def close_all(
    request: ApiRequest,
    body: RawBody,
    caller: NamedDependency[Principal],
    closing: NamedDependency[StatementControl],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Close a period of all contracts.

    Contracts whose figure is doubtful, or whose period is closed, are told with the reason, and the others are closed.
    """
    asked = _CLOSING.read(body)

    def work() -> bytes:
        return msgspec.json.encode(closed_form(closing.close_all(caller, asked.period, read_acceptances(asked))))

    return await answer_in_turn(request, turns, work, status=201)


@post(
    "/v1/contracts/{contract_id:str}/statements",
    opt={OPERATION: Operation.CLOSE_STATEMENT},
    tags=_TAGS,
    operation_class=declare(_A_STATEMENT, _CONTRACT_ID, request=_CLOSING, refusals=(404, 409, 429)),
)
async def close_statement(
    request: ApiRequest,
    contract_id: FromPath[str],
    body: RawBody,
    caller: NamedDependency[Principal],
    closing: NamedDependency[StatementControl],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Close a period of a contract.

    Makes a numbered statement, which never changes. It is refused while anything makes the figure doubtful that is not accepted by name.
    """
    asked, identity = _CLOSING.read(body), _contract(contract_id)

    def work() -> bytes:
        return msgspec.json.encode(statement_summary(closing.close(caller, identity, asked.period, read_acceptances(asked))))

    return await answer_in_turn(request, turns, work, status=201)


@get(
    "/v1/contracts/{contract_id:str}/findings",
    opt={OPERATION: Operation.CHECK_STATEMENT},
    tags=_TAGS,
    operation_class=declare(FindingsForm, _CONTRACT_ID, _PERIOD, refusals=(404, 429)),
)
async def check_period(
    request: ApiRequest,
    contract_id: FromPath[str],
    caller: NamedDependency[Principal],
    closing: NamedDependency[StatementControl],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """List what makes the figure of a period doubtful.

    Each finding has a name, which stays the same, and by which it is accepted when the period is closed.
    """
    query = query_of(request)
    _refuse_others(query, "period")
    period, identity = read_once(query, "period"), _contract(contract_id)
    return await answer_in_turn(request, turns, lambda: msgspec.json.encode(findings_form(closing.check(caller, identity, period))))


@get(
    _STATEMENT,
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_STATEMENT},
    tags=_TAGS,
    operation_class=declare(StatementForm, _NUMBER, refusals=(404,)),
)
def show_statement(number: FromPath[str], caller: NamedDependency[Principal], statements: NamedDependency[Statements]) -> Response[bytes]:
    """Show a statement.

    With all that it says but its samples.
    """
    return answer(statement_form(statements.show(caller, _number(number))))


@get(
    f"{_STATEMENT}/document",
    opt={OPERATION: Operation.EXPORT_STATEMENT},
    tags=_TAGS,
    operation_class=declare(Answer(form=SignedStatement, text_forms=("text/csv", "text/html")), _NUMBER, _FORMAT, refusals=(404, 429)),
)
async def export_statement(
    request: ApiRequest,
    number: FromPath[str],
    caller: NamedDependency[Principal],
    statements: NamedDependency[Statements],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Give a statement away.

    As the signed document that anybody can check, as CSV of its samples, or as a page. A form is kept as it was first made.
    """
    query = query_of(request)
    _refuse_others(query, "format")
    form, wanted = _read_form(read_once(query, "format")), _number(number)

    def work() -> bytes:
        if form is StatementAs.JSON:
            return statements.export(caller, wanted)
        return statements.render(caller, wanted, form.value, write_csv if form is StatementAs.CSV else write_page)

    return await answer_in_turn(request, turns, work, _MEDIA[form])


@get(
    f"{_STATEMENT}/lines",
    opt={OPERATION: Operation.EXPORT_STATEMENT},
    tags=_TAGS,
    operation_class=declare(LinesForm, _NUMBER, *_BOUNDS, refusals=(404, 429)),
)
async def show_lines(
    request: ApiRequest,
    number: FromPath[str],
    caller: NamedDependency[Principal],
    lines: NamedDependency[StatementLines],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Show the samples of a statement, each with its postings.

    What a posting adds is told under `/v1/postings/{number}`.
    """
    query = query_of(request)
    _refuse_others(query, "from", "to")
    start, end = (None if text is None else parse_time(text) for text in (read_once(query, "from"), read_once(query, "to")))
    wanted = _number(number)
    return await answer_in_turn(request, turns, lambda: msgspec.json.encode(lines_form(wanted, lines.read(caller, wanted, start, end))))


@get(
    f"{_STATEMENT}/verification",
    opt={OPERATION: Operation.VERIFY_STATEMENT},
    tags=_TAGS,
    operation_class=declare(VerificationForm, _NUMBER, refusals=(404, 429)),
)
async def verify_statement(
    request: ApiRequest,
    number: FromPath[str],
    caller: NamedDependency[Principal],
    verifying: NamedDependency[StatementVerifying],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Hold a statement to the ledger.

    Computes all of it again, as of its posting, and names the first difference.
    """
    wanted = _number(number)
    return await answer_in_turn(request, turns, lambda: msgspec.json.encode(verification_form(verifying.verify(caller, wanted))))


@post(
    f"{_STATEMENT}/voids",
    sync_to_thread=True,
    opt={OPERATION: Operation.VOID_STATEMENT},
    tags=_TAGS,
    operation_class=declare(_A_STATEMENT, _NUMBER, request=_VOID, refusals=(404, 409)),
)
def void_statement(
    number: FromPath[str], body: RawBody, caller: NamedDependency[Principal], closing: NamedDependency[StatementControl]
) -> Response[bytes]:
    """Cancel a statement.

    By another one with a number of its own; the period can be closed again after that.
    """
    return answer(statement_summary(closing.void(caller, _number(number), _VOID.read(body).reason)), status=201)


def _read_form(text: str | None) -> StatementAs:
    if text is None:
        return StatementAs.JSON
    for form in StatementAs:
        if form == text:
            return form
    message = f"format: '{printable(text)}' is none of {', '.join(StatementAs)}"
    raise InvalidRequestError(message)


def _refuse_others(query: Query, *known: str) -> None:
    unknown = sorted(set(query) - set(known))
    if unknown:
        message = f"{printable(unknown[0])}: there is no such parameter here; there are {', '.join(known)}"
        raise InvalidRequestError(message)


def _number(text: str) -> int:
    """Read the number of a statement; a text that is none is the number of nothing."""
    if not text.isascii() or not text.isdecimal() or len(text) > _MOST_DIGITS:
        message = f"Statement '{printable(text)}' does not exist."
        raise StatementNotFoundError(message)
    return int(text)


def _contract(text: str) -> str:
    return identifier(text, ContractNotFoundError, "Contract")


STATEMENT_ROUTES: list[ControllerRouterHandler] = [
    list_statements,
    close_all,
    close_statement,
    check_period,
    show_statement,
    export_statement,
    show_lines,
    verify_statement,
    void_statement,
]
"""The routes of statements."""
