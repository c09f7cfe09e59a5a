"""Routes of contracts: what they say, and what they come to in a period."""

import csv
import io
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from venturi.adapters.server.configuration import Limits
from venturi.core.contracts.terms import Side
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ContractNotFoundError, InvalidRequestError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import JSON_MEDIA, Answer, Parameter, declare, parameter_in_path
from venturi.interfaces.api.turns import ServerTurns
from venturi.interfaces.api.v1.forms.contracts import (
    ContractChangesForm,
    ContractDetails,
    ContractList,
    NewContractForm,
    contract_changes,
    contract_details,
    contract_form,
    new_contract,
)
from venturi.interfaces.api.v1.forms.measures import (
    SAMPLE_COLUMNS,
    MeasureForm,
    MeasuresForm,
    SamplesForm,
    contract_measure_form,
    measure_form,
    samples_form,
)
from venturi.interfaces.api.v1.forms.reading import Query, cut_page, listing_parameters, read_boolean, read_listing, read_once, read_text
from venturi.interfaces.api.v1.forms.texts import FitText
from venturi.interfaces.api.v1.wire import ApiRequest, JsonBody, answer, answer_in_turn, identifier, query_of
from venturi.services.contracts.keeping import ContractControl
from venturi.services.contracts.measuring import ContractMeasures
from venturi.services.control.policy import OPERATION, Operation

FILTERS = {"id": FitText, "name": FitText, "project_id": FitText, "direction": Side}
_COLLECTION = "/v1/contracts"
_CONTRACT = "/v1/contracts/{contract_id:str}"
_MOST_MEASURED = 50
"""How many contracts are measured for one request at most."""

_NOUN = "Contract"
_TAGS = ["contracts"]
_MEMBER = {"kind": "project", "id": "customer-7"}
_MEASURE = {"kind": "percentile", "percentile": "95", "of": "max", "commit": "100", "commit_price": "2.50", "burst_price": "4"}
_NEW = JsonBody(
    form=NewContractForm,
    example={
        "name": "customer 7",
        "boundary": "routers",
        "members": [_MEMBER],
        "zone": "Europe/Zurich",
        "measure": _MEASURE,
        "unit": "Mbit/s",
        "currency": "CHF",
    },
)
_CHANGES = JsonBody(form=ContractChangesForm, example={"takes_effect": "next", "minimum_charge": "100"})
_CONTRACT_ID = parameter_in_path("contract_id", "The id of the contract.")
_A_CONTRACT = Answer(form=ContractDetails, meaning="The contract in full.")
_PERIOD = Parameter(
    name="period",
    description="The month in which the period begins, such as 2026-10, or `previous`; by default `current`, the one that is running.",
    form=FitText,
)
_ACCEPT = Parameter(
    name="accept_missing", description="Whether there is a percentile however few samples are known; by default not.", form=bool
)
_INVOICED = Parameter(
    name="invoiced",
    description="Somebody else's figure, to be set beside this one: a number with its unit.",
    form=Annotated[str, Meta(examples=["6.5Gbit/s"], max_length=64)],
)


class SamplesAs(StrEnum):
    """The forms of samples."""

    JSON = "json"
    CSV = "csv"


_CSV = "text/csv"
_BY_FORM = {"Vary": "Accept"}
_FORMAT = Parameter(name="format", description="The form of the answer; by default what Accept asks for, else JSON.", form=SamplesAs)


