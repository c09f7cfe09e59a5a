"""What commands on statements do: ask the server, and write what people or programs read; and the check of a file without any server.

Owns what people see of a statement. Figures are the server's, as texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from venturi.adapters.client.answers import Json
from venturi.adapters.client.collections import CONTRACTS, Reference
from venturi.adapters.client.resources import Resource, Resources
from venturi.core.domain.errors import InvalidStatementError, UnreadableFileError
from venturi.core.statements.document import SignedStatement, read_signed
from venturi.core.statements.verifying import check_statement
from venturi.interfaces.output_files import whole_file
from venturi.interfaces.render.resources.output import write_document, write_list, write_one
from venturi.interfaces.render.resources.selection import Row, choose_columns
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.standard_output import write_paged, write_sentence, write_standard_output

_STATEMENTS = "/v1/statements"
_FINDINGS = ("name", "sentence", "acceptable")
_LINES = ("start", "ingress_octets", "egress_octets", "unknown_octets", "known", "postings")
_REFUSED = 1


class StatementCommands:
    """The commands on the statements of one server; each gives the exit code."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def check(self, contract: str, period: str | None, view: View) -> int:
        """Write what makes the figure of a period doubtful; the exit code is 1 if anything does."""
        query = [] if period is None else [("period", period)]
        found = self._resources.ask("GET", f"{self._contract(contract)}/findings", query=query)
        findings = _objects(found, "findings")
        self._write_list(findings, _FINDINGS, found, view)
        return _REFUSED if findings else 0

    def close(self, contract: str, period: str | None, accepted: Sequence[Mapping[str, str]], view: View) -> int:
        """Close a period of a contract, and write the statement in short."""
        body = _closing(period, accepted)
        made = self._resources.ask("POST", f"{self._contract(contract)}/statements", body)
        return _write_one(made, view)

    def close_all(self, period: str | None, accepted: Sequence[Mapping[str, str]], view: View) -> int:
        """Close a period of all contracts, write what was closed, and say why others were not; then the exit code is 1."""
        done = self._resources.ask("POST", _STATEMENTS, _closing(period, accepted))
        columns = ("number", "contract", "project_id", "kind", "period", "total", "currency")
        self._write_list(_objects(done, "closed"), columns, done, view)
        refused = _objects(done, "refused")
        for each in refused:
            write_sentence(str(each.get("sentence")))
        return _REFUSED if refused else 0

    def show(self, number: int, view: View) -> int:
        """Write a statement: for people, or as the server's document."""
        found = self._resources.ask("GET", f"{_STATEMENTS}/{number}")
        if view.form in {"json", "yaml"} and not view.columns:
            write_standard_output(partial(write_document, found, view))
            return 0
        return _write_one(_tell(found), view)

    def lines(self, number: int, query: Sequence[tuple[str, str]], view: View) -> int:
        """Write the samples of a statement, each with its postings."""
        found = self._resources.ask("GET", f"{_STATEMENTS}/{number}/lines", query=query)
        self._write_list(_objects(found, "lines"), _LINES, found, view)
        return 0

    def export(self, number: int, form: str, output: Path | None) -> int:
        """Write a statement, as it is given away, to a file or to standard output."""
        octets = self._resources.fetch(f"{_STATEMENTS}/{number}/document", [("format", form)])
        if output is None:
            write_standard_output(partial(_write_text, octets.decode()))
        else:
            with whole_file(str(output)) as temporary:
                temporary.write_bytes(octets)
        return 0

    def verify(self, number: int) -> int:
        """Have the server hold a statement to its ledger; raises ``InvalidStatementError``, which names the first difference."""
        found = self._resources.ask("GET", f"{_STATEMENTS}/{number}/verification")
        if not found.get("same"):
            message = f"statement {number}: {found.get('difference')}"
            raise InvalidStatementError(message)
        return _say(f"statement {number} is what the ledger says")

    def void(self, number: int, reason: str, view: View) -> int:
        """Cancel a statement, and write the one that does in short."""
        return _write_one(self._resources.ask("POST", f"{_STATEMENTS}/{number}/voids", {"reason": reason}), view)

    def _contract(self, text: str) -> str:
        return f"{CONTRACTS.path}/{quote(self._resources.identify(Reference(CONTRACTS, text)), safe='')}"

    def _write_list(self, rows: Sequence[Resource], shown: Sequence[str], document: Json, view: View) -> None:
        if view.form in {"json", "yaml"} and not view.columns:
            write_standard_output(partial(write_document, document, view))
            return
        columns = choose_columns(view.columns, tuple(shown), tuple(shown))
        write_paged(partial(write_list, list(rows), columns, replace(view, columns=(), sort_columns=())))


