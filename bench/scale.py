"""How much is measured: the sizes of a full run and of one that only shows that everything works.

Owns the numbers; what is made of them is in ``inputs``.
"""

from dataclasses import dataclass

PREFIX_COUNTS = (1_000, 10_000, 100_000)
"""The sizes of the sets of prefixes, each prefix a label."""

FEW_PREFIXES = 10
"""The set that starting up is measured with."""

LABELLED_PREFIXES = 10_000
"""The set that traffic is drawn from and that the exports are metered by."""


@dataclass(frozen=True)
class Scale:
    """The sizes of one run.

    ``flow_records`` are those of each export, a multiple of 150, so that datagrams of 30 and of 25 are all full. ``filtered_records``
    are those given to nfdump's long filter, ``decoded_records``, which follow one template, those given to the Python decoder: both are
    too slow for all of them.

    A server is sent ``requests`` of a kind, Neutron ``peer_requests``, which takes a second or more for one; ``bulk_rules`` are created
    many at a time, ``many_labels`` are there while more are created.

    Routers are metered by each of ``forwarding_labels``. A database is sent ``posted_batches`` in each way and asked for the usage of
    ``reported_days``. Ledgers of few and of many ``made_labels`` over ``made_days`` are made to be asked about. An agent is watched for
    ``agent_minutes``.
    """

    name: str
    flow_records: int
    packets: int
    filtered_records: int
    decoded_records: int
    requests: int
    peer_requests: int
    bulk_rules: int
    many_labels: int
    forwarding_labels: tuple[int, ...]
    posted_batches: int
    reported_days: int
    made_labels: tuple[int, int]
    made_days: int
    agent_minutes: int


SCALES = {
    "full": Scale(
        "full",
        flow_records=10_000_050,
        packets=5_000_000,
        filtered_records=600_000,
        decoded_records=24_000,
        requests=2_000,
        peer_requests=16,
        bulk_rules=100_000,
        many_labels=100_000,
        forwarding_labels=(100, 1_000, 10_000),
        posted_batches=60,
        reported_days=30,
        made_labels=(1_000, 10_000),
        made_days=395,
        agent_minutes=5,
    ),
    "small": Scale(
        "small",
        flow_records=300_000,
        packets=200_000,
        filtered_records=60_000,
        decoded_records=6_000,
        requests=200,
        peer_requests=2,
        bulk_rules=2_000,
        many_labels=2_000,
        forwarding_labels=(100, 1_000),
        posted_batches=5,
        reported_days=2,
        made_labels=(20, 200),
        made_days=40,
        agent_minutes=1,
    ),
}
