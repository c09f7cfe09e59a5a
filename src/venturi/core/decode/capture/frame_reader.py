"""Frames of a capture whatever its file format.

Owns the choice between the readers of pcap and pcapng, by content.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.pcap import PCAP_MAGIC_NUMBERS, PcapReader
from venturi.core.decode.capture.pcapng import PCAPNG_MAGIC_NUMBER, PcapngReader
from venturi.core.decode.capture.words import Octets
from venturi.core.decode.frames import Frames
from venturi.core.domain.drops import DropReason, add_drop

_MAGIC_LENGTH = 4


class _FormatReader(Protocol):
    @property
    def untimed(self) -> int: ...
    def read(self, buffer: Octets, *, final: bool) -> tuple[Frames, int]: ...


class FrameReader:
    """Finds the frames of one capture, buffer by buffer; what is no capture at all is one drop of ``BAD_RECORD_LENGTH``."""

    def __init__(self, drops: NDArray[np.int64]) -> None:
        """Await a file of either format, whose drops go to the drop table ``drops``."""
        self._drops = drops
        self._reader: _FormatReader | None = None

    @property
    def untimed(self) -> int:
        """Frames of the file so far without a time."""
        return 0 if self._reader is None else self._reader.untimed

    def read(self, buffer: Octets, *, final: bool) -> tuple[Frames, int]:
        """Give the whole frames of ``buffer`` and the octets used up, as a ``StreamDecoder`` counts them.

        A buffer that cannot be written is copied: for it, another type, every kernel would be compiled a second time.
        """
        buffer = buffer if buffer.flags.writeable else buffer.copy()
        if self._reader is None and len(buffer) >= _MAGIC_LENGTH:
            self._reader = self._choose(buffer[:_MAGIC_LENGTH].tobytes())
        if self._reader is not None:
            return self._reader.read(buffer, final=final)
        if final and len(buffer):
            add_drop(self._drops, DropReason.TRUNCATED_FILE, 1)
        return Frames.none(buffer), len(buffer) if final else 0

    def _choose(self, magic_number: bytes) -> _FormatReader:
        if magic_number in PCAP_MAGIC_NUMBERS:
            return PcapReader(self._drops)
        if magic_number == PCAPNG_MAGIC_NUMBER:
            return PcapngReader(self._drops)
        add_drop(self._drops, DropReason.BAD_RECORD_LENGTH, 1)
        return _NoFrames()


class _NoFrames:
    """Reads past what is no capture."""

    untimed = 0

    def read(self, buffer: Octets, *, final: bool) -> tuple[Frames, int]:  # noqa: ARG002 - the form of a reader
        return Frames.none(buffer), len(buffer)
