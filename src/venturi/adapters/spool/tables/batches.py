"""The table of sealed batches: each as it was sealed, until it was acknowledged long enough ago.

Owns its rows and the head of the chain. A transaction around them is for the spool.
"""

from collections.abc import Sequence

import msgspec
from pysqlite3.dbapi2 import Connection

from venturi.adapters.spool.tables.forms import compress, decompress
from venturi.adapters.spool.values import ChainHead, SealedBatch
from venturi.core.domain.errors import SpoolError
from venturi.core.ledger.batch import Batch, encode_batch
from venturi.core.ledger.chain import chain_digest


class _Start(msgspec.Struct):
    start: int


class _Starts(msgspec.Struct):
    """Of a batch, the times at which its intervals begin; the rest is skipped."""

    intervals: list[_Start]


_decode_starts = msgspec.msgpack.Decoder(_Starts).decode


def read_head(connection: Connection) -> ChainHead:
    """Read which batch was sealed last."""
    return ChainHead(*connection.execute("SELECT sequence, digest FROM spool").fetchone())


def add_batch(connection: Connection, spool_id: str, batch: Batch) -> SealedBatch:
    """Chain a batch to the last one and make it the head."""
    head = read_head(connection)
    payload = encode_batch(batch)
    sequence = head.sequence + 1
    sealed = SealedBatch(
        sequence=sequence, previous=head.digest, digest=chain_digest(spool_id, sequence, head.digest, payload), payload=payload
    )
    row = (sequence, sealed.previous, sealed.digest, compress(payload))
    connection.execute("INSERT INTO batches (sequence, previous, digest, payload) VALUES (?, ?, ?, ?)", row)
    connection.execute("UPDATE spool SET sequence = ?, digest = ?", (sequence, sealed.digest))
    return sealed


def read_batch(connection: Connection, spool_id: str, sequence: int) -> SealedBatch | None:
    """Give a batch, None for one that is not held; raises ``SpoolError`` where it is not as it was sealed."""
    row = connection.execute("SELECT previous, digest, payload FROM batches WHERE sequence = ?", (sequence,)).fetchone()
    if row is None:
        return None
    previous, digest, payload = row[0], row[1], decompress(row[2])
    if chain_digest(spool_id, sequence, previous, payload) != digest:
        message = f"batch {sequence} in the spool is not as it was sealed: the file is damaged"
        raise SpoolError(message)
    return SealedBatch(sequence=sequence, previous=previous, digest=digest, payload=payload)


def read_digest(connection: Connection, sequence: int) -> bytes | None:
    """Give the digest of a batch, None for one that is not held."""
    row = connection.execute("SELECT digest FROM batches WHERE sequence = ?", (sequence,)).fetchone()
    return None if row is None else bytes(row[0])


def first_unacknowledged(connection: Connection) -> int | None:
    """Give the lowest sequence that is not acknowledged, None if all are."""
    first: int | None = connection.execute("SELECT min(sequence) FROM batches WHERE acknowledged_at IS NULL").fetchone()[0]
    return first


def read_compressed(connection: Connection, sequence: int) -> bytes:
    """Give the payload of a batch that is held, as it lies there."""
    return bytes(connection.execute("SELECT payload FROM batches WHERE sequence = ?", (sequence,)).fetchone()[0])


def read_start(compressed: bytes) -> int | None:
    """Give the earliest start of the intervals of a payload; raises ``SpoolError`` where it is damaged."""
    try:
        return min((interval.start for interval in _decode_starts(decompress(compressed)).intervals), default=None)
    except msgspec.DecodeError as error:
        message = f"the spool is damaged: {error}"
        raise SpoolError(message) from error


def list_undelivered(connection: Connection, highest: int, missing: Sequence[tuple[int, int]]) -> list[int]:
    """List what is to be sent to a ledger that has what is up to ``highest`` but for ``missing`` ranges; in ascending order."""
    wanted = {
        row[0] for row in connection.execute("SELECT sequence FROM batches WHERE acknowledged_at IS NULL OR sequence > ?", (highest,))
    }
    for first, last in missing:
        wanted.update(row[0] for row in connection.execute("SELECT sequence FROM batches WHERE sequence BETWEEN ? AND ?", (first, last)))
    return sorted(wanted)


def mark_acknowledged(connection: Connection, sequence: int, at: int) -> None:
    """Note that a batch is on stable storage at the ledger; ``at`` is in nanoseconds since the UTC epoch."""
    connection.execute("UPDATE batches SET acknowledged_at = ? WHERE sequence = ?", (at, sequence))


def count_acknowledged(connection: Connection, sequences: Sequence[int]) -> int:
    """Count those of some batches that are acknowledged."""
    known = "SELECT acknowledged_at IS NOT NULL FROM batches WHERE sequence = ?"
    return sum(bool(row[0]) for sequence in sequences for row in connection.execute(known, (sequence,)))


def drop_acknowledged(connection: Connection, before: int) -> int:
    """Remove the batches that were acknowledged before a time, and tell how many."""
    return int(connection.execute("DELETE FROM batches WHERE acknowledged_at < ?", (before,)).rowcount)


def drop_oldest_acknowledged(connection: Connection, count: int) -> int:
    """Remove the ``count`` acknowledged batches of the lowest sequences, and tell how many there were."""
    oldest = "SELECT sequence FROM batches WHERE acknowledged_at IS NOT NULL ORDER BY sequence LIMIT ?"
    return int(connection.execute(f"DELETE FROM batches WHERE sequence IN ({oldest})", (count,)).rowcount)  # noqa: S608 - no input
