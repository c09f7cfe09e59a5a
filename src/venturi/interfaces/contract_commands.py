"""What commands on contracts do beyond those on any resource: members by their names, and what a period comes to.

Owns what people see of a measure. Figures are the server's, as texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import quote

from venturi.adapters.client.answers import Json
from venturi.adapters.client.collections import CONTRACTS, LABELS, POINTS, Collection, Reference
from venturi.adapters.client.resources import Resource, Resources
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.rules.checks import printable
from venturi.interfaces.render.resources.output import write_document, write_list, write_one
from venturi.interfaces.render.resources.selection import Row, choose_columns
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.resource_commands import check_columns, show
from venturi.interfaces.standard_output import write_paged, write_standard_output

_NAMED: Mapping[str, Collection] = {"label": LABELS, "point": POINTS}
_SAMPLES = ("start", "ingress_octets", "egress_octets", "unknown_octets", "known", "measured_octets", "position")


_MEASURES = (
    "contract_id",
    "contract",
    "project_id",
    "direction",
    "period",
    "so_far",
    "known",
    "missing",
    "kind",
    "figure",
    "unit",
    "total",
    "currency",
    "refusal",
)
_MEASURES_SHOWN = ("contract", "period", "figure", "unit", "total", "currency", "missing", "refusal")


class ContractCommands:
    """The commands on the contracts of one server; each gives the exit code."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create(self, attributes: Mapping[str, object], members: Sequence[str], view: View) -> int:
        """Create a contract and write it; ``members`` are ``KIND:NAME``."""
        check_columns(CONTRACTS, view)
        body = {**attributes, "members": self._members(members)}
        return show(dict(self._resources.ask("POST", CONTRACTS.path, body)), CONTRACTS, view)

    def show(self, text: str, view: View) -> int:
        """Write a contract with all that it ever said; people see of its versions who made them and from when on they hold."""
        check_columns(CONTRACTS, view)
        found = self._find(text)
        if view.form == "table":
            found["versions"] = [_spell_version(version) for version in _objects(found, "versions")]
        return show(found, CONTRACTS, view)

    def change(self, text: str, changes: Mapping[str, object], measure: Mapping[str, object], members: Sequence[str]) -> int:
        """Change a contract, of what it measures only what ``measure`` names, and write nothing."""
        found = self._find(text)
        body = dict(changes)
        if members:
            body["members"] = self._members(members)
        if measure:
            body["measure"] = _merge(_latest_measure(found), measure)
        if not body.keys() - {"takes_effect"}:
            message = "nothing is said of what to change of the contract"
            raise InvalidRequestError(message)
        self._resources.ask("PATCH", f"{CONTRACTS.path}/{quote(str(found['id']), safe='')}", body)
        return 0

    def measure(self, text: str, query: Sequence[tuple[str, str]], view: View) -> int:
        """Write what a contract comes to in a period: for people, as the server's document, or, as CSV, every sample."""
        path = f"{CONTRACTS.path}/{quote(self._resources.identify(Reference(CONTRACTS, text)), safe='')}"
        if view.form == "csv" and not any(name == "invoiced" for name, _ in query):
            return self._write_samples(path, [pair for pair in query if pair[0] == "period"], view)
        found = self._resources.ask("GET", f"{path}/measure", query=query)
        if view.form in {"json", "yaml"} and not view.columns:
            write_standard_output(partial(write_document, found, view))
            return 0
        row = _tell(found)
        write_paged(partial(write_one, row, choose_columns(view.columns, tuple(row), tuple(row)), view))
        return 0

    def measure_all(self, query: Sequence[tuple[str, str]], view: View) -> int:
        """Write what all contracts come to in a period, as a list; pages are asked for until the last."""
        columns = choose_columns(view.columns, _MEASURES, _MEASURES if view.form != "table" else _MEASURES_SHOWN)
        order = choose_columns(view.sort_columns, _MEASURES, ())
        rows: list[Row] = []
        marker: object = ""
        while marker is not None:
            page = self._resources.ask("GET", "/v1/measures", query=[*query, *([("marker", str(marker))] if marker else [])])
            rows += [_flatten(measure) for measure in _objects(page, "measures")]
            marker = page.get("next")
        write_standard_output(partial(write_list, rows, columns, replace(view, columns=(), sort_columns=order)))
        return 0

    def _write_samples(self, path: str, query: Sequence[tuple[str, str]], view: View) -> int:
        columns = choose_columns(view.columns, _SAMPLES, _SAMPLES)
        samples = _objects(self._resources.ask("GET", f"{path}/samples", query=query), "samples")
        write_standard_output(partial(write_list, samples, columns, replace(view, columns=(), sort_columns=())))
        return 0

    def _find(self, text: str) -> Resource:
        identifier = self._resources.identify(Reference(CONTRACTS, text))
        return dict(self._resources.ask("GET", f"{CONTRACTS.path}/{quote(identifier, safe='')}"))

    def _members(self, texts: Sequence[str]) -> list[Json]:
        return [self._member(text) for text in texts]

    def _member(self, text: str) -> Json:
        """Read a member; the name of a label or point becomes its id."""
        kind, separator, name = text.partition(":")
        if not separator or not name or kind not in {*_NAMED, "project"}:
            message = f"--member: '{printable(text)}' is none of label:NAME, project:ID and point:NAME"
            raise InvalidRequestError(message)
        collection = _NAMED.get(kind)
        return {"kind": kind, "id": name if collection is None else self._resources.identify(Reference(collection, name))}


