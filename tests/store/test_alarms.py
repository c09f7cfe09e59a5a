"""Alarms and agents as rows, on each database: joined by subject, bounded, cleared, aged, acknowledged."""

from collections.abc import Mapping

import pytest

from venturi.adapters.store.store import Store
from venturi.adapters.store.tables import alarms as alarm_table
from venturi.adapters.store.tables.agents import KeptAgent
from venturi.core.domain.alarm import Alarm, AlarmState, KeptAlarm, Sighting
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import NotFoundError

AUTHOR = Principal(user_id="somebody", project_id="p")
EXEMPT = "alarms_overflow"


def alarm(subject: str = "s", kind: str = "batch_conflict", **others: str) -> Alarm:
    return Alarm(kind=kind, subject=subject, sentence=f"{subject} is wrong", **others)


def seen(at: int, subject: str = "s", *, kind: str = "batch_conflict", count: int = 1, **states: bool) -> Sighting:
    return Sighting(alarm=alarm(subject, kind), first_at=at, last_at=at, count=count, **states)


def over(at: int, subject: str = "s") -> Sighting:
    return seen(at, subject, count=0, cleared=True)


def note(store: Store, *sightings: Sighting) -> int:
    with store.writing(AUTHOR) as writer:
        return writer.alarms.note(sightings, EXEMPT)


def kept(store: Store, **filters: str) -> list[KeptAlarm]:
    with store.reading() as reader:
        return reader.alarms.list(Listing(filters={name: (text,) for name, text in filters.items()}))


STORIES: Mapping[str, tuple[list[Sighting], tuple[object, ...]]] = {
    # what is seen                                                    state, count, first, last, cleared
    "once": ([seen(5)], ("open", 1, 5, 5, None)),
    "twice": ([seen(5), seen(9)], ("open", 2, 5, 9, None)),
    "three times at once": ([seen(5), Sighting(alarm=alarm(), first_at=6, last_at=9, count=3)], ("open", 4, 5, 9, None)),
    "a total of an agent": ([seen(5, total=True), seen(9, count=7, total=True)], ("open", 7, 5, 9, None)),
    "lasting": ([seen(5, lasting=True), seen(9, lasting=True)], ("open", 1, 5, 9, None)),
    "cleared": ([seen(5), over(9)], ("cleared", 1, 5, 5, 9)),
    "cleared twice": ([seen(5), over(9), over(12)], ("cleared", 1, 5, 5, 9)),
    "raised and cleared between two writes": ([seen(5, cleared=True)], ("cleared", 1, 5, 5, 5)),
    "opened again": ([seen(5), over(9), seen(12)], ("open", 1, 12, 12, None)),
}


@pytest.mark.parametrize("story", STORIES)
def test_what_becomes_of_an_alarm(store: Store, story: str) -> None:
    sightings, expected = STORIES[story]
    for sighting in sightings:
        assert note(store, sighting) == 0
    (found,) = kept(store)
    assert (found.state, found.count, found.first_seen_at, found.last_seen_at, found.cleared_at) == expected
    assert (found.id, found.kind, found.subject, found.sentence) == (alarm().id, "batch_conflict", "s", "s is wrong")


def test_what_was_never_raised_is_not_cleared(store: Store) -> None:
    assert note(store, over(3)) == 0
    assert kept(store) == []


def test_alarms_of_one_name_from_two_agents_are_two(store: Store) -> None:
    both = [Sighting(alarm=alarm(reporter=agent, agent_id=agent), first_at=1, last_at=1) for agent in ("a1", "a2")]
    note(store, *both)
    with store.writing(AUTHOR) as writer:
        assert writer.alarms.open_of("a1") == {both[0].alarm.id}
        assert writer.alarms.open_about("a2") == {both[1].alarm.id}
        writer.alarms.clear(writer.alarms.open_of("a1"), 9)
    assert {found.agent_id: found.state for found in kept(store)} == {"a1": AlarmState.CLEARED, "a2": AlarmState.OPEN}


def test_the_first_acknowledgement_stays_until_the_alarm_opens_again(store: Store) -> None:
    note(store, seen(1))
    for by, at in (("first", 5), ("second", 6)):
        with store.writing(AUTHOR) as writer:
            writer.alarms.acknowledge(alarm().id, by, at)
    assert [(found.acknowledged_by, found.acknowledged_at) for found in kept(store)] == [("first", 5)]
    note(store, over(7))
    note(store, seen(8))
    assert [(found.acknowledged_by, found.acknowledged_at) for found in kept(store)] == [(None, None)]


def test_alarms_age_by_their_kind_and_are_forgotten(store: Store) -> None:
    note(store, *(seen(100, kind=kind) for kind in ("usual", "quick", "lasting")))
    ages = {"quick": 10, "lasting": None}
    for at, still_open in ((105, {"usual", "quick", "lasting"}), (111, {"usual", "lasting"}), (1101, {"lasting"})):
        with store.writing(AUTHOR) as writer:
            writer.alarms.age(at, ages, 1000)
        assert {found.kind for found in kept(store, state="open")} == still_open
    with store.writing(AUTHOR) as writer:
        writer.alarms.forget(1000)
    assert {found.kind for found in kept(store)} == {"usual", "lasting"}


