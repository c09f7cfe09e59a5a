"""Reading a batch as it arrives, from whomever: decompressed within bounds, decoded, and checked.

Owns how a body is refused, by ``InvalidBatchError`` that names the field. What a batch must hold true is for ``core.ledger.checks``.
"""

import io
from collections.abc import Callable
from typing import TypeVar

import msgspec
import zstandard

from venturi.core.domain.errors import InvalidBatchError
from venturi.core.ledger.batch import Batch, Envelope, decode_batch, decode_envelope
from venturi.core.ledger.checks import check_batch, check_envelope
from venturi.core.rules.checks import printable

MOST_OCTETS = 64 * 1024 * 1024
"""How large an envelope may be, decompressed."""

_MOST_WINDOW = 1 << 26

Form = TypeVar("Form")


def read_envelope(body: bytes) -> Envelope:
    """Read the envelope of a batch, whose digest is that of its content; raises ``InvalidBatchError``."""
    envelope = _decode(_decompress(body), decode_envelope, "envelope")
    check_envelope(envelope)
    return envelope


def read_batch(envelope: Envelope) -> Batch:
    """Read the batch in an envelope; raises ``InvalidBatchError``."""
    batch = _decode(envelope.payload, decode_batch, "payload")
    check_batch(batch)
    return batch


def _decompress(body: bytes) -> bytes:
    try:
        with zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW).stream_reader(io.BytesIO(body)) as stream:
            content = stream.read(MOST_OCTETS + 1)
    except zstandard.ZstdError as error:
        message = f"the body is not compressed with Zstandard: {error}"
        raise InvalidBatchError(message) from error
    if len(content) > MOST_OCTETS:
        message = f"the body is larger than {MOST_OCTETS} octets when decompressed"
        raise InvalidBatchError(message)
    return content


def _decode(content: bytes, decode: Callable[[bytes], Form], name: str) -> Form:
    try:
        return decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason, _, place = str(error).partition(" - at `$")
        message = f"{name}{printable(place.rstrip('`'))}: {printable(reason.replace('`', chr(39)))}"
        raise InvalidBatchError(message) from error
