"""Every page in a browser: nothing is fetched from elsewhere, nothing fails, explorers move, all can use it."""

import json
import re
import sys

import pytest

from tests.book.pages import CHAPTERS, PAGES, ROOT, source

pytestmark = pytest.mark.site

HEAVY = "book/linear/figure1"
TRACK = 200  # pixels that a finger needs
WATCH = """() => {
  const state = (e) => { const s = [...e.querySelectorAll('svg[role=img]')].find((x) => x.getClientRects().length);
                         return s ? s.getAttribute('aria-label') + '|' + s.innerHTML.length : null; };
  return [...document.querySelectorAll('.explorer')].map(state);
}"""


@pytest.fixture(scope="session")
def axe():
    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    import companion_scripts

    if not companion_scripts.modules():
        pytest.skip("axe-core could not be installed: npm has no network")
    return (companion_scripts.MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


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
        self.page.wait_for_selector("html[data-settled]", state="attached")  # formulas set, tables measured
        if self.page.locator(".explorer").count():
            self.page.wait_for_function("[...document.querySelectorAll('.explorer')].every((e) => e.dataset.moves)")
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
        for control in explorer.locator(".live-range input, .live-choice").all():
            slider = control.get_attribute("type") == "range"
            focus = control if slider else control.locator("input:checked")
            last = (int(control.get_attribute("max")) if slider else control.locator("input").count() - 1) == int(
                focus.input_value()
            )
            there, back = ("ArrowLeft", "ArrowRight") if last else ("ArrowRight", "ArrowLeft")
            before, said = at.evaluate(WATCH)[number], focus.get_attribute("aria-valuetext")
            assert before is not None, f"explorer {number} shows no picture"
            focus.focus()
            at.keyboard.press(there)
            assert at.evaluate(WATCH)[number] != before
            assert not slider or control.get_attribute("aria-valuetext") != said
            at.keyboard.press(back)
            assert at.evaluate(WATCH)[number] == before
            assert not slider or control.get_attribute("aria-valuetext") == said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, axe, scheme):
    at = visit.page
    at.emulate_media(color_scheme=scheme)
    at.wait_for_timeout(300)
    # a colour on its way from light to dark has no contrast of its own
    at.wait_for_function("document.getAnimations().every((a) => !(a instanceof CSSTransition))")
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


