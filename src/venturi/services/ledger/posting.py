"""Posting batches: each once, for good, in whatever order they come.

Owns what is refused and what is answered; what is held is for ``judging``. A batch is known by agent, spool and sequence; its digest covers
its content and the digest of the batch before it, so two batches of one name or a link that does not fit are seen, kept aside and told as
an alarm.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec

from venturi.adapters.store.ledger.conflicts import Conflict
from venturi.adapters.store.ledger.postings import LedgerWriter
from venturi.adapters.store.store import Store
from venturi.core.domain.alarm import Alarm, RaiseAlarm
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import BatchConflictError, ForbiddenError, TooMuchHeldError, VenturiError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import Batch, Envelope, count_entries, encode_batch
from venturi.core.ledger.measuring import BatchBounds
from venturi.services.control.policy import Operation, require
from venturi.services.ledger.configuration import LedgerConfig
from venturi.services.ledger.entering import EnteredBatch
from venturi.services.ledger.held_alarms import LedgerAlarm, say_limit, tell_held
from venturi.services.ledger.judging import BatchJudge, Claims, read_claims
from venturi.services.ledger.receiving import DEFAULT_BOUNDS, read_batch, read_envelope
from venturi.services.ledger.trusting import HostTrust

BATCH = "batch"
"""The kind of a posting that came from an agent."""


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """The ledger's word that a batch is on stable storage; the same whenever the batch comes, but for ``missing``.

    ``digest`` is in hexadecimal; ``missing`` is how many batches of the spool the ledger lacks, of those before its highest.
    """

    agent_id: str
    spool_id: str
    sequence: int
    digest: str
    posting: int
    missing: int = 0


class BatchPosting:
    """Posts what agents send, from any thread."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], Nanoseconds],
        alarm: RaiseAlarm,
        trust: HostTrust,
        config: LedgerConfig,
        *,
        clear: Callable[[str, str], None] = lambda _kind, _subject: None,
        bounds: BatchBounds = DEFAULT_BOUNDS,
    ) -> None:
        """Post into ``store``; ``clock`` gives the time. Believe whom ``trust`` does.

        ``alarm`` hears of what an operator should see to, ``clear`` of what is over.
        """
        self._clear = clear
        self._bounds = bounds
        self._store = store
        self._clock = clock
        self._alarm = alarm
        self._judge = BatchJudge(trust, config)
        self._most_held = config.most_held

    def start(self) -> None:
        """Count what is held, and tell an alarm if the database may lose what it has committed."""
        self._store.count_held()
        volatility = self._store.find_volatility()
        if volatility is None:
            self._clear(LedgerAlarm.VOLATILE, "database")
        else:
            sentence = f"batches are acknowledged before they are on stable storage: {volatility}"
            self._alarm(Alarm(kind=LedgerAlarm.VOLATILE, subject="database", sentence=sentence))

    def post(self, caller: Principal, body: bytes) -> Acknowledgement:
        """Post the batch in an envelope, unless it is posted already, and acknowledge it.

        Raises what ``prepare`` does, ``BatchConflictError`` and ``TooMuchHeldError``.
        """
        (outcome,) = self.post_together([self.prepare(caller, body)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def prepare(self, caller: Principal, body: bytes) -> "PreparedBatch":
        """Read the batch in an envelope; raises ``ForbiddenError`` for another agent's, ``InvalidBatchError`` and ``StoreError``."""
        require(caller, Operation.POST_BATCH)
        envelope = read_envelope(body, self._bounds)
        _require_own(caller, envelope)
        now = self._clock()
        batch = read_batch(envelope, self._bounds)
        claims = read_claims(batch)
        self._judge.claim_routers(envelope, batch, claims, now)
        return PreparedBatch(envelope, batch, claims, now)

    def post_together(self, batches: Sequence["PreparedBatch"]) -> list[Acknowledgement | Exception]:
        """Post batches in one transaction, each under its own number; give for each its acknowledgement, or why it has none.

        One that fails is taken out, and posted alone behind the others.
        """
        outcomes: dict[int, Acknowledgement | Exception] = {}
        line, alone = list(range(len(batches))), list[int]()
        while len(line) > 1:
            group = _Group([batches[place] for place in line])
            try:
                self._post_group(group)
            except Exception as error:  # noqa: BLE001 - each sender is told of it
                if group.entering is None:
                    outcomes |= dict.fromkeys(line, error)
                    line = []
                else:
                    alone.append(line.pop(group.entering))
            else:
                outcomes |= zip(line, group.outcomes, strict=True)
                line = []
        for place in [*line, *alone]:
            outcomes[place] = self._post_alone(batches[place])
        return [outcomes[place] for place in range(len(batches))]

    def _post_alone(self, prepared: "PreparedBatch") -> Acknowledgement | Exception:
        group = _Group([prepared])
        try:
            self._post_group(group)
        except Exception as error:  # noqa: BLE001 - the sender is told of it
            return error
        return group.outcomes[0]

    def _post_group(self, group: "_Group") -> None:
        with self._store.posting() as writer:
            for place, prepared in enumerate(group.batches):
                group.entering = place
                group.outcomes.append(self._enter(writer, prepared, group.alarms))
            missing = writer.spools.count_missing({prepared.envelope.spool_id for prepared in group.batches})
            group.entering = None
        group.outcomes[:] = [_with_missing(outcome, missing) for outcome in group.outcomes]
        for alarm in group.alarms:
            self._alarm(alarm)

    def _enter(self, writer: LedgerWriter, prepared: "PreparedBatch", alarms: list[Alarm]) -> Acknowledgement | VenturiError:
        """Give the acknowledgement, or say what the batch contradicts or why it must wait; add the alarms that follow."""
        envelope, batch, now = prepared.envelope, prepared.batch, prepared.received_at
        about = {"agent_id": envelope.agent_id, "host": envelope.host}
        around = writer.find(envelope.spool_id, range(envelope.sequence - 1, envelope.sequence + 2))
        contradiction = _contradict_owner(writer, envelope) or _contradict_chain(envelope, around)
        if contradiction is not None:
            writer.conflicts.keep(_conflict(envelope, contradiction), now)
            alarms.append(Alarm(kind=LedgerAlarm.CONFLICT, subject=envelope.agent_id, sentence=contradiction, **about))
            return BatchConflictError(contradiction)
        if envelope.sequence in around:
            return _acknowledge(envelope, around[envelope.sequence].posting)
        verdicts = self._judge.judge(writer, envelope, batch, prepared.claims, now)
        if any(verdict.reason is not None for verdict in verdicts) and writer.count_held(envelope.agent_id) >= self._most_held:
            sentence = say_limit(envelope, self._most_held)
            alarms.append(Alarm(kind=LedgerAlarm.HELD_LIMIT, subject=envelope.agent_id, sentence=sentence, **about))
            return TooMuchHeldError(sentence)
        entered = EnteredBatch(writer, (envelope.agent_id, envelope.host), batch, verdicts)
        writer.add_posting(_posting_columns(envelope, batch, now), entered.rows)
        entered.name_long_intervals()
        writer.spools.note(envelope.spool_id, envelope.agent_id, envelope.host, envelope.sequence, now)
        alarms += tell_held(envelope, batch, verdicts, writer.posting)
        acknowledgement = _acknowledge(envelope, writer.posting)
        writer.advance()
        return acknowledgement


@dataclass(frozen=True)
class PreparedBatch:
    """A batch that was read and waits to be posted: its claims, and when it was received."""

    envelope: Envelope
    batch: Batch
    claims: Claims
    received_at: Nanoseconds

    @cached_property
    def rows(self) -> int:
        """About how many entries it has."""
        return sum(map(count_entries, self.batch.intervals))


@dataclass
class _Group:
    """Batches of one transaction: ``entering`` is the place of the one that is entered, None before and after."""

    batches: Sequence[PreparedBatch]
    entering: int | None = None
    outcomes: list[Acknowledgement | Exception] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)


def _with_missing(outcome: Acknowledgement | Exception, missing: Mapping[str, int]) -> Acknowledgement | Exception:
    if isinstance(outcome, Exception):
        return outcome
    return replace(outcome, missing=missing.get(outcome.spool_id, 0))


def _require_own(caller: Principal, envelope: Envelope) -> None:
    """Refuse a batch of another agent or host than those that the caller's token is bound to."""
    if caller.agent_id is None:
        return
    if envelope.agent_id != caller.agent_id:
        message = f"this token is bound to agent '{caller.agent_id}'"
        raise ForbiddenError(message)
    if envelope.host.lower() != (caller.host or "").lower():
        message = f"this token is bound to host '{caller.host}'"
        raise ForbiddenError(message)


def _contradict_owner(writer: LedgerWriter, envelope: Envelope) -> str | None:
    """Say so if the spool of a batch is another agent's."""
    owner = writer.spools.owner(envelope.spool_id)
    differs = owner not in {None, envelope.agent_id}
    return f"spool {envelope.spool_id} belongs to another agent than '{envelope.agent_id}'" if differs else None


def _contradict_chain(envelope: Envelope, around: Mapping[int, Any]) -> str | None:
    """Say what a batch contradicts of those posted ``around`` it: the one of its name, or its neighbours in the chain."""
    named = f"batch {envelope.sequence} of spool {envelope.spool_id}"
    same, before, after = (around.get(envelope.sequence + step) for step in (0, -1, 1))
    if same is not None:
        return f"{named} is posted already, with other content" if same.digest != envelope.digest.hex() else None
    if before is not None and before.digest != envelope.previous.hex():
        return f"{named} does not follow from the batch before it that is posted"
    if after is not None and after.previous != envelope.digest.hex():
        return f"{named} is not the one that the batch after it follows from"
    return None


def _conflict(envelope: Envelope, sentence: str) -> Conflict:
    return Conflict(
        agent_id=envelope.agent_id,
        host=envelope.host,
        spool_id=envelope.spool_id,
        sequence=envelope.sequence,
        content=envelope.digest.hex(),
        envelope=encode_batch(envelope),
        sentence=sentence,
    )


def _acknowledge(envelope: Envelope, posting: int) -> Acknowledgement:
    return Acknowledgement(
        agent_id=envelope.agent_id,
        spool_id=envelope.spool_id,
        sequence=envelope.sequence,
        digest=envelope.digest.hex(),
        posting=posting,
    )


def _posting_columns(envelope: Envelope, batch: Batch, now: Nanoseconds) -> dict[str, object]:
    told = msgspec.structs.asdict(envelope)
    named = {name: told[name] for name in ("agent_id", "host", "spool_id", "sequence")}
    chained = {"previous": envelope.previous.hex(), "digest": envelope.digest.hex()}
    return {"kind": BATCH, "posted_at": now, "sealed_at": batch.sealed_at, **named, **chained}
