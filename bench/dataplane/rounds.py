"""Rounds: bursts through all layouts by turns, so that what else the machine does meets all of them alike.

Owns the order of bursts, the checks and the medians. A layout that has not counted just what was sent gives no figures.
"""

import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np

from bench.dataplane.figures import SENDING_ALONE, Forwarding
from bench.dataplane.layouts import Layout
from bench.dataplane.routers import Router, running_router
from bench.dataplane.sending import Burst, FrameSender
from bench.dataplane.traffic import Traffic, make_traffic
from bench.measure.processes import ProgramFailedError
from venturi.core.domain.label import LabelWithRules

_BURST_SECONDS = 0.1


@dataclass
class Lane:
    """A router with its layout, its traffic, and the bursts that went through it."""

    layout: Layout
    router: Router
    traffic: Traffic
    labels: int
    sender: FrameSender
    received_before: int
    bursts: list[Burst] = field(default_factory=list)


@contextmanager
def running_lanes(layouts: Sequence[Layout], labels: Sequence[LabelWithRules]) -> Iterator[list[Lane]]:
    """Make a router for each layout and install it there, until the end of the block."""
    with ExitStack() as stack:
        lanes = []
        for number, layout in enumerate(layouts):
            traffic = make_traffic(labels, forwarded=layout.name != SENDING_ALONE)
            router = stack.enter_context(running_router(str(number)))
            layout.install(router.router)
            stack.callback(layout.remove)
            sender = stack.enter_context(FrameSender(router.sender, traffic))
            lanes.append(Lane(layout, router, traffic, len(labels), sender, router.received()))
        yield lanes


def forward(lanes: Sequence[Lane], rounds: int) -> list[Forwarding]:
    """Forward a burst through each of the lanes, ``rounds`` times by turns, having done so once for nothing.

    The first of the lanes is that without metering. Raise ``ProgramFailedError`` where packets were lost or counted wrongly.
    """
    for number in range(rounds + 1):
        for lane in lanes:
            burst = lane.sender.send(_BURST_SECONDS)
            if number > 0:
                lane.bursts.append(burst)
    for lane in lanes:
        _check_forwarded(lane)
        _check_counted(lane)
    return [_summarise(lane, lanes[0]) for lane in lanes]


def _check_forwarded(lane: Lane) -> None:
    received = lane.router.received() - lane.received_before
    if lane.layout.name != SENDING_ALONE and received < lane.sender.sent:
        message = f"{lane.layout.name}: of {lane.sender.sent} packets, {received} were forwarded"
        raise ProgramFailedError(message)


def _check_counted(lane: Lane) -> None:
    """Hold what was counted for each label against what was sent."""
    counts = lane.layout.counts()
    if counts is None:
        return
    packets = lane.traffic.packets_by_label(lane.sender.sent, lane.labels)
    wrong = (counts.packets != packets) | (counts.octets != packets * lane.traffic.octets)
    if np.any(wrong):
        totals = f"{packets.sum()} packets were sent and {counts.packets.sum()} counted"
        message = f"{lane.layout.name}: {wrong.sum()} of {lane.labels} labels are counted wrongly; {totals}"
        raise ProgramFailedError(message)


def _summarise(lane: Lane, base: Lane) -> Forwarding:
    taken = [burst.nanoseconds for burst in lane.bursts]
    bare = [burst.nanoseconds for burst in base.bursts]
    pairs = list(zip(taken, bare, strict=True))
    return Forwarding(
        family=lane.traffic.family,
        labels=lane.labels,
        layout=lane.layout.name,
        nanoseconds=statistics.median(taken),
        added=statistics.median(ours - unmetered for ours, unmetered in pairs),
        share=statistics.median(unmetered / ours for ours, unmetered in pairs),
    )