DIM = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const linear = (v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const lum = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const contrast = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const page = parse(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll('.companion-figure svg, .explorer-state svg')].flatMap((svg) => {
    const room = svg.getBoundingClientRect();
    if (!room.width) return [];
    const shapes = [...svg.querySelectorAll('path, rect, circle, use')].map((e) => [e, getComputedStyle(e)])
      .filter(([, s]) => s.fill.startsWith('rgb') && parseFloat(s.fillOpacity) * parseFloat(s.opacity) > 0.5)
      .map(([e, s]) => ({ box: e.getBoundingClientRect(), fill: parse(s.fill) }));
    const said = svg.getAttribute('aria-label').slice(0, 60);
    const wide = (box) => box.width * box.height > 0.1 * room.width * room.height;
    const own = String(parse(getComputedStyle(svg).color)); // lines of the page's own ink are no plates
    const plates = shapes.filter(({ box, fill }) => contrast(fill, page) > 14 && wide(box) && String(fill) !== own);
    const images = [...svg.querySelectorAll('image')].map((e) => e.getBoundingClientRect());
    const dim = [...svg.querySelectorAll('text')].filter((t) => {
      const ink = parse(getComputedStyle(t).fill), at = t.getBoundingClientRect();
      const x = (at.left + at.right) / 2, y = (at.top + at.bottom) / 2;
      const holds = (box) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
      const under = shapes.filter(({ box }) => holds(box));
      return contrast(ink, page) < 3 && !images.some(holds) && !under.some(({ fill }) => contrast(ink, fill) >= 3);
    });
    return [...plates.map(() => `a plate in: ${said}`), ...dim.map((t) => `"${t.textContent}" in: ${said}`)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_keep_their_contrast(visit, scheme):
    """Letters stand out from the page or from what they stand on; no white plate glares in the dark, no black one."""
    at = visit.page
    at.emulate_media(color_scheme=scheme)
    at.wait_for_timeout(200)
    dim = at.evaluate(DIM)
    at.emulate_media(color_scheme="light")
    assert dim == []


CUT = """() => [...document.querySelectorAll('article table, article mjx-container[display]')].flatMap((e) => {
  if (!e.getClientRects().length || e.closest('.live')) return [];
  const box = e.matches('table') ? e.parentElement : e;
  const wide = Math.max(e.matches('table') ? e.offsetWidth : 0, box.scrollWidth);
  return wide > box.clientWidth + 1 ? [`${wide} in ${box.clientWidth}: ${e.textContent.trim().slice(0, 60)}`] : [];
})"""


@pytest.mark.parametrize("width", [1440, 390])
def test_no_table_and_no_formula_is_cut(visit, width):
    """Wide tables are set smaller or become cards; nobody scrolls sideways to a column."""
    at = visit.page
    at.set_viewport_size({"width": width, "height": 900})
    at.wait_for_timeout(300)
    at.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(drawn))))")
    cut = at.evaluate(CUT)
    at.set_viewport_size({"width": 1440, "height": 900})
    assert cut == []


def test_a_wide_table_becomes_cards_that_are_still_a_table(browser, server):
    """On a phone each value stands beside the name of its column, and those who listen hear rows and columns."""
    opened = Visit(browser, server, "book/reference/claims", viewport={"width": 390, "height": 844})
    table = opened.page.locator("article table.cards").first
    table.wait_for(state="attached")
    names = table.locator("thead th").all_text_contents()
    row = table.locator("tbody tr").first
    assert len(names) > 2
    assert row.locator("td").evaluate_all("cells => cells.map((c) => c.dataset.name)") == [n.strip() for n in names]
    assert table.get_attribute("role") == "table"
    assert row.get_attribute("role") == "row"
    opened.context.close()


def test_formulas_are_no_tab_stops(visit):
    """Only what scrolls needs the keyboard: before the first slider of a chapter stand links, buttons and folds."""
    stops = (
        '[...document.querySelectorAll(\'article mjx-container [tabindex="0"], article mjx-container[tabindex="0"]\')]'
    )
    scrolls = "(e) => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1"
    assert visit.page.evaluate(f"{stops}.filter((e) => !({scrolls})(e)).length") == 0


SET = "article :is(.live-range, .live-choice)"
PRINTED = """(set) => [...document.querySelectorAll(set)].flatMap((e) => {
  const value = e.querySelector('output, input:checked + span');
  return value && value.getClientRects().length && value.textContent.trim() ? [] : [e.outerHTML.slice(0, 120)];
})"""


def test_print_keeps_what_sliders_are_set_to(visit):
    at = visit.page
    at.emulate_media(media="print")
    at.wait_for_timeout(200)
    lost = at.evaluate(PRINTED, SET)
    handles = at.locator(".live-range input:visible").count()
    at.emulate_media(media="screen")
    assert lost == []
    assert handles == 0


def test_print_cuts_no_table(visit):
    """At the width of a sheet of paper: tables are no wider than the text, and nothing of them is hidden."""
    at = visit.page
    at.set_viewport_size({"width": 720, "height": 1000})
    at.emulate_media(media="print")
    at.wait_for_timeout(300)
    cut = at.evaluate(CUT.replace(", article mjx-container[display]", ""))
    at.emulate_media(media="screen")
    at.set_viewport_size({"width": 1440, "height": 900})
    assert cut == []


def test_focus_is_seen(visit):
    """Every link, button and slider that takes the focus by Tab shows it."""
    at = visit.page
    at.evaluate("document.activeElement && document.activeElement.blur()")
    blind = []
    for _ in range(25):
        at.keyboard.press("Tab")
        blind += at.evaluate("""() => {
          const e = document.activeElement, s = getComputedStyle(e);
          if (e === document.body || !e.getClientRects().length) return [];
          const ring = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
          return ring || s.boxShadow !== 'none' ? [] : [e.outerHTML.slice(0, 120)];
        }""")
    assert blind == []


def test_print_shows_the_text_whole_and_nothing_else(visit):
    at = visit.page
    at.emulate_media(media="print")
    at.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    at.wait_for_timeout(200)
    folded = at.evaluate("[...document.querySelectorAll('article details.sd-dropdown')].filter((d) => !d.open).length")
    wide = at.evaluate(
        "[...document.querySelectorAll('.bd-sidebar-primary, .bd-header-article')]"
        ".filter((e) => e.offsetHeight > 0 && getComputedStyle(e).visibility !== 'hidden').length"
    )
    at.evaluate("window.dispatchEvent(new Event('afterprint'))")
    at.emulate_media(media="screen")
    assert folded == 0
    assert wide == 0
    assert at.evaluate("[...document.querySelectorAll('article details.sd-dropdown')].every((d) => !d.open)")


@pytest.mark.parametrize("how", ["pointer", "keyboard"])
def test_a_statement_is_previewed_where_it_is_cited(browser, server, how):
    """Pointing at a theorem's name, or reaching it by Tab, shows the theorem with its formulas set."""
    opened = Visit(browser, server, "book/linear/recovery", viewport={"width": 1440, "height": 900})
    at = opened.page
    link = at.locator('article a.reference.internal[href*="#thm-"]').first
    link.scroll_into_view_if_needed()
    at.wait_for_function("link => link._tippy", arg=link.element_handle())  # attached after the page has loaded
    # the event, not the mouse: a page that still settles would move from under it
    link.dispatch_event("mouseenter") if how == "pointer" else link.focus()
    preview = at.locator(".tippy-box")
    preview.wait_for(state="visible")
    at.wait_for_selector(".tippy-box mjx-container")
    assert link.inner_text() in preview.inner_text()
    assert opened.outside == opened.errors == []
    opened.context.close()


def test_text_does_not_wait_for_scripts(browser, server):
    """With MathJax and previews held back for good, the words and the still figures are there."""
    at = browser.new_page()
    at.route("**/vendor/**", lambda route: route.abort())
    at.goto(f"{server}{HEAVY}.html", wait_until="domcontentloaded")
    assert at.locator("article h1").is_visible()
    assert at.locator("article p").first.is_visible()
    assert at.locator(".companion-figure svg").first.is_visible()
    at.close()


@pytest.mark.parametrize("anchor", ["", "#forgetting"])
def test_an_old_address_leads_on_with_its_anchor(browser, server, anchor):
    at = browser.new_page()
    at.goto(f"{server}start.html{anchor}")
    at.wait_for_selector("article h1")
    assert at.url == f"{server}book/start.html{anchor}"
    at.close()


def test_a_link_to_a_folded_statement_unfolds_it(browser, server):
    """By the page's own script: some browsers do it by themselves, and they do not do it for a made-up event."""
    at = browser.new_page()
    at.goto(f"{server}book/linear/recovery.html#lem-row-counts", wait_until="load")
    fold = at.locator("details:has(> * #lem-row-counts), details:has(> #lem-row-counts)").first
    assert fold.evaluate("fold => fold.open")
    fold.evaluate("fold => { fold.open = false; window.dispatchEvent(new HashChangeEvent('hashchange')); }")
    assert fold.evaluate("fold => fold.open")
    at.close()


def test_search_finds_a_page(browser, server):
    at = browser.new_page()
    at.goto(f"{server}search.html?q=memorization")
    at.wait_for_selector("ul.search li a", timeout=30_000)
    assert at.locator("ul.search li a").count() >= 1
    at.close()


def test_tracks_are_long_enough_on_a_phone(visit):
    at = visit.page
    at.set_viewport_size({"width": 390, "height": 844})
    at.wait_for_timeout(200)
    tracks = at.evaluate(
        "[...document.querySelectorAll(':is(.explorer, .live) input[type=range]')].map((e) => e.clientWidth)"
    )
    at.set_viewport_size({"width": 1440, "height": 900})
    assert all(width >= TRACK for width in tracks), tracks


def test_two_states_are_no_slider(visit):
    short = "[...document.querySelectorAll('.explorer input[type=range]')].filter((e) => Number(e.max) < 2).length"
    assert visit.page.evaluate(short) == 0


@pytest.fixture
def without_scripts(browser, server):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1000, "height": 900})
    at = context.new_page()
    yield at
    context.close()


