"""What an operator may set about the decoding of flow export.

Owns bounds and overrides; nothing here decodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from venturi.core.decode.needed import NeededColumns
from venturi.core.domain.flow_batch import Exporter
from venturi.core.domain.interval import SECOND


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Bounds on what is remembered, and what is known better than the exporters tell.

    ``default_sampling_rate`` holds where an exporter tells none, ``sampling_rates`` always (observed packets stand for that many
    times as many, at least 1). ``maximum_clock_skew`` is in nanoseconds. Templates are bounded per observation domain and in all;
    data sets that wait for their template in octets; observation domains and distinct sampling rates in number.
    ``needed`` names the columns that will be read.
    """

    default_sampling_rate: Fraction = Fraction(1)
    sampling_rates: Mapping[Exporter, Fraction] = field(default_factory=dict)
    maximum_clock_skew: int = 86_400 * SECOND
    maximum_templates_per_domain: int = 4096
    maximum_templates: int = 65_536
    maximum_waiting_octets: int = 4 << 20
    maximum_domains: int = 16_384
    maximum_sampling_rates: int = 4096
    maximum_samplers: int = 65_536
    needed: NeededColumns = field(default_factory=NeededColumns)
