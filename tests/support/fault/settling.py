"""The end of a fault test: nothing more is sent, everything is delivered, and the ledger is held to what was sent."""

import time
from collections.abc import Collection
from urllib.parse import urlencode

from tests.support.fault.ledger_content import LedgerContent
from tests.support.fault.verdict import await_delivery, find_differences
from tests.support.fault.world import HOST, FaultWorld
from venturi.core.domain.coverage import CoverageReason
from venturi.core.ledger.trust import HeldReason

_SECONDS = 60.0


def settle(world: FaultWorld, expected: Collection[CoverageReason] = ()) -> LedgerContent:
    """Bring a world to its end and give what its ledger holds; raises ``AssertionError`` with all that is wrong with it.

    Gaps may be there for the reasons that are ``expected``.
    """
    _await_everybody(world)
    world.send_no_more()
    world.relay.unruly = False
    content = await_delivery(world)
    if world.restored and _accept_after_restore(world):
        content = await_delivery(world)
    wrong = find_differences(world, content, expected)
    assert not wrong, "\n".join(wrong)
    world.agent.kill()
    world.server.kill()
    world.verify_ledger()
    return content


def _accept_after_restore(world: FaultWorld) -> int:
    """Do as an administrator does after a restore: what was counted by rules that the copy lacks is held until it is accepted."""
    accepted = 0
    for reason in (HeldReason.UNKNOWN_REVISION, HeldReason.UNKNOWN_CLASSIFIER):
        decision = {"reason": "the database was restored", "agent_id": HOST, "held_reason": reason.value}
        while world.ask("GET", f"/v1/held?{urlencode({'agent_id': HOST, 'reason': reason.value})}")["held"]:
            accepted += world.ask("POST", "/v1/acceptances", decision)["intervals"]
    return accepted


def _await_everybody(world: FaultWorld) -> None:
    """Wait until rules were changed and forged batches were taken, which a busy machine can keep from happening between the faults."""
    deadline = time.monotonic() + _SECONDS
    while not (world.rule_changes.made and world.hostile.acknowledged):
        assert time.monotonic() < deadline, "no rule was changed, or no forged batch taken"
        time.sleep(0.1)
