"""A ledger as an agent speaks to it: what it has of a spool, and the posting of a batch.

Owns the forms of both answers, and what of them is believed. When to ask and to send is for delivery.
"""

from typing import Annotated, TypeVar
from urllib.parse import quote

import msgspec
import zstandard
from msgspec import Meta, Struct, field

from venturi.adapters.client.connection import Connection
from venturi.core.domain.errors import ServerError
from venturi.core.ledger.batch import MEDIA_TYPE, Envelope, encode_batch

_HIGHEST_SEQUENCE = (1 << 63) - 1
_MOST_RANGES = 10_000
_LONGEST_ANSWER = 1 << 20
"""In octets: more than ``_MOST_RANGES`` need."""
_LEVEL = 3
"""Of compression: the balance of speed and size that Zstandard itself chooses."""

_Sequence = Annotated[int, Meta(ge=0, le=_HIGHEST_SEQUENCE)]
_Digest = Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")]
_Form = TypeVar("_Form")


class SpoolStanding(Struct, frozen=True):
    """What a ledger has of a spool: all up to sequence ``highest`` but for the ``missing`` ranges, both ends of which are included.

    ``digest`` is that of ``highest``, in hexadecimal; of a spool that the ledger does not know, ``highest`` is 0.
    """

    spool_id: str
    highest: _Sequence
    digest: _Digest | None = None
    missing: Annotated[list[tuple[_Sequence, _Sequence]], Meta(max_length=_MOST_RANGES)] = field(default_factory=list)


class _Acknowledgement(Struct, frozen=True):
    sequence: _Sequence
    digest: _Digest
    missing: _Sequence = 0


class LedgerClient:
    """Speaks to the ledger behind a connection. Every method raises what ``Connection.ask`` does, and ``ServerError`` for no answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def standing(self, spool_id: str) -> SpoolStanding:
        """Ask what the ledger has of a spool."""
        path = f"/v1/spools/{quote(spool_id, safe='')}"
        standing = _read(self._connection.ask("GET", path, longest=_LONGEST_ANSWER), SpoolStanding, f"GET {path}")
        if standing.spool_id != spool_id:
            message = f"asked for spool {spool_id}, the server told of {standing.spool_id!a}"
            raise ServerError(message)
        return standing

    def post(self, envelope: Envelope) -> int:
        """Send a batch; returns once the ledger has acknowledged just this one, and gives how many batches of the spool it lacks.

        An older ledger does not say that, which is 0.
        """
        content = zstandard.ZstdCompressor(level=_LEVEL).compress(encode_batch(envelope))
        answer = self._connection.post("/v1/batches", content, MEDIA_TYPE, longest=_LONGEST_ANSWER)
        acknowledged = _read(answer, _Acknowledgement, "POST /v1/batches")
        if (acknowledged.sequence, acknowledged.digest) != (envelope.sequence, envelope.digest.hex()):
            message = f"batch {envelope.sequence} was sent, but the server acknowledged another: sequence {acknowledged.sequence}"
            raise ServerError(message)
        return acknowledged.missing


def _read(answer: object, form: type[_Form], request: str) -> _Form:
    try:
        return msgspec.convert(answer, form)
    except msgspec.ValidationError as error:
        message = f"{request}: the answer is not what a ledger says: {error}"
        raise ServerError(message) from error
