"""The end of a fault test: nothing more is sent, everything is delivered, and the ledger is held to what was sent."""

from tests.support.fault.ledger_content import LedgerContent
from tests.support.fault.verdict import Expectation, await_delivery, find_differences
from tests.support.fault.world import FaultWorld


def settle(world: FaultWorld, expected: Expectation) -> LedgerContent:
    """Bring a world to its end and give what its ledger holds; raises ``AssertionError`` with all that is wrong with it."""
    world.send_no_more()
    content = await_delivery(world)
    wrong = find_differences(world, content, expected)
    assert not wrong, "\n".join(wrong)
    world.agent.kill()
    world.server.kill()
    world.verify_ledger()
    return content
