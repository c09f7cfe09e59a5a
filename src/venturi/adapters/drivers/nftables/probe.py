"""The probe: whether this kernel, with these rights, counts as the driver wants it.

Owns the trial. All that a generation needs is made and unmade in one transaction, so that nothing of it is ever seen.
"""

import secrets
from contextlib import closing

from venturi.adapters.drivers.nftables.layout import generation_changes
from venturi.adapters.drivers.nftables.netlink import Change, Connection, Verb, text
from venturi.adapters.drivers.protocol import Answer, Support
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.point import PointTraffic
from venturi.core.domain.prefix import Prefix

_REMEDY = "run it as root, or with CAP_NET_ADMIN, on a kernel with nf_tables (modprobe nf_tables)"


def try_to_count() -> Support:
    """Make a table with maps and sets of both families and delete it in the same transaction."""
    classifier = _any_classifier()
    metered = MeteredDevice(point_id="probe", device="lo", traffic=PointTraffic.BOTH)
    generation = Generation(id=secrets.token_hex(16), spool_id="0" * 32, digest=classifier.digest)
    table = f"probe_{generation.id}"
    changes = generation_changes(table, metered, classifier, generation, device_index=1)
    try:
        with closing(Connection(None)) as connection:
            connection.commit([*changes.preparation, *changes.switch, Change(Verb.DELETE_TABLE, text(1, table))])
    except DriverError as error:
        return Support(Answer.NO, str(error), _REMEDY)
    return Support(Answer.YES)


def _any_classifier() -> CompiledClassifier:
    prefixes = [Prefix(family, 1, length) for family, length in ((4, 32), (6, 128))]
    rules = tuple(
        MeteringLabelRule(id="", metering_label_id="", direction=direction, source_ip_prefix=prefix, destination_ip_prefix=prefix)
        for direction in (Direction.INGRESS, Direction.EGRESS)
        for prefix in prefixes
    )
    return CompiledClassifier([LabelWithRules(MeteringLabel(id="", name=""), rules)])
