"""What every decoder of a stream of octets offers, whatever the format."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from venturi.core.domain.flow_batch import FlowBatch


class StreamDecoder(Protocol):
    """Turns the octets of one input into flow batches, buffer by buffer.

    ``drops`` is the drop table of the input (``domain.drops``).
    """

    drops: NDArray[np.int64]

    @property
    def records(self) -> int:
        """Packets or flow records decoded so far."""
        ...

    def decode(self, buffer: NDArray[np.uint8], *, final: bool) -> tuple[FlowBatch, int]:
        """Decode what is whole in ``buffer`` (uint8, shape (octets,)); give the flows and the number of octets used up.

        The next buffer begins with the octets not used up. ``final`` says that nothing follows: the decoder then uses up all.
        The batch holds copies, never views of ``buffer``. With ``final`` false and nothing used up, the decoder needs a larger buffer.
        """
        ...
