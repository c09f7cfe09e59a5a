"""Plans as documents, kept and followed."""

import json
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.support.agent.world import Alarms
from tests.support.scripted_server import http_answer, scripted_server
from tests.support.threads import Told, unexpected_supervisor
from venturi.adapters.client.agents import PlanClient
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.connection import Connection
from venturi.adapters.plan_file import PlanFile
from venturi.core.domain.errors import ConfigurationError, ServerError
from venturi.services.agent import following
from venturi.services.agent.following import PlanFollower
from venturi.services.agent.observing import AgentAlarm
from venturi.services.agent.plan import read_plan
from venturi.services.agent.schedule import Schedule

RULE = {
    "metering_label_id": "l",
    "direction": "ingress",
    "source_ip_prefix": "10.1.2.3/8",
    "destination_ip_prefix": None,
    "excluded": False,
}
POINT = {
    "id": "p",
    "name": "Uplink",
    "project_id": "",
    "shared": True,
    "traffic": "both",
    "kind": "interface",
    "classifier": "c",
    "device": "e",
}


CLASSIFIER: dict[str, Any] = {
    "digest": "c",
    "labels": [{"id": "l", "name": "ten", "project_id": "", "shared": False}],
    "rules": [RULE],
}


def document(**changes: Any) -> bytes:  # noqa: ANN401 - fields of a document
    plan = {
        "version": 1,
        "host": "h",
        "revision": 7,
        "points": [POINT],
        "classifiers": [CLASSIFIER],
    }
    return json.dumps({**plan, **changes}).encode()


def pointing(**changes: object) -> bytes:
    return document(points=[{**POINT, **changes}])


def classifying(**changes: object) -> bytes:
    return document(classifiers=[{**CLASSIFIER, **changes}])


