"""Posting with all checks, and with none: this version and the one from before there were any, sent the same batches by turns.

Owns what the present version is told beforehand, so that every interval is one that its host was told to meter.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import urllib3

from bench.compare.programs import VENTURI
from bench.control.servers import Server, running_venturi
from bench.ledger.batches import BatchShape, BatchStream, Told
from bench.ledger.databases import DATABASES
from bench.ledger.figures import EARLIER_HTTP, HTTP, PostingFigures
from bench.ledger.posting import check_posted, fold_posted, median_of, post_over_http
from bench.measure.processes import ProgramFailedError
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import BatchLabel, BatchPoint

EARLIER = "89cdbb00921ca3b2ff658f88c069215cb0c11dd5"
"""The last commit at which an agent was believed whatever it posted."""

_ROOT = Path(__file__).parents[2]
_HOST = "agent-1"
_FOLDING_SECONDS = 120.0
_HOURS_BEFORE = 20
"""How long before now metering begins: points are believed for a day before they were told."""


def find_earlier() -> Path | None:
    """See to the earlier version; give its program, or None where it cannot be built."""
    subprocess.run(
        [str(_ROOT / "scripts" / "earlier-versions")], env={**os.environ, "PYTHON": sys.executable}, stdout=sys.stderr, check=True
    )
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = cache / "venturi-versions" / EARLIER / "venv" / "bin" / "venturi"
    return program if program.exists() else None


def post_by_turns(database: str, shape: BatchShape, batches: int, runs: int, earlier: Path | None) -> list[PostingFigures]:
    """Post the batches of one spool over HTTP, ``runs`` times some, to the ``earlier`` version first; give the median of each version."""
    programs = {HTTP: VENTURI} if earlier is None else {EARLIER_HTTP: earlier, HTTP: VENTURI}
    measured: dict[str, list[PostingFigures]] = {way: [] for way in programs}
    with ExitStack() as databases:
        urls = {way: databases.enter_context(DATABASES[database]()) for way in programs}
        with ExitStack() as running:
            servers = {way: running.enter_context(_serving(program, urls[way])) for way, program in programs.items()}
            stream = BatchStream(1, shape, _tell(servers[HTTP], shape))
            first = stream.seal(1)
            for way, server in servers.items():
                post_over_http(server, first, database, way)
            _await_folded(servers[HTTP])
            sent = [first]
            for _ in range(runs):
                sent.append(stream.seal(batches))
                for way, server in servers.items():
                    measured[way].append(post_over_http(server, sent[-1], database, way))
                _await_folded(servers[HTTP])
            _require_nothing_held(servers[HTTP])
        fold_posted(urls[HTTP], first, database)
        check_posted(urls[HTTP], sum(each.packets for each in sent))
    return [median_of(figures) for figures in measured.values()]


@contextmanager
def _serving(program: Path, url: str) -> Iterator[Server]:
    """Run the server of a version on a database, to which it gives its schema."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([str(program), "db", "upgrade", "--database", url], stdout=subprocess.DEVNULL, check=True)
        with running_venturi(Path(folder), url, program) as server:
            yield server


def _tell(server: Server, shape: BatchShape) -> Told:
    """Create labels and routers, and take the plan that says which of them the host meters."""
    ask = _Asking(server)
    labels = ask.send("/v2.0/metering/metering-labels", {"metering_labels": [{"name": f"label-{n}"} for n in range(shape.labels)]})
    ids = [label["id"] for label in labels["metering_labels"]]
    rules = [
        {"metering_label_id": label, "direction": "ingress", "remote_ip_prefix": f"10.{number >> 8}.{number & 255}.0/24"}
        for number, label in enumerate(ids)
    ]
    ask.send("/v2.0/metering/metering-label-rules", {"metering_label_rules": rules})
    for number in range(shape.points):
        router = {"router_id": f"00000000-0000-4000-8000-{number:012}", "hosts": [_HOST]}
        ask.send("/v1/observation-points", {"kind": "router", "name": f"router-{number}", "shared": True, **router})
    plan = ask.read(f"/v1/plans/{_HOST}?agent_id={_HOST}")
    (classifier,) = plan["classifiers"]
    return Told(
        points=[BatchPoint(each["id"], each["name"], each["project_id"], each["shared"], each["kind"]) for each in plan["points"]],
        labels=[BatchLabel(each["id"], each["name"], each["project_id"], each["shared"]) for each in classifier["labels"]],
        classifier=classifier["digest"],
        revision=plan["revision"],
        beginning=(time.time_ns() // (60 * SECOND) - _HOURS_BEFORE * 60) * 60 * SECOND,
    )


def _await_folded(server: Server) -> None:
    """Wait until the roller has nothing left to do, so that it takes no time from who is measured next."""
    deadline = time.monotonic() + _FOLDING_SECONDS
    while _Asking(server).read("/healthz/ready")["tail"]["postings"]:
        if time.monotonic() > deadline:
            message = "the roller does not come to an end"
            raise ProgramFailedError(message)
        time.sleep(0.1)


def _require_nothing_held(server: Server) -> None:
    held = _Asking(server).read("/v1/held")["held"]
    if held:
        message = f"what the host was told is held: {held[0]}"
        raise ProgramFailedError(message)


class _Asking:
    """Asks a server for JSON."""

    def __init__(self, server: Server) -> None:
        self._root = f"http://127.0.0.1:{server.port}"

    def send(self, path: str, form: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
        return self._ask("POST", path, json.dumps(form).encode())

    def read(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:  # noqa: ANN401 - any JSON
        answer = urllib3.request(method, self._root + path, body=body, timeout=120.0, retries=False)
        if answer.status not in {200, 201}:
            message = f"the server answers {answer.status} to {method} {path}: {answer.data[:500]!r}"
            raise ProgramFailedError(message)
        return answer.json()
