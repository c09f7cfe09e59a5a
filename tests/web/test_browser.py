"""Pages in a real browser: accessible in light and dark and on a phone, without errors, and with nothing from any other host."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright

from tests.web.browsing import DAY
from tests.web.conftest import Site

PAGES = (
    "",
    "?direction=in",
    "/explore",
    "/explore?by=label",
    "/labels",
    "/points",
    "/agents",
    "/alarms?state=all",
    "/revisions",
    "/search?text=web",
)
PHONE = {"width": 320, "height": 640}

pytestmark = pytest.mark.needs("chromium")


@dataclass
class Visit:
    """A page in a browser, and what it said and asked for."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def show(self, path: str) -> None:
        """Load a page of the dashboard about the day of the tests."""
        separator = "&" if "?" in path else "?"
        self.page.goto(f"{self.base}/dashboard{path}{separator}period={DAY}", wait_until="networkidle")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Debian's browser, without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def visiting(chromium: Chromium, site: Site, caller: str, **options: object) -> Visit:
    """Sign in as a caller, as a person does."""
    page = chromium.new_context(**options).new_page()  # type: ignore[arg-type] # options of a context
    visit = Visit(page, site.server.url)
    page.on("console", lambda message: visit.complaints.append(message.text))
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(site.server.url) else visit.foreign.append(request.url))
    page.goto(f"{site.server.url}/dashboard")
    page.get_by_label("Token").fill(site.tokens[caller])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")
    return visit


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_whole(site: Site, chromium: Chromium, scheme: str) -> None:
    visit = visiting(chromium, site, "admin", color_scheme=scheme)
    for path in (*PAGES, f"/labels/{site.labels['web']}?source=10.0.0.1&destination=10.0.0.2&direction=egress", f"/points/{site.point}"):
        visit.show(path)
        for details in visit.page.locator("details").all():
            details.locator("summary").click()
        found = Axe().run(visit.page)
        assert found.violations_count == 0, (path, found.generate_report())
    assert visit.complaints == []
    assert visit.foreign == []


def test_signing_in_is_accessible(site: Site, chromium: Chromium) -> None:
    page = chromium.new_context().new_page()
    page.goto(f"{site.server.url}/dashboard")
    assert Axe().run(page).violations_count == 0


def test_a_phone_shows_pages_without_scrolling_sideways(site: Site, chromium: Chromium) -> None:
    visit = visiting(chromium, site, "admin", viewport=PHONE)
    for path in (*PAGES, f"/labels/{site.labels['web']}", f"/points/{site.point}"):
        visit.show(path)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_everything_is_reached_by_the_keyboard(site: Site, chromium: Chromium) -> None:
    visit = visiting(chromium, site, "admin")
    visit.show("")
    reached: list[str] = []
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        reached.append(visit.page.evaluate("(document.activeElement.textContent || document.activeElement.name || '').trim()"))
    assert reached[0] == "Skip to the figures"
    assert {"Overview", "Explore", "Labels", "Alarms", "Sign out", "24 hours", "Month", "zone", "Show", "In", "The same as a table"} <= set(
        reached
    )


def test_without_scripts_a_customer_reads_its_own(site: Site, chromium: Chromium) -> None:
    visit = visiting(chromium, site, "reader of lab", java_script_enabled=False)
    visit.show("")
    text = visit.page.inner_text("main")
    assert "15.0kB" in text
    assert "shop" not in text
    assert visit.page.locator("svg.plot path.line").count() >= 1
