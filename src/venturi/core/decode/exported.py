"""The flow export that a capture carries: frames to datagrams to flow records.

Owns nothing but the joining of the two decoders.
"""

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.datagrams import DatagramDecoder
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.domain.flow_batch import FlowBatch


class ExportedFlowDecoder:
    """Decodes the flow export in a capture (a ``StreamDecoder``).

    Templates and sampling rates are those of the collector, which outlives the input.
    """

    def __init__(self, collector: ExportDecoder) -> None:
        """Take the collector that the datagrams are handed to."""
        self._datagrams = DatagramDecoder()
        self._collector = collector
        self._records_before = collector.records
        self.drops = self._datagrams.drops

    @property
    def records(self) -> int:
        """Flow records decoded so far."""
        return self._collector.records - self._records_before

    def decode(self, buffer: NDArray[np.uint8], *, final: bool) -> tuple[FlowBatch, int]:
        """Decode the datagrams of the whole frames of ``buffer``."""
        datagrams, used = self._datagrams.locate(buffer, final=final)
        batch = self._collector.decode(datagrams, self.drops)
        if final:
            self._collector.finish(self.drops)
        return batch, used
