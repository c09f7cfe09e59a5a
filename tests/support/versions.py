"""Earlier versions of venturi, as ``scripts/earlier-versions`` builds them, and what is asked of a version to compare it with another.

Owns where a version lies, whether a test may run it, and the questions. What must be equal is for the tests.
"""

import json
import os
import subprocess
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ServerProcess
from tests.support.sources import ROOT
from tests.support.tools import in_ci
from venturi.interfaces.render.usage.rows import COVERAGE, POINT_TIME

LIST = ROOT / "tests" / "compat" / "versions.toml"
"""Which versions there are."""

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "venturi-versions"


@dataclass(frozen=True)
class Version:
    """A version by its commit, which is empty for present forms that have none yet, and the digests of its forms by their names."""

    commit: str
    adds: str
    forms: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        """The folder of its source."""
        return _CACHE / self.commit / "source"

    @property
    def python(self) -> str:
        """The interpreter that runs it."""
        return str(_CACHE / self.commit / "venv" / "bin" / "python")

    @property
    def is_built(self) -> bool:
        """Tell whether it can be run."""
        return (_CACHE / self.commit / "complete").is_file()


@cache
def read_versions() -> tuple[Version, ...]:
    """Give all versions, the earliest first."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))["versions"]
    return tuple(Version(each.get("commit", ""), each["adds"], each["forms"]) for each in listed)


def read_removals() -> frozenset[str]:
    """Give what is announced to be removed from the API, as ``tests.compat.openapi`` spells it."""
    return frozenset(each["what"] for each in tomllib.loads(LIST.read_text(encoding="utf-8")).get("removals", []))


def earlier_versions() -> list[Any]:
    """Give the versions that are built, the last two, as parameters of a fixture or a table; what others wrote is kept in files."""
    built = [version for version in read_versions() if version.commit][-2:]
    return [pytest.param(version, id=version.commit[:12]) for version in built]


def require_version(version: Version) -> Version:
    """Skip the running test, or fail it in CI, where a version is not built."""
    if not version.is_built:
        sentence = f"version {version.commit[:12]} is not built: run scripts/earlier-versions with the whole history at hand"
        if in_ci():
            pytest.fail(sentence)
        pytest.skip(sentence)
    return version


def run_command(python: str, *arguments: str, expected: int = 0, **environment: str) -> str:
    """Run a command of venturi by an interpreter, and give what it wrote."""
    surroundings = {**os.environ, **environment}
    done = subprocess.run([python, "-m", "venturi", *arguments], capture_output=True, text=True, check=False, env=surroundings)
    assert done.returncode == expected, done.stderr + done.stdout
    return done.stdout


def ask_reports(server: ServerProcess, start: str, end: str) -> dict[str, Any]:
    """Ask a server for all that it has of a time, by question."""
    spans = [f"from={start}&to={end}&resolution={resolution}" for resolution in ("5m", "1h", "total")]
    groups = ("", "&group_by=label,direction", "&group_by=project", "&group_by=point,label", "&group_by=direction")
    asked = [f"/v1/usage?{span}{group}" for span in spans for group in groups]
    asked += [f"/v1/usage/points?{span}&group_by=point" for span in spans]
    asked += ["/v1/spools", "/v1/labels", "/v1/observation-points", "/v2.0/metering/metering-label-rules", "/v1/revisions", "/v1/postings"]
    return {question: _answer(server, question) for question in asked}


def _answer(server: ServerProcess, question: str) -> Any:  # noqa: ANN401 - any JSON
    answer = server.request("GET", question)
    assert answer.status == 200, (question, answer.data)
    return drop_moment(json.loads(answer.data))


def drop_moment(document: Any) -> Any:  # noqa: ANN401 - any JSON
    """Give an answer without the time at which it was asked for."""
    return {name: told for name, told in document.items() if name != "read_at"} if isinstance(document, dict) else document


_OF_PROJECTS = ("shared", "labels_may_overlap", "alone_packets", "alone_octets")
"""What tells rows of own labels from those of shared ones, and is told of projects since."""


def find_lost_reports(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name what ``ask_reports`` told before and does not tell any more.

    A row that was of points of several boundaries is a row of each now; together they have the same counts. Its coverage is that of fewer
    points, so only that of rows of one point is compared. So it is with a row that was of own and shared labels of projects. Servers that
    told no point-seconds told known seconds that contradicted themselves from one resolution to another; these are not compared.
    """
    if "known_point_seconds" not in json.dumps(before):
        before, after = (_leave_out(reports, {"known_seconds", *POINT_TIME}) for reports in (before, after))
    joined = {"boundary"} if "labels_may_overlap" in json.dumps(before) else {"boundary", *_OF_PROJECTS}
    return find_lost(_join_reports(before, joined), _join_reports(after, joined))


def _leave_out(document: Any, names: Collection[str]) -> Any:  # noqa: ANN401 - any JSON
    """Give a document without the members of these names."""
    if isinstance(document, Mapping):
        return {name: _leave_out(told, names) for name, told in document.items() if name not in names}
    return [_leave_out(each, names) for each in document] if isinstance(document, list) else document


def _join_reports(reports: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    joined = dict(reports)
    for question, answer in reports.items():
        if "intervals" in answer:
            intervals = [{**interval, "usage": _join_rows(interval["usage"], names)} for interval in answer["intervals"]]
            joined[question] = {**answer, "intervals": intervals}
    return joined


def _join_rows(rows: Sequence[Mapping[str, Any]], names: Collection[str]) -> list[dict[str, Any]]:
    """Sum rows that differ in nothing but ``names``, in the order of what tells them apart."""
    joined: dict[str, dict[str, Any]] = {}
    for row in rows:
        kept = {name: told for name, told in row.items() if name not in names and (name not in COVERAGE or "observation_point_id" in row)}
        counts = [name for name in kept if name.endswith(("packets", "octets"))]
        key = json.dumps({name: told for name, told in kept.items() if name not in counts}, sort_keys=True)
        found = joined.setdefault(key, {**kept, **dict.fromkeys(counts, 0)})
        found |= {name: found[name] + kept[name] for name in counts}
    return [joined[key] for key in sorted(joined)]


def find_lost(before: Any, after: Any, where: str = "") -> list[str]:  # noqa: ANN401 - any JSON
    """Name what an answer said before and does not say any more; fields that came since are welcome."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        gone = [f"{where}.{name} is gone" for name in before if name not in after]
        return gone + [lost for name in before if name in after for lost in find_lost(before[name], after[name], f"{where}.{name}")]
    if isinstance(before, Sequence) and isinstance(after, Sequence) and not isinstance(before, str) and len(before) == len(after):
        return [lost for place, one in enumerate(before) for lost in find_lost(one, after[place], f"{where}[{place}]")]
    return [] if before == after else [f"{where} was {before!r}, and is {after!r}"]
