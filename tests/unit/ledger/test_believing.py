"""Overlaps are found as by comparing each interval with all others, whatever their order."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from venturi.core.domain.interval import SECOND
from venturi.core.ledger.believing import AccountedTime, find_overlapping
from venturi.core.ledger.bins import JITTER

_TIMES = st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0] * SECOND // 4, (pair[0] + pair[1]) * SECOND // 4))
_HOSTS = st.sampled_from(["a", "A", "b"])


def _clash(one: tuple[int, int], other: tuple[int, int], *, same_host: bool) -> bool:
    (start, end), (other_start, other_end) = one, other
    end, other_end = max(end, start + 1), max(other_end, other_start + 1)
    tolerance = 0 if same_host else min(JITTER, (end - start) // 2, (other_end - other_start) // 2)
    return min(end, other_end) - max(start, other_start) > tolerance


@given(st.lists(st.tuples(_HOSTS, _TIMES), max_size=12), st.lists(_TIMES, max_size=8))
def test_what_overlaps_is_found(accounted: list[tuple[str, tuple[int, int]]], times: list[tuple[int, int]]) -> None:
    found = find_overlapping([AccountedTime(host, *time) for host, time in accounted], "a", times)
    kept = [time for time, overlapping in zip(times, found, strict=True) if not overlapping]
    for time, overlapping in zip(times, found, strict=True):
        by_others = any(_clash(time, other, same_host=host.lower() == "a") for host, other in accounted)
        earlier = any(_clash(time, other, same_host=True) for other in kept if other != time and other <= time)
        assert overlapping == (by_others or earlier or (overlapping and times.count(time) > 1))
    assert not any(_clash(one, other, same_host=True) for one, other in product(kept, kept) if one != other)
    assert len(set(kept)) == len(kept)
