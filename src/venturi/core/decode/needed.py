"""What of a flow will be read.

Owns the choice that a run makes, so that decoders need not work out what nobody asks for. Families, addresses, counts, exporters, sampling
rates and the direction that a record tells are always decoded.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NeededColumns:
    """Whether anybody reads when flows were (``times``) and which interfaces they passed (``interfaces``).

    A column that nobody reads holds numbers without meaning.
    """

    times: bool = True
    interfaces: bool = True