def test_rows_are_bounded_by_kind_and_in_all_and_what_is_cleared_gives_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_table, "MOST_OF_KIND", 3)
    monkeypatch.setattr(alarm_table, "MOST_ALARMS", 5)
    assert note(store, *(seen(number, f"s{number}") for number in range(5))) == 2
    assert note(store, seen(9, "s9", count=4)) == 4
    assert note(store, over(10, "s1")) == 0
    assert note(store, seen(11, "s11")) == 0
    assert {found.subject for found in kept(store)} == {"s0", "s2", "s11"}
    assert note(store, *(seen(20, f"t{number}", kind="other") for number in range(3))) == 1
    assert note(store, seen(21, "alarms", kind=EXEMPT)) == 0
    assert len(kept(store)) == 6


UNFIT = ["\x1b[2J\x1b]0;owned\x07", "a\nb\rc", "\x00", "\u202eevil", "\ud800", "x" * 255, "x" * 5000, "é" * 255, "☃" * 255]


@pytest.mark.parametrize("text", UNFIT, ids=range(len(UNFIT)))
def test_texts_are_spelled_as_every_database_and_terminal_takes_them(store: Store, text: str) -> None:
    hostile = Alarm(kind=text, subject=text, sentence=text, project_sentence=text, point_id=text, agent_id=text, host=text, reporter=text)
    for at in (1, 2):
        note(store, Sighting(alarm=hostile, first_at=at, last_at=at))
    (found,) = kept(store)
    assert found.count == 2
    for column, longest in (("kind", 64), ("subject", 255), ("sentence", 1024), ("agent_id", 255), ("host", 255), ("point_id", 36)):
        spelled = getattr(found, column)
        assert len(spelled) <= longest
        assert spelled.isprintable()
        assert column not in {"subject", "host"} or len(text) > 255 or not text.isprintable() or spelled == text


def test_lists_are_filtered_paged_and_of_a_project(store: Store) -> None:
    raised = [
        alarm(f"s{number}", "even" if number % 2 == 0 else "odd", project_id="p")
        if number < 4
        else alarm(f"s{number}", "even" if number % 2 == 0 else "odd")
        for number in range(8)
    ]
    note(store, *(Sighting(alarm=each, first_at=number, last_at=number) for number, each in enumerate(raised)))
    with store.reading() as reader:
        page = reader.alarms.list(Listing(limit=3))
        rest = reader.alarms.list(Listing(marker=page[-1].id))
        assert sorted(found.subject for found in [*page, *rest]) == [f"s{number}" for number in range(8)]
        assert {found.subject for found in reader.alarms.list(Listing(filters={"kind": ("odd",)}), "p")} == {"s1", "s3"}
        assert {found.subject for found in reader.alarms.list(Listing(), None, 6)} == {"s6", "s7"}
        assert reader.alarms.count_open() == {"even": 4, "odd": 4}
        assert reader.alarms.find(raised[0].id) is not None
        assert reader.alarms.find("\x00") is None
        with pytest.raises(NotFoundError):
            reader.alarms.list(Listing(marker=raised[7].id), "p")


def agent(agent_id: str, at: int, *, host: str = "h", interval: int = 10) -> KeptAgent:
    return KeptAgent(agent_id=agent_id, host=host, reported_at=at, report_interval=interval, running=True, status="{}", posted_at=None)


def test_agents_report_are_listed_fall_silent_and_are_forgotten(store: Store) -> None:
    with store.writing(AUTHOR) as writer:
        for each in (agent("b", 100), agent("a", 50), agent("b", 200), agent("c", 100, host="other", interval=1000)):
            assert writer.agents.note(each)
    with store.reading() as reader:
        assert [(found.agent_id, found.reported_at) for found in reader.agents.list(10)] == [("a", 50), ("b", 200), ("c", 100)]
        assert [found.agent_id for found in reader.agents.list(1, "a")] == ["b"]
        assert [found.agent_id for found in reader.agents.list(10, host="other")] == ["c"]
        assert [found.agent_id for found in reader.agents.silent(231, 0)] == ["a", "b"]
        assert [found.agent_id for found in reader.agents.silent(230, 0)] == ["a"]
        assert reader.agents.silent(231, 210) == [], "a server that has just begun waits, too"
        found = reader.agents.find("a")
    assert found is not None
    assert (found.is_silent(80), found.is_silent(81)) == (False, True)
    with store.writing(AUTHOR) as writer:
        assert writer.agents.forget("a")
        assert not writer.agents.forget("a")
        assert writer.agents.find("a") is None


def test_alarms_and_agents_make_no_revision(store: Store) -> None:
    note(store, seen(1))
    with store.writing(AUTHOR) as writer:
        writer.agents.note(agent("a", 1))
    assert store.latest_revision() == 0
