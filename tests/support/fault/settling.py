"""The end of a fault test: nothing more is sent, everything is delivered, and the ledger is held to what was sent."""

from collections.abc import Collection

from tests.support.fault.ledger_content import LedgerContent
from tests.support.fault.verdict import await_delivery, find_differences
from tests.support.fault.world import FaultWorld
from venturi.core.domain.coverage import CoverageReason


def settle(world: FaultWorld, expected: Collection[CoverageReason] = ()) -> LedgerContent:
    """Bring a world to its end and give what its ledger holds; raises ``AssertionError`` with all that is wrong with it.

    Gaps may be there for the reasons that are ``expected``.
    """
    world.send_no_more()
    world.relay.unruly = False
    content = await_delivery(world)
    wrong = find_differences(world, content, expected)
    assert not wrong, "\n".join(wrong)
    world.agent.kill()
    world.server.kill()
    world.verify_ledger()
    return content
