"""Signing in and out: who is let in, for how long, and what a page of another place cannot do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.server import make_token, running_server
from tests.web.browsing import Browser
from tests.web.conftest import Site
from venturi.services.control.sessions import MOST_FAILURES


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/labels?search=a%20b", "/dashboard/explore", "/dashboard/usage?format=csv"])
def test_who_is_not_signed_in_is_led_to_where_one_signs_in_and_back(site: Site, path: str) -> None:
    browser = Browser(site.server)
    answer = browser.load(path)
    assert answer.status == 303
    asked = browser.load(answer.headers["Location"])
    assert (asked.status, "Sign in" in asked.data.decode()) == (200, True)
    to = browser.show(answer.headers["Location"]).fields["to"]
    back = browser.sign_in(site.tokens["admin"], to=to)
    assert (back.status, back.headers["Location"]) == (303, path)
    assert browser.load(path).status == 200


def test_a_session_is_a_cookie_that_scripts_and_other_places_do_not_get(site: Site) -> None:
    cookie = Browser(site.server).sign_in(site.tokens["admin"]).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert site.tokens["admin"] not in cookie


def test_under_tls_the_cookie_is_held_to_this_host(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'venturi.db'}"
    token = make_token(database)
    with running_server(tmp_path, "--auth", "token", database=database, config="trusted_proxies = ['127.0.0.1']\n") as server:
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        browser = Browser(server)
        cookie = browser.send("/dashboard/sign-in", {"token": token}, **forwarded).headers["Set-Cookie"]
        assert cookie.startswith("__Host-venturi_session=")
        assert "Secure" in cookie.split("; ")
        assert browser.load("/dashboard", **forwarded).status == 200
        plain = Browser(server).send("/dashboard/sign-in", {"token": token}, **{"X-Forwarded-For": "192.0.2.7"})
        assert (plain.status, "plain HTTP" in plain.data.decode()) == (403, True)


@pytest.mark.parametrize(("token", "said"), [("venturi_nonsense", "no such token"), ("", "no such token")])
def test_a_wrong_token_is_refused_with_a_sentence(site: Site, token: str, said: str) -> None:
    browser = Browser(site.server)
    answer = browser.sign_in(token)
    assert (answer.status, said in answer.data.decode(), browser.cookies) == (403, True, {})


def test_a_token_that_reads_nothing_is_refused(site: Site) -> None:
    answer = Browser(site.server).sign_in(site.tokens["agent"])
    assert (answer.status, "reads no usage" in answer.data.decode()) == (403, True)


def test_signing_out_ends_the_session_here_or_everywhere(site: Site) -> None:
    one, other = site.browser("reader of shop"), site.browser("reader of shop")
    kept = dict(one.cookies)
    assert one.send("/dashboard/sign-out", {"form_token": one.form_token()}).status == 303
    assert one.cookies == {}
    assert Browser(site.server, kept).load("/dashboard").status == 303
    assert other.load("/dashboard").status == 200
    third = site.browser("reader of shop")
    assert third.send("/dashboard/sign-out", {"form_token": third.form_token(), "everywhere": "1"}).status == 303
    assert other.load("/dashboard").status == 303


def test_a_session_opens_no_more_than_its_token(site: Site) -> None:
    headers = {"X-Auth-Token": site.tokens["admin"]}
    made = site.server.request("POST", "/v1/tokens", headers=headers, form={"role": "reader", "project_id": "shop"}).json()
    browser = Browser(site.server)
    assert browser.sign_in(made["secret"]).status == 303
    assert browser.load("/dashboard").status == 200
    assert site.server.request("DELETE", f"/v1/tokens/{made['id']}", headers=headers).status == 204
    assert browser.load("/dashboard").status == 303


def test_a_session_opens_pages_alone(site: Site) -> None:
    browser = site.browser("admin")
    for path in ("/v1/labels", "/v1/usage", "/v2.0/metering/metering-labels", "/metrics"):
        assert browser.load(path).status == 401


@pytest.mark.parametrize("fields", [{}, {"form_token": "0" * 64}])
def test_a_form_without_what_its_session_carries_is_refused(site: Site, fields: dict[str, str]) -> None:
    browser = site.browser("manager of shop")
    before = browser.show("/dashboard/labels").text
    assert browser.send("/dashboard/labels", {"name": "forged", **fields}).status == 403
    assert browser.show("/dashboard/labels").text == before


def test_a_form_of_another_place_is_refused(site: Site) -> None:
    browser = site.browser("manager of shop")
    fields = {"name": "forged", "form_token": browser.form_token()}
    assert browser.send("/dashboard/labels", fields, Origin="https://pages.example").status == 403
    assert Browser(site.server).send("/dashboard/sign-in", {"token": site.tokens["admin"]}, Origin="https://pages.example").status == 403


@pytest.mark.parametrize("to", ["https://pages.example/", "//pages.example/dashboard", "/dashboard\\..\\x", "/v1/labels", "/dashboard\nx"])
def test_nobody_is_led_elsewhere(site: Site, to: str) -> None:
    assert Browser(site.server).sign_in(site.tokens["admin"], to=to).headers["Location"] == "/dashboard"


def test_who_fails_too_often_waits(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'venturi.db'}"
    token = make_token(database)
    with running_server(tmp_path, "--auth", "token", database=database) as server:
        browser = Browser(server)
        assert [browser.sign_in("wrong").status for _ in range(MOST_FAILURES)] == [403] * MOST_FAILURES
        assert browser.sign_in(token).status == 429


def test_the_database_has_no_key(site: Site) -> None:
    browser = site.browser("admin")
    (key,) = browser.cookies.values()
    with closing(sqlite3.connect(site.server.database.removeprefix("sqlite:///"))) as database:
        kept = [row[0] for row in database.execute("SELECT key_digest FROM sessions")]
    assert kept
    assert key not in kept


def test_a_server_that_asks_nobody_has_no_sign_in(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        browser = Browser(server)
        assert browser.load("/dashboard").status == 200
        assert browser.load("/dashboard/sign-in").headers["Location"] == "/dashboard"
        led = browser.load("/", Accept="text/html,application/xhtml+xml")
        assert (led.status, led.headers["Location"]) == (303, "/dashboard")
        assert "versions" in browser.load("/", Accept="application/json").json()
        assert browser.send("/dashboard/labels", {"name": "mine"}).status == 303
        assert browser.send("/dashboard/labels", {"name": "forged"}, Origin="https://pages.example").status == 403
