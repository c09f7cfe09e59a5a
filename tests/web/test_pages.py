"""Pages: their figures are those of the API, each caller sees its own, and nothing that anybody wrote acts on what stands around."""

import re
from pathlib import Path

import pytest

from tests.support.server import running_server
from tests.web.browsing import DAY, Browser, Page
from tests.web.conftest import MINUTES, Site
from venturi.interfaces.render.quantities import Units, format_count, format_octets
from venturi.interfaces.web.routes import web_routes
from venturi.interfaces.web.spelling import spell_name
from venturi.services.control.policy import OPERATION

ADMIN_PAGES = ("", "/explore", "/labels", "/points", "/agents", "/alarms", "/alarms?state=all", "/revisions")
READER_PAGES = ("", "/explore", "/explore?by=label", "/labels", "/points", "/alarms")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a" * 255,
    "\U0001f4c8 rising",
    "{{ 7*7 }}",
    "&amp;",
)


def of_day(path: str) -> str:
    return f"/dashboard{path}{'&' if '?' in path else '?'}period={DAY}"


def spelled(octets: int) -> str:
    return format_octets(octets, Units.SI)


@pytest.mark.parametrize("path", ADMIN_PAGES)
def test_a_page_lets_a_browser_do_nothing_but_show_it(site: Site, path: str) -> None:
    answer = site.browser("admin").load(of_day(path))
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.data.decode()
    assert re.search(r"<script|<style|\sstyle=|\son[a-z]+=", page) is None
    assert [link for link in re.findall(r'(?:href|src|action)="([^"]*)"', page) if not link.startswith(("/dashboard", "#"))] == []


def test_every_route_names_its_operation() -> None:
    handlers = [handler for handler in web_routes() if getattr(handler, "http_methods", {"OPTIONS"}) != {"OPTIONS"}]
    assert len(handlers) > 15
    assert [handler for handler in handlers if OPERATION not in getattr(handler, "opt", {})] == []


def test_the_overview_shows_what_the_points_counted(site: Site) -> None:
    page = site.browser("admin").show(of_day(""))
    query = "from=2026-01-01&to=2026-01-02&group_by=direction&resolution=total"
    answer = site.server.request("GET", f"/v1/usage/points?{query}", headers={"X-Auth-Token": site.tokens["admin"]}).json()
    counted = {row["direction"]: (row["octets"], row["packets"]) for row in answer["intervals"][0]["usage"]}
    assert counted["ingress"] == ((1_000 + 200 + 70) * MINUTES, (10 + 2 + 1) * MINUTES)
    for octets, packets in counted.values():
        assert f"{format_count(packets)} packets" in page.text
        assert any(given.get("title") == f"{format_count(octets)} octets" for _, given in page.elements)
    assert spelled(60_000 * MINUTES) in page.text


def test_the_overview_compares_with_the_time_before_where_that_is_known(site: Site) -> None:
    browser = site.browser("admin")
    assert "not known before" in browser.show(of_day("")).text
    assert "not known before" in browser.show("/dashboard?period=2026-01").text


def test_the_overview_parts_traffic_by_project_and_the_rest(site: Site) -> None:
    def legend(page: Page) -> set[str]:
        known = {"shop", "lab", "shared labels", "no label", "several projects", "unattributed", "other projects", "all traffic"}
        marks = " ".join(page.words[page.words.index("complete") - 40 : page.words.index("complete")])
        return {name for name in known if re.search(rf"\b{name}\b", marks)}

    assert {"shop", "lab"} <= legend(site.browser("admin").show(of_day("")))
    assert {"shop", "shared labels", "no label"} <= legend(site.browser("admin").show(of_day("?direction=in")))


def test_a_label_shows_what_it_counted(site: Site) -> None:
    page = site.browser("reader of shop").show(of_day(f"/labels/{site.labels['web']}"))
    assert any(given.get("title") == f"{format_count(1_000 * MINUTES)} octets" for _, given in page.elements)
    assert any(given.get("title") == f"{format_count(60_000 * MINUTES)} octets" for _, given in page.elements)
    assert "8 kbit/s" in page.text
    assert "first gap" in page.text


