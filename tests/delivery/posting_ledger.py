"""A ledger in memory behind a real HTTP server, and a bad connection to it on demand.

Owns what an agent may rely on: a batch is posted once, the same batch is acknowledged again, another of its name is refused with 409.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import zstandard

from venturi.core.ledger.batch import MEDIA_TYPE, Batch, Envelope, decode_batch, decode_envelope
from venturi.core.ledger.chain import chain_digest


class Fault(Enum):
    """What happens to a posting on its way."""

    NONE = "none"
    LOST = "the request is lost"
    UNANSWERED = "the batch is posted, and its acknowledgement lost"
    TRUNCATED = "the acknowledgement is cut short"
    BUSY = "the server says 503"
    HASTY = "the server says 429"
    REFUSED = "the server says 403"
    CONFLICT = "the server says 409"
    INVALID = "the server says 400"
    LARGE = "a proxy says 413"
    BROKEN = "the server says 500"
    OTHER = "another batch is acknowledged"
    JUNK = "the answer is no JSON"


_STATUSES = {
    Fault.BUSY: 503,
    Fault.HASTY: 429,
    Fault.REFUSED: 403,
    Fault.CONFLICT: 409,
    Fault.INVALID: 400,
    Fault.LARGE: 413,
    Fault.BROKEN: 500,
}


@dataclass
class PostingLedger:
    """What is posted, by spool and sequence; ``faults`` befall the next postings, one each, and those in ``refused`` all of a sequence.

    ``requests`` are those that came.
    """

    faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    posted: dict[str, dict[int, Envelope]] = field(default_factory=dict)
    refused: dict[int, Fault] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    url: str = ""

    def batches(self) -> list[Batch]:
        """List the batches of all spools."""
        return [decode_batch(envelope.payload) for spool in list(self.posted.values()) for envelope in list(spool.values())]

    def standing(self, spool_id: str) -> dict[str, object]:
        """Say what is known of a spool."""
        posted = self.posted.get(spool_id, {})
        highest = max(posted, default=0)
        missing = [[sequence, sequence] for sequence in range(1, highest) if sequence not in posted]
        digest = posted[highest].digest.hex() if posted else None
        return {"agent_id": "agent-1", "spool_id": spool_id, "highest": highest, "digest": digest, "missing": missing}

    def post(self, envelope: Envelope) -> bool:
        """Post a batch, and tell whether it is now posted as it is here."""
        assert envelope.digest == chain_digest(envelope.spool_id, envelope.sequence, envelope.previous, envelope.payload)
        spool = self.posted.setdefault(envelope.spool_id, {})
        return spool.setdefault(envelope.sequence, envelope) == envelope


@contextmanager
def posting_ledger(
    faults: Iterable[Fault] = (), posted: dict[str, dict[int, Envelope]] | None = None, refused: Mapping[int, Fault] = MappingProxyType({})
) -> Iterator[PostingLedger]:
    """Let a ledger listen."""
    ledger = PostingLedger(iter(faults), posted or {}, dict(refused))

    class Handler(_Handler):
        spoken_for = ledger

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ledger.url = f"http://127.0.0.1:{server.server_port}"
        listening = threading.Thread(target=server.serve_forever, args=(0.02,))
        listening.start()
        try:
            yield ledger
        finally:
            server.shutdown()
            listening.join()


class _Handler(BaseHTTPRequestHandler):
    spoken_for: PostingLedger

    def do_GET(self) -> None:
        self._note()
        self._answer(200, json.dumps(self.spoken_for.standing(self.path.rpartition("/")[2])).encode())

    def do_POST(self) -> None:
        self._note()
        content = self.rfile.read(int(self.headers["Content-Length"]))
        fault = next(self.spoken_for.faults, Fault.NONE)
        if fault is Fault.LOST or self.headers["Content-Type"] != MEDIA_TYPE:
            return
        envelope = decode_envelope(zstandard.ZstdDecompressor().decompress(content))
        fault = self.spoken_for.refused.get(envelope.sequence, fault)
        if fault in _STATUSES:
            self._answer(_STATUSES[fault], b'{"error": {"message": "not so"}}')
            return
        if fault in {Fault.OTHER, Fault.JUNK}:
            digest = bytes(32).hex()
            self._answer(201, json.dumps({"sequence": envelope.sequence, "digest": digest}).encode() if fault is Fault.OTHER else b"<html>")
        elif not self.spoken_for.post(envelope):
            self._answer(409, b'{"error": {"message": "another batch has this name"}}')
        elif fault is not Fault.UNANSWERED:
            missing = len(list(self.spoken_for.standing(envelope.spool_id)["missing"]))  # type: ignore[call-overload] # it is a list
            acknowledged = {"sequence": envelope.sequence, "digest": envelope.digest.hex(), "missing": missing}
            answer = json.dumps(acknowledged).encode()
            self._answer(201, answer, cut=len(answer) // 2 if fault is Fault.TRUNCATED else 0)

    def _note(self) -> None:
        self.spoken_for.requests.append(f"{self.command} {self.path}")
        self.spoken_for.tokens.append(self.headers["Authorization"])

    def _answer(self, status: int, content: bytes, cut: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) - cut])

    def log_message(self, *_: object) -> None:
        """Say nothing."""