def verify_file(path: Path, check_signature: Callable[[SignedStatement], None]) -> int:
    """Check a statement of a file: its digest, its signature, and all of its arithmetic; raises ``InvalidStatementError``."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise UnreadableFileError(message) from error
    signed = read_signed(octets)
    check_statement(signed)
    check_signature(signed)
    document = signed.statement
    total = "" if document.total is None else f", {document.total} {document.currency}"
    return _say(f"statement {document.number} of contract '{document.contract.name}' for {document.period.name}{total}: all of it is right")


def _closing(period: str | None, accepted: Sequence[Mapping[str, str]]) -> Json:
    return {"period": period, "accepted": [dict(each) for each in accepted]}


def _say(sentence: str) -> int:
    write_standard_output(partial(_write_text, f"{sentence}\n"))
    return 0


def _write_text(text: str, stream: TextIO) -> None:
    stream.write(text)


def _write_one(found: Row, view: View) -> int:
    row = {name: value for name, value in found.items() if value is not None}
    write_paged(partial(write_one, row, choose_columns(view.columns, tuple(row), tuple(row)), view))
    return 0


def _tell(found: Json) -> Row:
    """Tell people what a statement says, by names in the order of reading; what does not apply is left out."""
    figures = found.get("figures")
    told: dict[str, object] = {
        name: found.get(name) for name in ("number", "kind", "contract", "project_id", "voids", "void_reason", "voided_by")
    }
    told["members"] = [f"{each.get('kind')} {each.get('name')}" for each in _objects(found, "members")]
    told |= _tell_figures(figures) if isinstance(figures, dict) else {"period": found.get("period")}
    told["adjustments"] = [_tell_adjustment(each) for each in _objects(found, "adjustments")] or None
    told["total"] = None if found.get("total") is None else f"{found.get('total')} {found.get('currency')}"
    told["accepted"] = [{str(each.get("name")): each.get("reason")} for each in _objects(found, "acceptances")] or None
    told["coverage"] = [_tell_lack(each) for each in _objects(found, "coverage")] or None
    return told | {name: found.get(name) for name in ("posting", "seal", "closed_at", "closed_by", "digest", "signing_key")}


def _tell_figures(figures: Json) -> Row:
    period, unit, currency = figures.get("period"), figures.get("unit"), figures.get("currency")
    bounds = f"{period.get('name')}, from {period.get('start')} to {period.get('end')}" if isinstance(period, dict) else None
    known, missing = figures.get("known"), figures.get("missing")
    figure = figures.get("figure")
    return {
        "period": bounds,
        "samples": f"{known} known, {missing} missing",
        "figure": figures.get("refusal") if figure is None else f"{figure} {unit}",
        "deciding_sample": figures.get("deciding"),
        "price": [{str(line.get("name")): _tell_line(line, unit, currency)} for line in _objects(figures, "lines")] or None,
    }


def _tell_line(line: Row, unit: object, currency: object) -> str:
    quantity = line.get("quantity")
    return (
        f"{line.get('amount')} {currency}"
        if quantity is None
        else f"{quantity} {unit} at {line.get('price')} = {line.get('amount')} {currency}"
    )


def _tell_adjustment(adjustment: Row) -> dict[str, object]:
    figures = adjustment.get("figures")
    told = _tell_figures(figures) if isinstance(figures, dict) else {}
    period = str(told.get("period")).partition(",")[0]
    return {f"{period} (statement {adjustment.get('statement')})": f"{adjustment.get('difference')}, now {told.get('figure')}"}


def _tell_lack(lack: Row) -> dict[str, object]:
    return {str(lack.get("point")): f"{lack.get('state')} from {lack.get('start')} to {lack.get('end')}"}


def _objects(document: Mapping[str, object], name: str) -> list[Resource]:
    found = document.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
