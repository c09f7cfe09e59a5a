"""The worked example of docs/statements.md, on a real ledger."""

import csv
import io
import json
import re

from tests.contracts.test_examples import _BLOCK
from tests.statements.stating import StatementsOfTests
from tests.support.sources import ROOT
from venturi.adapters.store.store import Store
from venturi.core.domain.interval import parse_time
from venturi.core.ledger.bins import BIN
from venturi.core.statements.document import StatementDocument
from venturi.interfaces.api.v1.forms.contracts import NewContractForm, new_contract
from venturi.interfaces.api.v1.forms.reading import read_body


def tell(document: StatementDocument) -> list[str]:
    """Tell a statement as the page does."""
    part = document.measurement
    assert part is not None
    lines = [f"figure: {part.figure} {part.terms.unit}"]
    lines += [f"{line.name}: {line.quantity} × {line.price} = {line.amount}" for line in part.lines]
    for each in document.adjustments:
        again = each.measurement
        lines.append(f"adjustment of {again.period.name}: {again.total} - {each.billed} = {each.difference}")
    return [*lines, f"total: {document.total} {document.currency}"]


def test_the_page_computes_right(sqlite_store: Store) -> None:
    stating = StatementsOfTests(sqlite_store)
    page = (ROOT / "docs" / "statements.md").read_text(encoding="utf-8")
    section = re.split(r"^### Example: ", page, flags=re.MULTILINE)[1]
    (_, said), (_, table), (_, january), (_, february) = _BLOCK.findall(section)
    asked = new_contract(read_body(json.dumps({"name": "example", **json.loads(said)}).encode(), NewContractForm))
    contract = stating.contract(asked.terms)
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [parse_time(row["start"]) for row in rows] == list(range(contract.begins_at, contract.begins_at + 12 * BIN, BIN))
    octets = [int(row["ingress_octets"]) for row in rows]
    posting = stating.meter(0, octets)
    assert tell(stating.document(stating.close(contract, "2026-01").number)) == january.splitlines()
    stating.correct(posting, 0, 375_000)
    stating.meter(12, octets)
    assert tell(stating.document(stating.close(contract, "2026-02").number)) == february.splitlines()
