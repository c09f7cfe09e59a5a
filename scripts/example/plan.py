"""What happens during the hour: a seeded, deterministic list of activities. Nothing is sent from here.

The hour starts quiet, has three waves of web visitors, and a backup that fills its middle.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.example.addresses import (
    BACKUP,
    BRANCH_IPV4,
    LAB,
    MAIL,
    MONITOR,
    OUTSIDE,
    PARTNER_IPV4,
    PARTNER_IPV6,
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    SHOP,
    Tenant,
)

HOUR_SECONDS = 3600.0
WAVES = ((13.0, 3.0, 1.0), (29.0, 4.0, 0.7), (49.0, 4.5, 1.4))
QUIET_LEVEL = 0.12


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that a host does: at a second of the hour, from one of its addresses to another's; pauses are seconds of the hour too."""

    at: float
    host: str
    kind: str
    source: str
    target: str
    octets: int = 0
    pause: float = 0.0


def hour(seed: int) -> list[Activity]:
    """Plan the hour, in order of time."""
    chance = random.Random(seed)  # noqa: S311 - a plan, no secret
    parts = (_shopping, _mail, _names, _backup, _monitoring, _laboratory, _partners, _branch, _probes)
    activities = [activity for part in parts for activity in part(chance)]
    return sorted(activities, key=lambda activity: (activity.at, activity.host, activity.target))


def _level(second: float) -> float:
    minute = second / 60
    return QUIET_LEVEL + sum(height * math.exp(-(((minute - middle) / width) ** 2)) for middle, width, height in WAVES)


def _moments(chance: random.Random, count: int) -> Iterator[float]:
    """Draw moments of the hour, denser when visitors are many."""
    highest = QUIET_LEVEL + max(height for _, _, height in WAVES) + 0.3
    drawn = 0
    while drawn < count:
        second = chance.uniform(1.0, HOUR_SECONDS - 20.0)
        if chance.random() * highest < _level(second):
            drawn += 1
            yield second


def _happens(chance: random.Random, share: float) -> bool:
    return chance.random() < share


def _size(chance: random.Random, median: int, largest: int) -> int:
    return min(largest, int(chance.lognormvariate(math.log(median), 1.0)))


def _pair(chance: random.Random, tenant: Tenant, ipv6_share: float) -> tuple[str, str]:
    """Draw a tenant's address and a public one of the same family."""
    if _happens(chance, ipv6_share):
        return chance.choice(tenant.ipv6), chance.choice(PUBLIC_IPV6)
    return chance.choice(tenant.ipv4), chance.choice(PUBLIC_IPV4)


def _shopping(chance: random.Random) -> Iterator[Activity]:
    for at in _moments(chance, 880):
        shop, visitor = _pair(chance, SHOP, 0.35)
        kind = "upload" if _happens(chance, 0.08) else "download"
        yield Activity(at, OUTSIDE, kind, visitor, shop, _size(chance, 15_000, 260_000))


def _mail(chance: random.Random) -> Iterator[Activity]:
    for at in _moments(chance, 110):
        server, peer = _pair(chance, MAIL, 0.25)
        size = _size(chance, 14_000, 150_000)
        if _happens(chance, 0.6):
            yield Activity(at, OUTSIDE, "mail", peer, server, size)
        else:
            yield Activity(at, MAIL.name, "mail", server, peer, size)


def _names(chance: random.Random) -> Iterator[Activity]:
    for at in _moments(chance, 2100):
        server, peer = _pair(chance, MAIL, 0.4)
        if _happens(chance, 0.7):
            yield Activity(at, OUTSIDE, "resolve", peer, server)
        else:
            yield Activity(at, MAIL.name, "resolve", server, peer)


def _backup(chance: random.Random) -> Iterator[Activity]:
    yield Activity(22 * 60 + 7.0, BACKUP.name, "archive", BACKUP.ipv4[0], PUBLIC_IPV4[30], 4_000_000, 3.0)
    yield Activity(25 * 60 + 31.0, BACKUP.name, "archive", BACKUP.ipv6[0], PUBLIC_IPV6[30], 3_200_000, 2.5)
    for _ in range(26):
        source, target = _pair(chance, BACKUP, 0.3)
        yield Activity(chance.gauss(33 * 60, 150), BACKUP.name, "archive", source, target, _size(chance, 180_000, 600_000))
    for at in range(300, 3600, 600):
        yield Activity(at + 3.0, BACKUP.name, "download", BACKUP.ipv4[1], PUBLIC_IPV4[31], 6_000)


def _monitoring(chance: random.Random) -> Iterator[Activity]:
    for at in range(5, 3590, 15):
        for source, target in ((MONITOR.ipv4[0], PUBLIC_IPV4[1]), (MONITOR.ipv6[0], PUBLIC_IPV6[1]), (MONITOR.ipv4[0], PUBLIC_IPV4[2])):
            yield Activity(at + chance.random(), MONITOR.name, "ping", source, target, 56)
    for at in range(20, 3580, 60):
        yield Activity(at + chance.random(), MONITOR.name, "clock", MONITOR.ipv4[1], PUBLIC_IPV4[3])
        yield Activity(at + chance.random(), MONITOR.name, "clock", MONITOR.ipv6[1], PUBLIC_IPV6[3])
        yield Activity(at + 30 + chance.random(), MONITOR.name, "download", *_pair(chance, MONITOR, 0.5), 1_500)
    for at in range(200, 3500, 300):
        yield Activity(at + chance.random(), MONITOR.name, "ping", MONITOR.ipv4[0], PUBLIC_IPV4[1], 4_000)
        yield Activity(at + chance.random(), MONITOR.name, "ping", MONITOR.ipv6[0], PUBLIC_IPV6[1], 4_000)


def _laboratory(chance: random.Random) -> Iterator[Activity]:
    for at in _moments(chance, 60):
        source, target = chance.choice(LAB.ipv4), chance.choice(PUBLIC_IPV4)
        yield Activity(at, LAB.name, "download", source, target, _size(chance, 20_000, 120_000))
        yield Activity(max(0.5, at - 0.5), LAB.name, "resolve", source, target)


def _partners(chance: random.Random) -> Iterator[Activity]:
    for at in _moments(chance, 45):
        ipv6 = _happens(chance, 0.3)
        source, target = (PARTNER_IPV6, SHOP.ipv6) if ipv6 else (PARTNER_IPV4, SHOP.ipv4)
        yield Activity(at, OUTSIDE, "upload", chance.choice(source), chance.choice(target), _size(chance, 30_000, 200_000))


def _branch(chance: random.Random) -> Iterator[Activity]:
    for at in _moments(chance, 30):
        yield Activity(at, OUTSIDE, "mail", chance.choice(BRANCH_IPV4), chance.choice(MAIL.ipv4), _size(chance, 12_000, 60_000))
    for at in _moments(chance, 30):
        yield Activity(at, LAB.name, "download", chance.choice(LAB.ipv4), SHOP.ipv4[0], _size(chance, 8_000, 40_000))


def _probes(chance: random.Random) -> Iterator[Activity]:
    tenants = (SHOP, MAIL, BACKUP, MONITOR, LAB)
    for _ in range(260):
        target, source = _pair(chance, chance.choice(tenants), 0.1)
        kind = chance.choice(("knock", "knock", "resolve-closed"))
        yield Activity(chance.uniform(2.0, HOUR_SECONDS - 5), OUTSIDE, kind, source, target)
