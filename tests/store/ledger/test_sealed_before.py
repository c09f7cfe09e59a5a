"""Whatever an agent sealed before batches had bounds is still posted: batches that its spool made then, as octets.

The file has, one after the other: an absence of 400 days with 1,000 labels; 30 hours of minutes, coalesced into two days; hours of 1,000
labels, as many as fill a batch; one interval of 20,000 labels; gaps.
"""

from pathlib import Path

import msgspec
import pytest
import zstandard
from sqlalchemy import func, select

from tests.support.batches import BEGINNING, send_form
from tests.support.control_values import OPERATOR
from tests.support.databases import SQLITE
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.schema.ledger_tables import LEDGER_LONG_INTERVALS
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import Envelope, decode_batch
from venturi.core.ledger.bins import DAY
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Resolution, UsageRequest

SEALED = Path(__file__).with_name("sealed_before_bounds.msgpack.zst")


def read_sealed() -> list[Envelope]:
    content = zstandard.ZstdDecompressor().decompress(SEALED.read_bytes())
    return msgspec.msgpack.decode(content, type=list[Envelope])


@pytest.mark.parametrize("database_kind", [SQLITE])
def test_batches_sealed_before_there_were_bounds_are_posted(ledger: LedgerOfTests, database: str, database_kind: str) -> None:
    sealed = read_sealed()
    octets = 0
    for envelope in sealed:
        assert send_form(envelope)
        assert ledger.post(envelope).sequence == envelope.sequence
        octets += sum(row.octets for interval in decode_batch(envelope.payload).intervals for row in interval.usage)
    assert ledger.rows(select(func.count()).select_from(LEDGER_LONG_INTERVALS))[0][0] >= 3
    end = BEGINNING + 10 * DAY
    request = UsageRequest(start=BEGINNING - 401 * DAY, end=end, resolution=Resolution.TOTAL, group_by=())
    (reported,) = UsageReports(ledger.store, lambda: Nanoseconds(end)).usage(OPERATOR, request)
    assert [row.counts[1] for row in reported.rows] == [octets], database_kind
    assert prove_ledger(database).postings == len(sealed)
