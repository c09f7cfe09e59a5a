"""The seal of a posting: a digest of all that it added and of the seal before, so that no entry can be changed unseen afterwards.

Owns how a seal is computed. It goes over postings in the order of their numbers, as the chain (``chain``) goes over the batches of a spool.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec


def seal(before: str, posting: Sequence[Any], *entries: Sequence[Sequence[Any]]) -> str:
    """Give the seal: SHA-256, in hexadecimal digits, of the seal before, the columns and the entries, by kind, in MessagePack."""
    return hashlib.sha256(msgspec.msgpack.encode([before, posting, entries])).hexdigest()
