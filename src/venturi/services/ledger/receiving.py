"""Reading a batch as it arrives, from whomever: decompressed within bounds, decoded, and checked.

Owns how a body is refused, by ``InvalidBatchError`` that names the field, and that its size is checked before anything is made of it.
What a batch must hold true is for ``core.ledger.checks``.
"""

import io
from collections.abc import Callable
from typing import TypeVar

import msgspec
import zstandard

from venturi.core.domain.errors import BatchTooLargeError, InvalidBatchError
from venturi.core.ledger.batch import Batch, Envelope, decode_batch, decode_envelope
from venturi.core.ledger.checks import check_batch, check_envelope
from venturi.core.ledger.measuring import BatchBounds, check_batch_size, check_envelope_size
from venturi.core.rules.checks import printable

_PIECE = 1 << 18
_MOST_WINDOW = 1 << 26
DEFAULT_BOUNDS = BatchBounds()

Form = TypeVar("Form")
Octets = TypeVar("Octets", bytes, bytearray)


def read_envelope(body: bytes, bounds: BatchBounds = DEFAULT_BOUNDS) -> Envelope:
    """Read the envelope of a batch, whose digest is that of its content; raises ``InvalidBatchError``."""
    content = _decompress(body, bounds.octets)
    check_envelope_size(content)
    envelope = _decode(content, decode_envelope, "envelope")
    check_envelope(envelope)
    return envelope


def read_batch(envelope: Envelope, bounds: BatchBounds = DEFAULT_BOUNDS) -> Batch:
    """Read the batch in an envelope; raises ``InvalidBatchError``."""
    check_batch_size(envelope.payload, bounds)
    batch = _decode(envelope.payload, decode_batch, "payload")
    check_batch(batch)
    return batch


def _decompress(body: bytes, most: int) -> bytearray:
    """Decompress piece by piece, so that memory grows with what there is, not with what there may be."""
    content = bytearray()
    try:
        with zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW).stream_reader(io.BytesIO(body)) as stream:
            while piece := stream.read(_PIECE):
                content += piece
                if len(content) > most:
                    message = f"the body is larger than {most} octets when decompressed"
                    raise BatchTooLargeError(message)
    except zstandard.ZstdError as error:
        message = f"the body is not compressed with Zstandard: {error}"
        raise InvalidBatchError(message) from error
    return content


def _decode(content: Octets, decode: Callable[[Octets], Form], name: str) -> Form:
    try:
        return decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason, _, place = str(error).partition(" - at `")
        message = f"{name}{printable(place.strip('$`'))}: {printable(reason.replace('`', chr(39)))}"
        raise InvalidBatchError(message) from error