@pytest.mark.parametrize("page", [page for page in CHAPTERS if "explorer(" in source(page)])
def test_without_scripts_the_page_says_so_and_explorers_show_their_first_picture(without_scripts, server, page):
    at = without_scripts
    at.goto(f"{server}{page}.html")
    assert at.locator(".no-scripts").is_visible()
    stills = at.locator(".explorer")
    assert stills.count() == len(re.findall(r"^\s*explorer\(", source(page), re.M))
    for number in range(stills.count()):
        assert stills.nth(number).locator("svg").first.is_visible()
        assert stills.nth(number).locator(".explorer-note").is_visible()
        assert not stills.nth(number).locator(".explorer-controls").is_visible()
    formula = at.locator("article .math").first
    assert "monospace" in formula.evaluate("e => getComputedStyle(e).fontFamily") if formula.count() else True


def test_reduced_motion_means_none(browser, server):
    opened = Visit(browser, server, HEAVY, reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    moving = """[...document.querySelectorAll('*')].flatMap((e) => ['', '::before', '::after'].filter((part) => {
      const s = getComputedStyle(e, part || null);
      const lasts = s.transitionDuration.split(',').some((d) => parseFloat(d) > 0) && s.transitionProperty !== 'none';
      return lasts || s.animationName !== 'none' || s.scrollBehavior === 'smooth';
    }).map((part) => e.tagName + '.' + e.classList + part))"""
    assert opened.page.evaluate(moving) == []
    opened.context.close()


def test_search_from_disk_says_that_it_has_no_excerpts(browser, html):
    at = browser.new_page()
    errors = []
    at.on("console", lambda m: errors.append(m.text) if m.type == "error" and "fetch" in m.text.lower() else None)
    at.goto((html / "search.html").as_uri() + "?q=memorization")
    at.wait_for_selector("ul.search li a", timeout=30_000)
    assert "make serve" in at.locator(".search-note").inner_text()
    at.wait_for_timeout(300)
    assert errors == []
    at.close()