@pytest.mark.parametrize("path", READER_PAGES)
def test_a_reader_sees_its_own_project_alone(site: Site, path: str) -> None:
    text = site.browser("reader of lab").show(of_day(path)).text
    for foreign in ("web", "shop", "everything", site.labels["web"]):
        assert re.search(rf"\b{foreign}\b", text) is None, foreign


def test_what_is_of_others_is_as_if_it_were_not(site: Site) -> None:
    browser = site.browser("reader of lab")
    missing = browser.load("/dashboard/labels/00000000-0000-4000-8000-000000000000")
    for path in (f"/labels/{site.labels['web']}", f"/points/{site.point}"):
        answer = browser.load(f"/dashboard{path}")
        assert (answer.status, answer.data[:80]) == (404, missing.data[:80])
    for path in ("/agents", "/revisions"):
        assert browser.load(f"/dashboard{path}").status == 403
    assert "No label that you may see" in browser.show("/dashboard/labels?search=web").text
    assert "everything" not in browser.show(f"/dashboard/labels?search={site.labels['everything']}").text
    assert "web" not in browser.show("/dashboard/search?text=e").text.split()
    exported = browser.load(f"/dashboard/usage?period={DAY}&format=csv&group_by=label").data.decode()
    assert "measuring" in exported
    assert "web" not in exported


def test_an_export_is_the_report_of_the_api(site: Site) -> None:
    query = f"period={DAY}&resolution=5m&group_by=label,direction&format=csv"
    shown = site.browser("admin").load(f"/dashboard/usage?{query}").data
    assert shown == site.server.request("GET", f"/v1/usage?{query}", headers={"X-Auth-Token": site.tokens["admin"]}).data
    points = site.browser("admin").load(f"/dashboard/usage/points?period={DAY}&format=csv").data
    assert (
        points
        == site.server.request("GET", f"/v1/usage/points?period={DAY}&format=csv", headers={"X-Auth-Token": site.tokens["admin"]}).data
    )


