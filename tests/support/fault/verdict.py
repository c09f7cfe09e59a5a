"""The verdict: what the ledger says against what was sent.

Owns the comparison. Where nothing is unknown, both are equal to the octet; where something is, nothing is in the ledger that was not sent,
and whatever is missing was sent within a gap. No interval counts what was not sent about its time, nor do two count the same time.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from tests.support.fault.ledger_content import LedgerContent, Recorded, read_ledger
from tests.support.fault.timeline import Account
from tests.support.fault.world import FaultWorld
from venturi.core.domain.counts import Counts
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.interval import SECOND

_SECONDS = 150.0
_SLACK = SECOND
"""By how much a busy host may be late in looking at the clock when it reads counters."""


def await_delivery(world: FaultWorld) -> LedgerContent:
    """Wait until the ledger knows of all time up to now, and give what it holds."""
    now = time.time_ns()
    deadline = time.monotonic() + _SECONDS
    while (content := read_ledger(world)).last < now:
        assert time.monotonic() < deadline, "\n".join(_last_lines(world))
        time.sleep(0.5)
    return content


def find_differences(world: FaultWorld, content: LedgerContent, expected: Collection[CoverageReason]) -> list[str]:
    """Say what is wrong with a ledger in which gaps are ``expected`` for some reasons; nothing, where it is right."""
    return [
        *_unexpected(content, expected),
        *_rolled_up_otherwise(content),
        *_not_as_sent(world, content),
        *_out_of_place(world, content),
    ]


def gaps_of(content: LedgerContent) -> list[Recorded]:
    """List the times of which it is not known what passed: those recorded as gaps, and those that nothing is recorded of."""
    return [*(recorded for recorded in content.intervals if recorded.coverage == Coverage.GAP), *_missing(content)]


def _missing(content: LedgerContent) -> Iterator[Recorded]:
    """Give the times, from when traffic began to the last interval, that no interval accounts for; reports show them as ``missing``."""
    end = content.begun
    for recorded in content.intervals:
        if recorded.start > end:
            yield Recorded(end, recorded.start, Coverage.GAP, CoverageReason.MISSING, {})
        end = max(end, recorded.end)


def _unexpected(content: LedgerContent, expected: Collection[CoverageReason]) -> Iterator[str]:
    for gap in gaps_of(content):
        if gap.reason not in expected:
            yield f"a gap that nothing explains: {gap}"
    if content.outstanding and CoverageReason.MISSING not in expected:
        yield f"batches are outstanding: {content.outstanding}"
    known = sorted((each.start, each.end) for each in content.intervals if each.coverage != Coverage.GAP)
    for earlier, later in pairwise(known):
        if later[0] < earlier[1]:
            yield f"{earlier} and {later} both account for the same time"


def _rolled_up_otherwise(content: LedgerContent) -> Iterator[str]:
    total = content.total()
    for account in total.keys() | content.rolled_up.keys():
        entries, rolled_up = total.get(account), content.rolled_up.get(account)
        if entries != rolled_up:
            yield f"{account}: entries {entries} rolled up to {rolled_up}"


def _not_as_sent(world: FaultWorld, content: LedgerContent) -> Iterator[str]:
    sent, total = world.timeline.total(), content.total()
    unknown = [(gap.start, gap.end) for gap in gaps_of(content)]
    excused = world.timeline.sent_within(unknown)
    for account in sent.keys() | total.keys():
        counts, recorded, allowed = (_of(sums, account) for sums in (sent, total, excused))
        missing = Counts(counts.packets - recorded.packets, counts.octets - recorded.octets)
        if not (0 <= missing.packets <= allowed.packets and 0 <= missing.octets <= allowed.octets):
            yield f"{account}: {counts} sent, {recorded} in the ledger, {missing} missing, and at most {allowed} within {unknown}"


def _out_of_place(world: FaultWorld, content: LedgerContent) -> Iterator[str]:
    for recorded in content.intervals:
        about = world.timeline.sent_within([(recorded.start - _SLACK, recorded.end + _SLACK)])
        for account, counts in recorded.counted.items():
            most = _of(about, account)
            if counts.packets > most.packets or counts.octets > most.octets:
                yield f"{account}: {counts} recorded from {recorded.start} to {recorded.end}, when {most} were sent"


def _of(sums: Mapping[Account, Counts], account: Account) -> Counts:
    return sums.get(account, Counts())


def _last_lines(world: FaultWorld) -> list[str]:
    logs = (world.agent.log, world.server.log)
    return ["not all is delivered", *(line for log in logs for line in log.read_text(encoding="utf-8").splitlines()[-20:])]