@get(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_CONTRACTS},
    tags=_TAGS,
    operation_class=declare(ContractList, *listing_parameters(FILTERS), refusals=(404,)),
)
def list_contracts(
    request: ApiRequest, caller: NamedDependency[Principal], contracts: NamedDependency[ContractControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List contracts.

    Lists the contracts that the caller may see: all to an administrator, those of the project to others.
    """
    listing = read_listing(query_of(request), limits.page_resources, FILTERS)
    page, following = cut_page(contracts.list_contracts(caller, listing), listing, lambda contract: contract.id)
    now = contracts.now()
    return answer(ContractList(contracts=[contract_form(contract, now) for contract in page], next=following))


@post(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.CREATE_CONTRACT},
    tags=_TAGS,
    operation_class=declare(_A_CONTRACT, request=_NEW, refusals=(404, 409)),
)
def create_contract(body: RawBody, caller: NamedDependency[Principal], contracts: NamedDependency[ContractControl]) -> Response[bytes]:
    """Make a contract.

    Its members are labels, projects and observation points of its project; only an administrator can add others. Members that may count
    the same packet are refused unless that is accepted with a reason.
    """
    return answer(contract_details(contracts.create(caller, new_contract(_NEW.read(body))), contracts.now()), status=201)


@get(
    _CONTRACT,
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_CONTRACT},
    tags=_TAGS,
    operation_class=declare(_A_CONTRACT, _CONTRACT_ID, refusals=(404,)),
)
def show_contract(
    contract_id: FromPath[str], caller: NamedDependency[Principal], contracts: NamedDependency[ContractControl]
) -> Response[bytes]:
    """Show a contract.

    With what it says now, and all that it ever said.
    """
    return answer(contract_details(contracts.find(caller, _identify(contract_id)), contracts.now()))


@patch(
    _CONTRACT,
    sync_to_thread=True,
    opt={OPERATION: Operation.UPDATE_CONTRACT},
    tags=_TAGS,
    operation_class=declare(_A_CONTRACT, _CONTRACT_ID, request=_CHANGES, refusals=(404, 409)),
)
def update_contract(
    contract_id: FromPath[str], body: RawBody, caller: NamedDependency[Principal], contracts: NamedDependency[ContractControl]
) -> Response[bytes]:
    """Change a contract.

    What it says changes from the next period on, unless another is asked for; name and end change at once.
    """
    changes = contract_changes(_CHANGES.read(body))
    return answer(contract_details(contracts.update(caller, _identify(contract_id), changes), contracts.now()))


@delete(
    _CONTRACT,
    sync_to_thread=True,
    opt={OPERATION: Operation.DELETE_CONTRACT},
    tags=_TAGS,
    operation_class=declare(Answer(meaning="The contract is gone."), _CONTRACT_ID, refusals=(404,)),
)
def delete_contract(contract_id: FromPath[str], caller: NamedDependency[Principal], contracts: NamedDependency[ContractControl]) -> None:
    """Remove a contract.

    With all that it ever said; what its members counted stays.
    """
    contracts.delete(caller, _identify(contract_id))


@get(
    f"{_CONTRACT}/measure",
    opt={OPERATION: Operation.MEASURE_CONTRACT},
    tags=_TAGS,
    operation_class=declare(MeasureForm, _CONTRACT_ID, _PERIOD, _ACCEPT, _INVOICED, refusals=(404, 429)),
)
async def measure_contract(
    request: ApiRequest,
    contract_id: FromPath[str],
    caller: NamedDependency[Principal],
    measures: NamedDependency[ContractMeasures],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Measure a period of a contract.

    Gives the percentile or the volume, the sample that decides, the samples known and missing, and the price, line by line.
    """
    query = _read_query(request, "accept_missing", "invoiced")
    accepts = read_once(query, "accept_missing")
    accept_missing = accepts is not None and read_boolean("accept_missing", accepts)
    period, invoiced, identity = read_once(query, "period"), read_once(query, "invoiced"), _identify(contract_id)

    def work() -> bytes:
        measured = measures.measure(caller, identity, period, accept_missing=accept_missing)
        return msgspec.json.encode(measure_form(measured, invoiced))

    return await answer_in_turn(request, turns, work, headers=_BY_FORM)


@get(
    f"{_CONTRACT}/samples",
    opt={OPERATION: Operation.SHOW_SAMPLES},
    tags=_TAGS,
    operation_class=declare(Answer(form=SamplesForm, text_forms=(_CSV,)), _CONTRACT_ID, _PERIOD, _FORMAT, refusals=(404, 429)),
)
async def show_samples(
    request: ApiRequest,
    contract_id: FromPath[str],
    caller: NamedDependency[Principal],
    measures: NamedDependency[ContractMeasures],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Show all samples of a period of a contract.

    Whoever has them can compute the figure by hand, as JSON or CSV.
    """
    query = _read_query(request, "format")
    period, form, identity = read_once(query, "period"), _read_form(query, request.headers.get("accept", "")), _identify(contract_id)

    def work() -> bytes:
        samples = samples_form(measures.samples(caller, identity, period))
        return _write_csv(samples) if form is SamplesAs.CSV else msgspec.json.encode(samples)

    return await answer_in_turn(request, turns, work, _CSV if form is SamplesAs.CSV else JSON_MEDIA, headers=_BY_FORM)


@get(
    "/v1/measures",
    opt={OPERATION: Operation.LIST_MEASURES},
    tags=_TAGS,
    operation_class=declare(MeasuresForm, *listing_parameters(FILTERS), _PERIOD, _ACCEPT, refusals=(404, 429)),
)
async def list_measures(
    request: ApiRequest,
    caller: NamedDependency[Principal],
    contracts: NamedDependency[ContractControl],
    measures: NamedDependency[ContractMeasures],
    turns: NamedDependency[ServerTurns],
    limits: NamedDependency[Limits],
) -> Response[bytes]:
    """Measure a period of many contracts.

    Lists the contracts that the caller may measure with what each comes to in the period, at most 50 on a page. A contract that has no such
    period, or does not hold in it, says so.
    """
    query = query_of(request)
    accepts, asked_period = read_once(query, "accept_missing"), read_once(query, "period")
    accept_missing = accepts is not None and read_boolean("accept_missing", accepts)
    period: str | None = None if asked_period is None else read_text("period", asked_period, FitText)
    listed = {name: texts for name, texts in query.items() if name not in {"accept_missing", "period"}}
    asked = read_listing(listed, limits.page_resources, FILTERS)
    listing = replace(asked, limit=min(asked.limit or _MOST_MEASURED, _MOST_MEASURED + 1))

    def work() -> bytes:
        page, following = cut_page(contracts.list_contracts(caller, listing), listing, lambda contract: contract.id)
        told = map(contract_measure_form, measures.measure_all(caller, page, period, accept_missing=accept_missing))
        forms = {form.contract_id: form for form in told}
        return msgspec.json.encode(MeasuresForm(measures=[forms[contract.id] for contract in page], next=following))

    return await answer_in_turn(request, turns, work)


def _read_query(request: ApiRequest, *others: str) -> Query:
    query = query_of(request)
    unknown = sorted(set(query) - {"period", *others})
    if unknown:
        message = f"{printable(unknown[0])}: there is no such parameter here; there are period, {', '.join(others)}"
        raise InvalidRequestError(message)
    return query


def _read_form(query: Query, accepted: str) -> SamplesAs:
    text = read_once(query, "format")
    if text is None:
        wanted = [part.partition(";")[0].strip().lower() for part in accepted.split(",")]
        return SamplesAs.CSV if _CSV in wanted and "application/json" not in wanted else SamplesAs.JSON
    for form in SamplesAs:
        if form == text:
            return form
    message = f"format: '{printable(text)}' is none of {', '.join(SamplesAs)}"
    raise InvalidRequestError(message)


def _write_csv(samples: SamplesForm) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(SAMPLE_COLUMNS)
    for sample in samples.samples:
        writer.writerow(_cell(getattr(sample, name)) for name in SAMPLE_COLUMNS)
    return stream.getvalue().encode()


def _cell(value: str | int | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _identify(contract_id: str) -> str:
    return identifier(contract_id, ContractNotFoundError, _NOUN)


CONTRACT_ROUTES: list[ControllerRouterHandler] = [
    list_contracts,
    create_contract,
    show_contract,
    update_contract,
    delete_contract,
    measure_contract,
    show_samples,
    list_measures,
]
