"""The worked examples of docs/contracts.md, computed as the page says."""

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest

from tests.support.sources import ROOT
from venturi.core.contracts.periods import Period, PeriodLength
from venturi.core.contracts.samples import Octets, Sample
from venturi.core.contracts.settling import settle
from venturi.core.contracts.terms import Contract, Side, Version
from venturi.core.domain.interval import Nanoseconds, parse_time
from venturi.interfaces.api.v1.forms.contracts import NewContractForm, new_contract
from venturi.interfaces.api.v1.forms.measures import measure_form
from venturi.interfaces.api.v1.forms.reading import read_body

_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def _examples() -> Iterator[tuple[str, str, list[Sample], str]]:
    """Give title, terms, samples and result of each example; one without samples has those that its page means."""
    samples: dict[str, list[Sample]] = {}
    page = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    for section in re.split(r"^### Example: ", page, flags=re.MULTILINE)[1:]:
        (_, terms), *others = _BLOCK.findall(section)
        kind = json.loads(terms)["measure"]["kind"]
        for _, table in others[:-1]:
            samples[kind] = [_sample(row) for row in csv.DictReader(io.StringIO(table))]
        yield section.partition("\n")[0], terms, samples[kind], others[-1][1]


def _sample(row: dict[str, str]) -> Sample:
    octets = Octets(*(int(row[f"{direction}_octets"]) for direction in ("ingress", "egress", "unknown")))
    return Sample(parse_time(row["start"]), octets, row["known"] == "true")


EXAMPLES = list(_examples())


@pytest.mark.parametrize("example", EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_the_page_computes_right(example: tuple[str, str, list[Sample], str]) -> None:
    _, terms, samples, expected = example
    asked = new_contract(read_body(json.dumps({"name": "example", **json.loads(terms)}).encode(), NewContractForm))
    start, now = Nanoseconds(samples[0].start), parse_time("2026-12-01")
    version = Version(number=1, since=start, at=start, author="", foreign=False, terms=asked.terms.check())
    contract = Contract(
        id="", name="example", project_id="7", direction=Side.RECEIVABLE, zone="UTC", period=PeriodLength.MONTH, first_day=1,
        begins_at=start, ends_at=None, versions=(version,),
    )  # fmt: skip
    found = measure_form(settle(contract, version, Period("2026-10", start, now), samples, now, accept_missing=False))
    lines = [f"known: {found.samples.known} of {found.samples.expected}"]
    if found.deciding is not None:
        lines.append(f"position: {found.deciding.position} of {found.samples.known}")
    lines.append(f"figure: {found.figure} {found.unit}")
    for line in found.lines:
        product = "" if line.quantity is None else f"{line.quantity} × {line.price} = "
        lines.append(f"{line.name}: {product}{line.amount}")
    assert [*lines, f"total: {found.total} {found.currency}"] == expected.splitlines()


def test_each_kind_of_contract_has_an_example() -> None:
    measures = [json.loads(example[1])["measure"] for example in EXAMPLES]
    assert {measure["kind"] for measure in measures} == {"percentile", "volume"}
    assert {measure.get("tiering", "graded") for measure in measures} == {"graded", "flat"}