def test_explore_ranks_and_draws_what_is_asked(site: Site) -> None:
    browser = site.browser("admin")
    text = browser.show(of_day("/explore?by=label&top=1")).text
    assert "web" in text
    assert "others" in text
    assert "measuring" not in text
    assert "each packet once" in browser.show(of_day("/explore?by=project")).text
    assert "measuring" in browser.show(of_day("/explore?by=label&label=mea*")).text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/explore?by=nothing", "none of label, project, point"),
        ("/explore?top=99", "no whole number"),
        ("?period=nonsense", "no period"),
        ("?zone=Nowhere", "no time zone"),
        ("?direction=up", "give in or out"),
        ("/labels?after=nonsense", "does not exist"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_sentence(site: Site, path: str, said: str) -> None:
    answer = site.browser("admin").load(f"/dashboard{path}")
    assert answer.status in {400, 404}
    assert said in answer.data.decode()


def test_labels_and_rules_are_made_by_forms(site: Site) -> None:
    browser = site.browser("manager of shop")
    carried = browser.form_token()
    made = browser.send("/dashboard/labels", {"form_token": carried, "name": "made here"})
    assert made.status == 303
    label = made.headers["Location"]
    rule = {"form_token": carried, "direction": "egress", "source_ip_prefix": "203.0.113.0/25"}
    assert browser.send(f"{label}/rules", rule).status == 303
    shown = browser.show(f"{label}?source=203.0.113.7&destination=198.51.100.1&direction=egress")
    assert "made here of project shop counts it: from 203.0.113.0/25 to anywhere includes it" in shown.text
    removal = next(given["action"] for tag, given in shown.elements if tag == "form" and given.get("action", "").endswith("/delete"))
    assert browser.send(removal, {"form_token": carried}).status == 303
    assert "has no rule" in browser.show(label).text


@pytest.mark.parametrize(("fields", "said"), [({"name": ""}, "name"), ({"name": "x", "project_id": "lab"}, "disallowed by policy")])
def test_a_label_that_cannot_be_is_shown_again(site: Site, fields: dict[str, str], said: str) -> None:
    browser = site.browser("manager of shop")
    answer = browser.send("/dashboard/labels", {"form_token": browser.form_token(), **fields})
    assert answer.status in {400, 403}
    assert said in answer.data.decode()


def test_a_rule_that_cannot_be_is_shown_again(site: Site) -> None:
    browser = site.browser("manager of shop")
    path = f"/dashboard/labels/{site.labels['web']}/rules"
    rule = {"form_token": browser.form_token(), "direction": "egress", "source_ip_prefix": "203.0.113.0/99"}
    answer = browser.send(path, rule)
    assert answer.status == 400
    assert "203.0.113.0/99" in answer.data.decode()
    assert browser.send(path.replace(site.labels["web"], site.labels["measuring"]), rule).status == 404


def test_readers_change_nothing(site: Site) -> None:
    browser = site.browser("reader of shop")
    shown = browser.load("/dashboard/labels").data.decode()
    assert "A new label" not in shown
    carried = browser.show("/dashboard").fields["form_token"]
    assert browser.send("/dashboard/labels", {"form_token": carried, "name": "x"}).status == 403
    rule = {"form_token": carried, "direction": "egress", "source_ip_prefix": "203.0.113.0/25"}
    assert browser.send(f"/dashboard/labels/{site.labels['web']}/rules", rule).status == 403


def test_names_do_nothing_but_show(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        for name in HOSTILE:
            form = {"metering_label": {"name": name, "description": name, "project_id": "p"}}
            assert server.request("POST", "/v2.0/metering/metering-labels", form=form).status == 201
        browser = Browser(server)
        for path in ("/labels", "/labels?search=%3Cscript%3E", "/explore?by=label", "/revisions"):
            text = browser.load(f"/dashboard{path}").data.decode()
            assert "<script>" not in text
            assert "<img" not in text
        shown = browser.show("/dashboard/labels").text
        assert "<script>alert(1)</script>" in shown
        assert "{{ 7*7 }}" in shown
        assert browser.show("/dashboard/labels?search=%25").text.count("\U0001f4c8") == 0


def test_a_name_that_moves_other_text_is_shown_by_the_numbers_of_its_characters() -> None:
    assert spell_name("\u202egnp.exe") == "<bdi>\\u202egnp.exe</bdi>"
    assert spell_name("a\x1b[31mb\0") == "<bdi>a\\u001b[31mb\\u0000</bdi>"


def test_a_search_finds_names_ids_and_addresses(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        browser = Browser(server)
        label = browser.send("/dashboard/labels", {"name": "Web shop"}).headers["Location"]
        rule = {"direction": "egress", "source_ip_prefix": "203.0.113.0/25", "destination_ip_prefix": "192.0.2.0/24"}
        assert browser.send(f"{label}/rules", rule).status == 303
        excluding = {"direction": "egress", "source_ip_prefix": "203.0.113.128/25", "excluded": "1"}
        assert browser.send(f"{label}/rules", excluding).status == 303
        place = {"kind": "interface", "name": "Uplink 7", "host": "edge-1", "device": "eth0"}
        point = server.request("POST", "/v1/observation-points", form=place).json()["id"]
        for text in ("shop", "WEB", label.rpartition("/")[2], "203.0.113.7", "192.0.2.9"):
            assert label in browser.show(f"/dashboard/search?text={text}").links, text
        for text in ("203.0.113.200", "2001:db8::1", "nothing", "%25"):
            assert label not in browser.show(f"/dashboard/search?text={text}").links, text
        assert f"/dashboard/points/{point}" in browser.show("/dashboard/search?text=uplink").links


def test_an_empty_server_teaches(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        browser = Browser(server)
        assert "venturi point create" in browser.show("/dashboard").text
        assert "venturi label create" in browser.show("/dashboard/labels").text
        assert "venturi agent" in browser.show("/dashboard/agents").text
        assert "No alarm is open" in browser.show("/dashboard/alarms").text
        assert browser.load("/dashboard/nothing").status == 404
        assert browser.load("/dashboard/assets/nothing.css").status == 404


def test_long_lists_go_page_by_page(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        forms = [{"name": f"label {number:05}", "project_id": "p"} for number in range(120)]
        assert server.request("POST", "/v2.0/metering/metering-labels", form={"metering_labels": forms}).status == 201
        browser, found, path = Browser(server), [], "/dashboard/labels"
        while path:
            page = browser.show(path)
            found += re.findall(r"label \d{5}", page.text)
            path = next((link for link in page.links if "after=" in link), "")
        assert found == [form["name"] for form in forms]
        assert browser.show("/dashboard/labels?search=00077").text.count("label 00077") == 1
