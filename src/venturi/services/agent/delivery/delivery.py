"""Delivery: batches leave the spool for the ledger in order, one at a time, until each is acknowledged.

Owns the thread, its patience and its state. A batch is sealed when it is about to be sent: until then what it will say may be coalesced,
from then on it never changes. What the ledger has is agreed on first (``handshake``).
"""

import logging
import threading
import time
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from venturi.adapters.client.ledger import LedgerClient
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.values import SealedBatch
from venturi.adapters.threads.backoff import Backoff
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.errors import ServerError, VenturiError
from venturi.core.ledger.batch import Envelope
from venturi.services.agent.delivery.config import DeliveryConfig
from venturi.services.agent.delivery.handshake import shake_hands
from venturi.services.agent.delivery.refusals import Refusals, is_about_batch
from venturi.services.agent.delivery.state import DeliveryPhase, DeliveryState

_STOP_SECONDS = 5.0


class Delivery:
    """Delivers in a thread of its own from ``start`` to ``stop``; metering goes on whatever becomes of it."""

    def __init__(
        self, config: DeliveryConfig, spool: Spool, ledger: LedgerClient, log: FilteringBoundLogger, supervisor: Supervisor
    ) -> None:
        self._config = config
        self._supervisor = supervisor
        self._backoff = Backoff(config.first_pause, config.longest_pause)
        self._spool = spool
        self._ledger = ledger
        self._log = log
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._state = DeliveryState()
        self._agreed_at: float | None = None
        self._barred_spool = ""
        self._missing = 0
        self._explained = 0
        self._refusals = Refusals(config)

    def start(self) -> None:
        """Begin to deliver: what was left over first."""
        self._agreed_at = None
        self._stopping.clear()
        self._thread = self._supervisor.start("delivery", self._run, self._stopping)

    def stop(self) -> None:
        """Deliver no more; a batch under way may still be acknowledged, and is sent again by the next start otherwise."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            self._thread = None

    def wake(self) -> None:
        """Say that there is something to deliver: a report border was recorded, or the spool renewed."""
        self._woken.set()

    @property
    def state(self) -> DeliveryState:
        """How delivery stands."""
        return self._state

    @property
    def rolled_back(self) -> bool:
        """Whether the spool, as it is now, was found rolled back: it is to be renewed, and delivery woken."""
        return self._state.phase is DeliveryPhase.ROLLED_BACK and self._barred_spool == self._spool.spool_id

    def _run(self) -> None:
        """Deliver until stopped; what was left over, or failed before this was started again, first."""
        self._agreed_at = None
        self._woken.set()
        try:
            while not self._stopping.is_set():
                self._woken.wait()
                self._woken.clear()
                self._try()
        finally:
            self._state = replace(self._state, phase=DeliveryPhase.STOPPED)

    def _try(self) -> None:
        """Deliver what there is; where that fails, be woken again after a pause."""
        try:
            if self._spool.spool_id != self._barred_spool:
                self._deliver()
        except VenturiError as error:
            self._fail(error)
            if not self._stopping.wait(self._backoff.fail()):
                self._woken.set()

    def _deliver(self) -> None:
        if not self._state.failures:
            self._state = replace(self._state, phase=DeliveryPhase.DELIVERING)
        while not self._stopping.is_set():
            if self._must_agree() and not self._agree():
                self._bar(f"the ledger has more of spool {self._spool.spool_id} than the file, which is an old copy")
                return
            sealed = self._spool.seal(time.time_ns())
            if sealed is None:
                self._spool.forget_older_than(time.time_ns() - self._config.retention)
                self._succeed()
                return
            self._send(sealed)

    def _must_agree(self) -> bool:
        return self._agreed_at is None or time.monotonic() - self._agreed_at > self._config.standing_age

    def _agree(self) -> bool:
        """Agree with the ledger and send what it lacks; False where the spool was rolled back."""
        agreement = shake_hands(self._spool, self._ledger)
        if agreement is None:
            return False
        self._note_lost(agreement.lost)
        if agreement.again:
            sentence = "the ledger lacks batches that it had acknowledged, as after a restore: they are sent again"
            self._log.warning(sentence, batches=agreement.again)
        self._refusals.keep(self._spool.spool_id, agreement.undelivered)
        for sequence in agreement.undelivered:
            sealed = None if self._refusals.is_resting(sequence, time.monotonic()) else self._spool.batch(sequence)
            if sealed is not None and not self._stopping.is_set():
                self._send(sealed, overtaken=sequence < agreement.highest)
        self._agreed_at = time.monotonic()
        # All that is held was sent, so what still is missing cannot be had; a ledger that is restored lacks more.
        self._explained = self._missing
        return True

    def _send(self, sealed: SealedBatch, *, overtaken: bool = False) -> None:
        """Send a batch and note its acknowledgement, or set it aside where the ledger persists in refusing it.

        A batch that contradicts what is posted is no exception: whether the spool was rolled back is for the next handshake to find out.
        """
        try:
            self._post(sealed)
        except VenturiError as error:
            if not is_about_batch(error) or not self._refusals.note(sealed.sequence, str(error), time.monotonic(), overtaken=overtaken):
                raise
            if sealed.sequence not in self._state.refused:
                self._log.error("a batch is refused and set aside", sequence=sealed.sequence, problem=str(error))
        else:
            self._refusals.forget(sealed.sequence)
            self._doubt(overtaken=overtaken)
            self._state = replace(self._state, sequence=sealed.sequence, acknowledged=self._state.acknowledged + 1)
        self._state = replace(self._state, refused=self._refusals.aside)

    def _doubt(self, *, overtaken: bool) -> None:
        """Agree anew at once where the ledger lacks more than is lost or refused: it was restored from a backup."""
        if not overtaken and self._missing > max(self._explained, self._state.lost + len(self._refusals.aside)):
            self._agreed_at = None

    def _post(self, sealed: SealedBatch) -> None:
        envelope = Envelope(
            agent_id=self._config.agent_id,
            host=self._config.host,
            spool_id=self._spool.spool_id,
            sequence=sealed.sequence,
            previous=sealed.previous,
            digest=sealed.digest,
            payload=sealed.payload,
        )
        self._missing = self._ledger.post(envelope)
        self._spool.acknowledge(sealed.sequence, time.time_ns())

    def _succeed(self) -> None:
        self._backoff.succeed()
        if self._state.failures:
            self._log.info("batches are delivered again", sequence=self._state.sequence)
        phase = DeliveryPhase.INCOMPLETE if self._refusals.aside else DeliveryPhase.IDLE
        self._state = replace(self._state, phase=phase, problem=self._refusals.problem, failures=0, refused=self._refusals.aside)

    def _fail(self, error: VenturiError) -> None:
        """Note a failure; it is logged when it begins and when it becomes another, as an error where somebody must see to it."""
        self._agreed_at = None
        problem = str(error)
        if problem != self._state.problem:
            level = logging.WARNING if isinstance(error, ServerError) else logging.ERROR
            self._log.log(level, "batches cannot be delivered; they wait in the spool", problem=problem)
        self._state = replace(self._state, phase=DeliveryPhase.RETRYING, problem=problem, failures=self._state.failures + 1)

    def _bar(self, problem: str) -> None:
        """Deliver nothing more of this spool, which is to be renewed."""
        self._agreed_at = None
        self._missing = self._explained = 0
        self._barred_spool = self._spool.spool_id
        self._log.error("nothing more of this spool is delivered", problem=problem)
        self._state = replace(self._state, phase=DeliveryPhase.ROLLED_BACK, problem=problem)

    def _note_lost(self, lost: int) -> None:
        if lost > self._state.lost:
            self._log.error("the ledger lacks batches that the spool no longer holds", batches=lost)
        self._state = replace(self._state, lost=lost)
