"""Checking a statement without a ledger: all of its arithmetic, from its own samples, terms and steps.

Owns what must follow from what, and that the first thing that does not is named. Whether the signature is good is for whoever has the key.
"""

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from venturi.core.domain.errors import InvalidStatementError, VenturiError
from venturi.core.statements.document import (
    FORM,
    ContractPart,
    MeasurementPart,
    PostingsPart,
    SignedStatement,
    StatementDocument,
    StatementKind,
    digest_of,
    to_octets,
)
from venturi.core.statements.figures import Evidence, measurement_part, settle_again, spell_amount

KNOWN_SHARE = "known-share"
"""The name of the finding that too few samples are known; a percentile is given all the same where it was accepted."""

_PASSED_ON = ("coverage", "revisions", "postings")
"""What of a measurement does not follow from its samples and terms."""


def check_statement(signed: SignedStatement) -> None:
    """Work out again all that a statement says; raises ``InvalidStatementError``, which names the first difference."""
    document = signed.statement
    if document.form != FORM:
        message = f"form: the statement is of form {document.form}, which this venturi does not know"
        raise InvalidStatementError(message)
    if digest_of(to_octets(document)) != signed.digest:
        message = "digest: it is not that of the statement, which was changed since it was made"
        raise InvalidStatementError(message)
    for place, stated, computed in _differences(document):
        message = f"{place}: the statement says {stated}, and its samples and terms come to {computed}"
        raise InvalidStatementError(message)


def find_difference(one: MeasurementPart, other: MeasurementPart) -> tuple[str, str, str] | None:
    """Give the first field in which two measurements differ, with both values, None if they are the same."""
    for name in MeasurementPart.__struct_fields__:
        stated, computed = getattr(one, name), getattr(other, name)
        if name == "samples":
            for side in ("ingress", "egress", "unknown", "missing"):
                for place, (first, second) in enumerate(zip(getattr(stated, side), getattr(computed, side), strict=False)):
                    if first != second:
                        return f"samples.{side}[{place}]", str(first), str(second)
        if stated != computed:
            return name, _spell(stated), _spell(computed)
    return None


def _differences(document: StatementDocument) -> Iterator[tuple[str, str, str]]:
    """Give what does not follow: its place, what is stated, and what it comes to."""
    if document.kind is StatementKind.VOID:
        return
    amounts: list[str | None] = []
    if document.measurement is not None:
        accepted = any(each.name == KNOWN_SHARE for each in document.acceptances)
        yield from _of_measurement("measurement", document.measurement, document.contract, accept_missing=accepted)
        amounts.append(document.measurement.total)
    for number, adjustment in enumerate(document.adjustments, 1):
        place = f"adjustments[{number}]"
        yield from _of_measurement(place, adjustment.measurement, document.contract, accept_missing=True)
        currency = adjustment.measurement.terms.currency
        difference = Fraction(adjustment.measurement.total or 0) - Fraction(adjustment.billed or 0)
        spelled = spell_amount(difference, currency)
        if spelled != adjustment.difference:
            yield f"{place}.difference", _spell(adjustment.difference), _spell(spelled)
        amounts.append(spelled)
    summed = spell_amount(sum((Fraction(each or 0) for each in amounts), Fraction(0)), document.currency)
    if summed != document.total:
        yield "total", _spell(document.total), _spell(summed)


def _of_measurement(place: str, part: MeasurementPart, contract: ContractPart, *, accept_missing: bool) -> Iterator[tuple[str, str, str]]:
    try:
        settled = settle_again(part, contract, accept_missing=accept_missing)
        again = measurement_part(settled, Evidence(lacks=(), revisions=(), seals=()))
    except (VenturiError, ValueError, ZeroDivisionError) as error:
        message = f"{place}: {error}"
        raise InvalidStatementError(message) from error
    again = msgspec.structs.replace(again, **{name: getattr(part, name) for name in _PASSED_ON})
    found = find_difference(part, again)
    if found is not None:
        yield f"{place}.{found[0]}", *found[1:]


def _spell(value: object) -> str:
    if isinstance(value, PostingsPart):
        return f"{value.count} postings with the digest {value.digest}"
    return "nothing" if value is None else msgspec.json.encode(value).decode() if not isinstance(value, str) else value
