"""What is remembered of a ledger holds only as long as it is the same ledger."""

import pytest

from venturi.adapters.store.ledger.versions import VersionMemory
from venturi.adapters.store.schema.ledger_tables import LEDGER_PLACES

PLACE = ("agent-1", "edge-1", "eth0")


@pytest.mark.parametrize(
    ("posting", "seals", "remembered"),
    [
        pytest.param(5, {5: "e"}, True, id="nothing came"),
        pytest.param(9, {5: "e", 9: "i"}, True, id="others posted"),
        pytest.param(4, {4: "d"}, False, id="put back"),
        pytest.param(9, {5: "other", 9: "i"}, False, id="put back, and further than before"),
        pytest.param(0, {}, False, id="empty"),
    ],
)
def test_numbers_are_forgotten_with_the_ledger_that_gave_them(posting: int, seals: dict[int, str], remembered: bool) -> None:
    memory = VersionMemory()
    memory.begin(5, {5: "e"})
    memory.of(LEDGER_PLACES)[PLACE] = 1
    memory.begin(posting, seals)
    assert (PLACE in memory.of(LEDGER_PLACES)) == remembered