def _spell_version(version: Resource) -> Resource:
    return {str(version.get("number")): f"since {version.get('since')}, by {version.get('author')} at {version.get('at')}"}


def _latest_measure(contract: Resource) -> Json:
    """Give what the newest version measures, which changes build on."""
    terms = _objects(contract, "versions")[-1]["terms"]
    measure = terms.get("measure") if isinstance(terms, dict) else None
    return measure if isinstance(measure, dict) else {}


def _merge(present: Json, given: Mapping[str, object]) -> Json:
    """Give a measure with new values; one of another kind begins anew."""
    return {**present, **given} if present.get("kind") == given.get("kind", present.get("kind")) else dict(given)


def _tell(measure: Json) -> Row:
    """Tell people what a contract comes to, by names in the order of reading; what does not apply is left out."""
    period, samples, octets = (_object(measure, name) for name in ("period", "samples", "missing_octets"))
    unit, currency = measure.get("unit"), measure.get("currency")
    running = ", so far" if measure.get("so_far") else ""
    told: dict[str, object] = {
        "contract": measure.get("contract"),
        "project_id": measure.get("project_id"),
        "direction": measure.get("direction"),
        "period": f"{period.get('name')}, from {period.get('start')} to {period.get('end')}{running}",
        "version": measure.get("version"),
        "samples": f"{samples.get('known')} of {samples.get('expected')} known ({samples.get('known_percent')} %)",
        "missing": samples.get("missing"),
        "octets_in_missing": octets if any(octets.values()) else None,
        "measure": _spell_measure(measure),
        "refusal": measure.get("refusal"),
        "figure": _with_unit(measure.get("figure"), unit),
        "deciding_sample": _spell_sample(measure.get("deciding"), unit),
        "commit": _with_unit(measure.get("commit"), unit),
        "included": _with_unit(measure.get("included"), unit),
        "overage": _with_unit(measure.get("overage"), unit),
        "price": [_spell_line(line, unit, currency) for line in _objects(measure, "lines")] or None,
        "total": _with_unit(measure.get("total"), currency),
    }
    invoiced = measure.get("invoiced")
    if isinstance(invoiced, dict):
        percent = f" ({invoiced['percent']} %)" if invoiced.get("percent") is not None else ""
        told |= {
            "invoiced": _with_unit(invoiced.get("figure"), unit),
            "difference": f"{_with_unit(invoiced.get('difference'), unit)}{percent}",
            "samples_up_to_invoiced": invoiced.get("samples_up_to"),
            "samples_around": [{str(sample.get("position")): _spell_rate(sample, unit)} for sample in _objects(measure, "around")] or None,
        }
    return {name: value for name, value in told.items() if value is not None}


def _flatten(measure: Row) -> Row:
    """Give what a contract comes to as one row: of its period the name, of its samples how many are known and missing."""
    document = dict(measure)
    period, samples = _object(document, "period"), _object(document, "samples")
    return {**document, "period": period.get("name"), "known": samples.get("known"), "missing": samples.get("missing")}


def _spell_measure(measure: Json) -> str:
    if measure.get("kind") == "volume":
        return f"volume, {measure.get('of')}"
    deciding, samples = measure.get("deciding"), _object(measure, "samples")
    at = f", position {deciding.get('position')} of {samples.get('known')}" if isinstance(deciding, dict) else ""
    return f"percentile {measure.get('percentile')}, {measure.get('of')}{at}"


def _spell_sample(sample: object, unit: object) -> str | None:
    return _spell_rate(sample, unit) if isinstance(sample, dict) else None


def _spell_rate(sample: Json, unit: object) -> str:
    return f"{sample.get('figure')} {unit} at {sample.get('start')}, {sample.get('octets')} octets"


def _spell_line(line: Row, unit: object, currency: object) -> dict[str, object]:
    quantity = line.get("quantity")
    product = None if quantity is None else f"{quantity} {unit} at {line.get('price')}"
    return {str(line.get("name")): f"{product} = {line.get('amount')} {currency}" if product else f"{line.get('amount')} {currency}"}


def _with_unit(figure: object, unit: object) -> str | None:
    return None if figure is None else f"{figure} {unit}"


def _object(document: Json, name: str) -> Json:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _objects(document: Json, name: str) -> list[Resource]:
    found = document.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
