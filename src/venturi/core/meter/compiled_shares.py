"""Shares of flows in compiled code.

Owns the arithmetic in 64 bits alone; what a share is, ``shares`` says.
"""

import numpy as np

from venturi.core.kernel import step


@step
def compiled_share_before(total: np.int64, elapsed: np.int64, duration: np.int64) -> np.int64:
    """Equal ``share_before`` for 0 <= elapsed <= duration, 0 < duration and 0 <= total <= 2^62, in compiled code."""
    if elapsed == 0:
        return np.int64(0)
    if total <= 0x7FFF_FFFF_FFFF_FFFF // elapsed:
        return total * elapsed // duration
    return _divide_wide(np.uint64(total), np.uint64(elapsed), np.uint64(duration))


@step
def _divide_wide(total: np.uint64, elapsed: np.uint64, duration: np.uint64) -> np.int64:
    """Multiply into 128 bits and divide bit by bit; the quotient is at most ``total``, so its high word stays below ``duration``."""
    mask = np.uint64(0xFFFF_FFFF)
    half = np.uint64(32)
    low_product = (total & mask) * (elapsed & mask)
    cross = (total >> half) * (elapsed & mask) + (low_product >> half)
    cross_low = (cross & mask) + (total & mask) * (elapsed >> half)
    high = (total >> half) * (elapsed >> half) + (cross >> half) + (cross_low >> half)
    low = (cross_low << half) | (low_product & mask)
    quotient = np.uint64(0)
    for _ in range(64):
        high = (high << np.uint64(1)) | (low >> np.uint64(63))
        low <<= np.uint64(1)
        quotient <<= np.uint64(1)
        if high >= duration:
            high -= duration
            quotient |= np.uint64(1)
    return np.int64(quotient)