def test_a_plan() -> None:
    plan = read_plan(document(), "here")
    assert (plan.revision, [point.name for point in plan.points]) == (7, ["Uplink"])
    [classification] = plan.classifications.values()
    assert [label.name for label in classification.label_set.labels] == ["ten"]
    assert len(classification.digest) == 64


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"{", "here is no plan", id="no JSON"),
        pytest.param(b"{}", "missing required field", id="no fields"),
        pytest.param(document(version=2), "of version 2", id="a later version"),
        pytest.param(b'{"version": 2, "points": {}}', "of version 2", id="a later version of another form"),
        pytest.param(document(classifiers=[]), "names the classifier 'c'", id="a classifier that is not there"),
        pytest.param(
            document(classifiers=[{"digest": "c", "labels": [], "rules": [{**RULE, "source_ip_prefix": "ten"}]}]), "ten", id="no prefix"
        ),
        pytest.param(b'{"x":' + b"[" * 100_000, "here is no plan", id="too deep"),
        pytest.param(document(revision=1 << 63), r"revision", id="a revision of 64 bits"),
        pytest.param(pointing(id="p" * 37), r"points\[0\].id", id="an id that no record can name"),
        pytest.param(pointing(name="a\0b"), r"points\[0\].name", id="a name that no record can hold"),
        pytest.param(pointing(namespace="../x"), r"points\[0\].namespace", id="a namespace that is a path"),
        pytest.param(pointing(namespace="n" * 240), r"points\[0\].namespace", id="a place that no record can name"),
        pytest.param(pointing(device="d" * 16), r"points\[0\].device", id="no name of a device"),
        pytest.param(pointing(device=None), "does not say where", id="an interface without a device"),
        pytest.param(pointing(kind="router"), "does not say where", id="a router without an id"),
        pytest.param(document(points=[POINT, POINT]), "two points", id="a point twice"),
        pytest.param(classifying(labels=CLASSIFIER["labels"] * 2), "has a label twice", id="a label twice"),
        pytest.param(classifying(rules=[{**RULE, "metering_label_id": "x"}]), "not in it", id="rules of no label"),
    ],
)
def test_what_is_no_plan(content: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        read_plan(content, "here")


OTHER = {**POINT, "id": "other", "name": "Other", "device": "f"}


@pytest.mark.parametrize(
    ("changes", "problem", "located"),
    [
        pytest.param({"kind": "cloud"}, "kind 'cloud'", False, id="a kind to come"),
        pytest.param({"kind": "cloud", "device": ["e", "f"]}, "kind 'cloud'", False, id="a kind to come, with fields of another type"),
        pytest.param({"traffic": "some"}, "traffic 'some'", True, id="unknown traffic"),
        pytest.param({"hook": "xdp"}, "hook 'xdp'", True, id="an unknown hook"),
        pytest.param({"hook": "xdp", "device": None}, "hook 'xdp'", False, id="an unknown hook, nowhere"),
        pytest.param({"hook": "xdp", "classifier": "x"}, "hook 'xdp'", False, id="an unknown hook, by no classifier"),
        pytest.param({"hook": "x" * 1000}, f"hook '{'x' * 64}'", True, id="an unknown hook of any length"),
        pytest.param({"colour": "red"}, "", False, id="an unknown field"),
    ],
)
def test_a_word_that_is_not_known_costs_the_point_that_has_it(changes: dict[str, object], problem: str, located: bool) -> None:
    plan = read_plan(document(points=[{**POINT, **changes}, OTHER]), "here")
    assert [point.name for point in plan.points] == (["Other"] if problem else ["Uplink", "Other"])
    assert [(point.id, point.name, point.problem) for point in plan.unknown] == ([("p", "Uplink", problem)] if problem else [])
    assert [point.located is not None for point in plan.unknown] == ([located] if problem else [])
    assert plan.point_ids == {"p", "other"}


def test_an_unknown_point_has_no_id_twice() -> None:
    with pytest.raises(ConfigurationError, match="two points"):
        read_plan(document(points=[{**POINT, "kind": "cloud"}, POINT]), "here")


def test_a_plan_is_followed_and_kept(tmp_path: Path) -> None:
    path, kept, woken, alarms = tmp_path / "plan.json", tmp_path / "kept", Event(), Alarms()
    path.write_bytes(document())
    follower = PlanFollower(PlanFile(path), kept, alarms, woken.set, unexpected_supervisor(), wait=2)
    assert follower.kept() is None
    follower.start()
    try:
        assert woken.wait(10)
        woken.clear()
        first = follower.take()
        path.write_bytes(document(revision=8) + b"\n")
        assert woken.wait(10)
        second = follower.take()
    finally:
        follower.stop()
    assert [plan and plan.revision for plan in (first, second, follower.take(), follower.kept())] == [7, 8, None, 8]
    assert alarms.raised == []


class FailingSource:
    """Fails once in a way that nobody expected, and then has a plan."""

    name = "the plan of a test"

    def __init__(self) -> None:
        self.answers = iter([None, ("1", document())])

    def ask(self, known: str, wait: int) -> tuple[str, bytes] | None:
        assert wait
        if known:
            time.sleep(0.01)
            return None
        answer = next(self.answers)
        if answer is None:
            raise RuntimeError
        return answer


def test_an_error_that_is_not_the_projects_own_does_not_end_following_in_silence(tmp_path: Path) -> None:
    woken, told = Event(), Told()
    follower = PlanFollower(FailingSource(), tmp_path / "kept", Alarms(), woken.set, told.supervisor(), wait=1)
    follower.start()
    try:
        assert woken.wait(10)
        plan = follower.take()
    finally:
        follower.stop()
    assert plan is not None
    assert plan.revision == 7
    assert [failure.thread for failure in told.failures] == ["plan"]


def test_a_plan_that_cannot_be_read_is_an_alarm_and_the_one_before_stays(tmp_path: Path) -> None:
    path, kept, alarms = tmp_path / "plan.json", tmp_path / "kept", Alarms()
    kept.write_bytes(document())
    path.write_bytes(b"nothing")
    follower = PlanFollower(PlanFile(path), kept, alarms, Event().set, unexpected_supervisor(), wait=1)
    follower.start()
    deadline = time.monotonic() + 10
    while not alarms.raised and time.monotonic() < deadline:
        time.sleep(0.01)
    follower.stop()
    before = follower.kept()
    assert AgentAlarm.PLAN_REFUSED in alarms.raised
    assert before is not None
    assert before.revision == 7


class AwaySource:
    """Is out of reach at each question but the first, if that is answered."""

    name = "a server of a test"

    def __init__(self, *, first: bool) -> None:
        self.first = first
        self.asked = 0

    def ask(self, known: str, wait: int) -> tuple[str, bytes] | None:
        assert wait
        self.asked += 1
        if self.first and not known:
            return "1", document()
        message = "the server is away"
        raise ServerError(message)


@pytest.mark.parametrize(
    ("first", "seconds", "is_alarm"),
    [
        pytest.param(True, 300.0, False, id="a server that is away for a moment"),
        pytest.param(True, 0.0, True, id="a server that is away for long"),
        pytest.param(False, 300.0, True, id="a server that never gave a plan"),
    ],
)
def test_a_server_that_is_away_is_an_alarm_if_that_lasts(
    first: bool,
    seconds: float,
    is_alarm: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "ALARM_SECONDS", seconds)
    source, alarms = AwaySource(first=first), Alarms()
    follower = PlanFollower(source, tmp_path / "kept", alarms, Event().set, unexpected_supervisor(), wait=1)
    follower.start()
    deadline = time.monotonic() + 20
    while source.asked < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    follower.stop()
    assert source.asked >= 3
    assert (AgentAlarm.PLAN_REFUSED in alarms.raised) is is_alarm


def test_a_plan_without_a_tag_would_be_asked_for_without_end() -> None:
    answers = [http_answer(document()), http_answer(document(), 200, 'ETag: "7"')]
    with scripted_server(answers) as server, Connection(ConnectionConfig(url=server.url)) as connection:
        plans = PlanClient(connection, "h", "agent-1")
        with pytest.raises(ServerError, match="has no ETag"):
            plans.ask("", 1)
        assert plans.ask("", 1) == ('"7"', document())


@pytest.mark.parametrize(
    ("time", "next_reading"), [(0, 10), (9, 10), (10, 20), (55, 60)], ids=["a border", "before one", "on the next", "before a report"]
)
def test_readings_are_at_multiples(time: int, next_reading: int) -> None:
    second = 10**9
    assert Schedule(10 * second, 60 * second).next_reading(time * second) == next_reading * second


@pytest.mark.parametrize(("measure", "report"), [(10, 70), (10, 600), (61, 60), (0, 60), (1, 0)])
def test_intervals_that_cannot_be(measure: int, report: int) -> None:
    with pytest.raises(ConfigurationError):
        Schedule(measure * 10**9, report * 10**9)
