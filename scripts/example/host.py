"""One host of the example: runs in its namespace, starts its servers, then plays its part of the plan. Prints how many activities failed.

Run as ``python -m scripts.example.host NAME SEED START SPEED``, START on the monotonic clock that all hosts share.
"""

import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor

from scripts.example import addresses, clients, plan, servers

THREADS = 24


def own_addresses(host: str) -> tuple[str, ...]:
    """Every address of a host, both families."""
    if host == addresses.OUTSIDE:
        return (
            *(addresses.PUBLIC_IPV4 + addresses.PARTNER_IPV4 + addresses.BRANCH_IPV4),
            *(addresses.PUBLIC_IPV6 + addresses.PARTNER_IPV6),
        )
    (tenant,) = (tenant for tenant in addresses.TENANTS if tenant.name == host)
    return tenant.ipv4 + tenant.ipv6


def play(host: str, seed: int, start: float, speed: float) -> tuple[int, int]:
    """Carry out the host's activities at their times; give how many there were and how many failed."""
    failures = 0
    under_way: list[Future[None]] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for activity in plan.hour(seed):
            if activity.host == host:
                time.sleep(max(0.0, start + activity.at / speed - time.monotonic()))
                under_way.append(pool.submit(clients.carry_out, activity, speed))
    for future in under_way:
        failure = future.exception()
        if failure is not None:
            failures += 1
            print(f"{host}: {failure!r}", file=sys.stderr)
    return len(under_way), failures


def main() -> None:
    """Play the host that the command line names, and serve until the hour is over."""
    host, seed, start, speed = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    servers.start(own_addresses(host))
    count, failures = play(host, seed, start, speed)
    print(f"{host}: {count} activities, {failures} failed", flush=True)
    time.sleep(max(0.0, start + plan.HOUR_SECONDS / speed - time.monotonic()))


if __name__ == "__main__":
    main()
