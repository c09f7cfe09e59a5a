"""The chain of batches: each digest covers the one before, so that nothing can be changed, left out or put in afterwards.

Owns how a digest is computed.
"""

import hashlib

FIRST_PREVIOUS = bytes(32)
"""What stands for the digest before the first batch of a spool."""


def chain_digest(spool_id: str, sequence: int, previous: bytes, payload: bytes) -> bytes:
    """Give the digest of a batch: SHA-256 of spool id (ASCII), sequence (8 octets, big-endian), digest before, payload."""
    digest = hashlib.sha256(b"".join((spool_id.encode("ascii"), sequence.to_bytes(8, "big"), previous)))
    digest.update(payload)
    return digest.digest()
