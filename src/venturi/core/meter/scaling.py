"""Scaling: observed counts of sampled sources into estimates, last and exact.

Owns the rounding: the estimates of the parts of one origin and direction sum to the rounded estimate of their sum, whatever the parts are.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Limbs = NDArray[np.int64]
"""Exact counts of any size: int64, shape (n, 2), high and low limb; a count is high * 2^32 + low. Limbs may be summed 2^31 times."""

_LIMB_BITS = 32
_MOST_LOW = 1 << 62
_MOST_HIGH = _MOST_LOW >> _LIMB_BITS


class RunningScale:
    """Scales counts of one origin, part after part, so that at any time the estimates sum to the rounded scaled sum."""

    def __init__(self, rate: Fraction) -> None:
        """Take the sampling rate: one observed packet stands for ``rate`` packets."""
        self._rate = rate
        self._observed = 0

    def scale(self, observed: NDArray[np.int64]) -> Limbs:
        """Scale the next observed counts (int64, shape (n,)); exact halves round up."""
        if self._rate == 1:
            return to_limbs(observed)
        sums = np.concatenate([[self._observed], self._observed + np.cumsum(observed.astype(object))])
        self._observed = int(sums[-1])
        estimates = (2 * sums * self._rate.numerator + self._rate.denominator) // (2 * self._rate.denominator)
        return to_limbs(np.diff(estimates))


def to_limbs(counts: NDArray[np.int64] | NDArray[np.object_]) -> Limbs:
    """Split counts (int64 or Python integers, shape (n,)) into limbs."""
    return np.stack([counts >> _LIMB_BITS, counts & ((1 << _LIMB_BITS) - 1)], axis=1).astype(np.int64)


def join_limbs(limbs: NDArray[np.int64]) -> NDArray[np.int64] | NDArray[np.object_]:
    """Join limbs, shape (…, 2 * counts), into counts of shape (…, counts): int64 where all of them fit, else Python integers."""
    high, low = limbs[..., 0::2], limbs[..., 1::2]
    if high.max(initial=0) < _MOST_HIGH and low.max(initial=0) < _MOST_LOW:
        return (high << _LIMB_BITS) + low
    exact: NDArray[np.object_] = (high.astype(object) << _LIMB_BITS) + low.astype(object)
    return exact
