"""Statements for people: one page of HTML that needs nothing else and prints well, and the samples as CSV.

Owns their layout. Every figure is a text of the document, and nothing is computed here.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from html import escape

from venturi.core.contracts.periods import Period
from venturi.core.domain.interval import format_time, parse_time
from venturi.core.statements.document import AdjustmentPart, MeasurementPart, StatementDocument, StatementKind
from venturi.core.statements.figures import read_samples
from venturi.services.statements.keeping import ShownStatement

SAMPLE_COLUMNS = ("start", "ingress_octets", "egress_octets", "unknown_octets", "known")
"""The columns of samples as CSV."""

_STYLE = """
body { font: 10pt/1.4 sans-serif; color: #111; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 16pt; margin: 0 0 .2rem; } h2 { font-size: 12pt; margin: 1.4rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .15rem .6rem .15rem 0; vertical-align: top; }
thead th { border-bottom: 1px solid #111; } tfoot td { border-top: 1px solid #111; font-weight: bold; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.facts th { width: 11rem; font-weight: normal; color: #555; } .small { font-size: 8pt; color: #555; overflow-wrap: anywhere; }
@page { size: A4; margin: 18mm; } @media print { body { margin: 0; max-width: none; padding: 0; } tr, h2 { break-inside: avoid; } }
"""

_TITLES = {StatementKind.STATEMENT: "Statement", StatementKind.VOID: "Void", StatementKind.CLOSING: "Closing statement"}


def write_csv(shown: ShownStatement) -> bytes:
    """Write every sample of a statement's own period, so that anybody can compute its figure."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(SAMPLE_COLUMNS)
    part = shown.document.measurement
    if part is not None:
        period = Period(part.period.name, parse_time(part.period.start), parse_time(part.period.end))
        for sample in read_samples(part.samples, period):
            writer.writerow((format_time(sample.start), *sample.octets, "true" if sample.known else "false"))
    return stream.getvalue().encode()


def write_page(shown: ShownStatement) -> bytes:
    """Write a statement as a page."""
    document = shown.document
    title = f"{_TITLES[document.kind]} {document.number}"
    body = "".join(_parts(shown))
    head = f'<meta charset="utf-8"><title>{escape(title)}: {escape(document.contract.name)}</title><style>{_STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>\n{body}</body></html>\n'.encode()


def _parts(shown: ShownStatement) -> Iterator[str]:
    document = shown.document
    yield _facts(_head(document))
    if document.voids is not None:
        yield _facts([("cancels", f"statement {document.voids.statement}"), ("reason", document.voids.reason)])
    if document.measurement is not None:
        yield from _measurement(document.measurement)
    for adjustment in document.adjustments:
        yield from _adjustment(adjustment)
    if document.total is not None:
        yield f"<h2>Total</h2>{_facts([('total', f'{document.total} {document.currency}')])}"
    if document.acceptances:
        yield "<h2>Accepted</h2>"
        yield _table(("what", "why"), [(each.finding, each.reason) for each in document.acceptances])
    yield from _evidence(shown)


def _head(document: StatementDocument) -> list[tuple[str, str]]:
    contract = document.contract
    return [
        ("contract", contract.name),
        ("project", contract.project_id),
        ("owed", "by the project" if contract.direction == "receivable" else "to a provider"),
        ("period", f"{document.period.name}: {document.period.start} to {document.period.end}"),
        ("members", ", ".join(f"{each.kind} {each.name}" for each in document.members)),
        ("closed", f"{document.closed_at} by {document.closed_by}"),
    ]


def _measurement(part: MeasurementPart) -> Iterator[str]:
    unit, expected = part.terms.unit, int(part.known) + int(part.missing)
    facts = [
        ("boundary", part.terms.boundary),
        ("contract version", part.version),
        ("samples known", f"{part.known} of {expected}"),
        ("octets", f"{part.octets.ingress} entered, {part.octets.egress} left, {part.octets.unknown} of unknown direction"),
    ]
    if part.deciding is not None:
        deciding = part.deciding
        facts.append(
            (
                "deciding sample",
                f"{deciding.start}: {deciding.octets} octets ({deciding.of}), position {deciding.position} of {deciding.known}",
            )
        )
    facts.append(("figure", f"{part.figure} {unit}" if part.figure is not None else str(part.refusal)))
    yield f"<h2>{escape(part.period.name)}</h2>{_facts(facts)}"
    yield from _price(part)
    if part.coverage:
        rows = [(each.point, each.start, each.end, " ".join([each.state, *each.reasons])) for each in part.coverage]
        yield f"<h2>Not fully known</h2>{_table(('point', 'from', 'to', 'coverage'), rows)}"


def _price(part: MeasurementPart) -> Iterator[str]:
    if not part.lines:
        return
    unit, currency = part.terms.unit, part.terms.currency or ""
    rows = [
        (line.name, "" if line.quantity is None else f"{line.quantity} {unit}", line.price or "", f"{line.amount} {currency}")
        for line in part.lines
    ]
    yield _table(("step", "quantity", "price", "amount"), rows, ("", "", "", f"{part.total} {currency}"), numbers=3)


def _adjustment(adjustment: AdjustmentPart) -> Iterator[str]:
    part = adjustment.measurement
    currency = part.terms.currency or ""
    yield f"<h2>Adjustment of {escape(part.period.name)}, statement {escape(adjustment.statement)}</h2>"
    facts = [("figure now", f"{part.figure} {part.terms.unit}" if part.figure is not None else str(part.refusal))]
    if adjustment.difference is not None:
        facts += [("price now", f"{part.total} {currency}"), ("billed so far", f"{adjustment.billed} {currency}")]
        facts.append(("difference", f"{adjustment.difference} {currency}"))
    yield _facts([*facts, ("postings", ", ".join(adjustment.postings))])


def _evidence(shown: ShownStatement) -> Iterator[str]:
    document, kept = shown.document, shown.kept
    rows = [("ledger", f"up to posting {document.ledger.posting}, seal {document.ledger.seal}")]
    if document.measurement is not None:
        postings = document.measurement.postings
        rows.append(("postings", f"{postings.count}, digest {postings.digest}"))
        rules = ", ".join(f"{each.revision} ({each.classifier})" for each in document.measurement.revisions)
        rows.append(("rule revisions", rules))
    rows += [
        ("document", f"SHA-256 {kept.digest}"),
        ("signature", f"{kept.signature} by key {kept.signing_key}" if kept.signature else "none"),
    ]
    yield f'<h2>Evidence</h2><div class="small">{_facts(rows)}</div>'


def _facts(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f'<table class="facts">{cells}</table>\n'


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], foot: Sequence[str] = (), *, numbers: int = 0) -> str:
    """Write a table, of which the last columns are ``numbers``."""
    first = len(columns) - numbers

    def row(cells: Sequence[str], element: str) -> str:
        return "".join(
            f"<{element}{' class=n' if place >= first and numbers else ''}>{escape(cell)}</{element}>" for place, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in rows)
    end = f"<tfoot><tr>{row(foot, 'td')}</tr></tfoot>" if foot else ""
    return f"<table><thead><tr>{row(columns, 'th')}</tr></thead><tbody>{body}</tbody>{end}</table>\n"
