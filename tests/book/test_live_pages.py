"""The explorables in the built pages, opened from disk: they move, come back, and their address restores them."""

import pytest

from book.shared.live import live
from tests.live.test_explorables import NAMES, PLACED

pytestmark = pytest.mark.site

# Each on the last page that has it, the chapter it belongs to.
PLACES = [(page, name) for name, page in {name: page for page, names in PLACED.items() for name in names}.items()]
BRISK = ["receipts", "peel", "forgetting"]  # keep 20 frames a second on a processor four times slower
# An element and what is in it, whatever the order in which its attributes were set.
TREE = """(box) => {
  const told = (e) => e.nodeType === 3 ? e.data : e.nodeName + '[' +
    [...e.attributes].map((a) => `${a.name}=${a.value}`).sort().join(';') + ']' + [...e.childNodes].map(told).join('');
  return told(box);
}"""
# Draws that come in once it was moved stay in the picture: what it says when all of them are there.
REMEMBERS = {"figure1": "20 draws"}
STEPS = 20
SLIDE = """async (live) => {
  const input = live.querySelector('input[type=range]');
  for (let i = 0; i < 20; i++) {
    input.value = Number(input.min) + ((i + 1) / 21) * (input.max - input.min);
    input.dispatchEvent(new Event('input', {bubbles: true}));
    await new Promise(requestAnimationFrame);  // the explorable asked for this frame first
  }
}"""


class Opened:
    """A page from disk with one explorable on it in view."""

    def __init__(self, browser, html, page, name, fragment="", **context):
        self.context = browser.new_context(**{"viewport": {"width": 390, "height": 844}, **context})
        self.page, self.errors = self.context.new_page(), []
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.goto((html / f"{page}.html").as_uri() + fragment)
        self.live = self.page.locator(f'.live[data-live="{name}"]')
        self.page.wait_for_timeout(300)

    def settle(self, words):
        if words:
            self.page.wait_for_function(f"document.querySelector('.live-words').textContent.includes('{words}')")

    def seen(self):
        """Words and picture, as they are now."""
        self.page.wait_for_timeout(150)  # a frame to draw, on a busy machine
        return self.live.locator(".live-words").text_content(), self.live.locator(".live-picture").evaluate(TREE)


@pytest.fixture
def opened(browser, html):
    made = []

    def visit(*args, **context):
        made.append(Opened(browser, html, *args, **context))
        return made[-1]

    yield visit
    for one in made:
        one.context.close()


def turn(live, back=False):
    """The first control by one step, by keyboard, and back again."""
    control = live.locator(".live-controls :is(input[type=range], button)").first
    control.focus()
    slider = control.get_attribute("type") == "range"
    live.page.keyboard.press(("ArrowLeft" if back else "ArrowRight") if slider else "Space")


@pytest.mark.parametrize(("page", "name"), PLACES)
def test_an_explorable_moves_by_keyboard_and_its_address_restores_it(opened, page, name):
    one = opened(page, name)
    first = one.seen()
    turn(one.live)
    one.settle(REMEMBERS.get(name))
    moved = one.seen()
    assert moved[0] != first[0]
    one.page.wait_for_function(f"location.hash.includes('{name}.')")
    address = one.page.evaluate("location.hash")
    other = opened(page, name, address)
    other.settle(REMEMBERS.get(name))
    assert other.seen()[0] == moved[0]
    assert name in REMEMBERS or other.seen() == moved
    turn(one.live, back=True)
    assert name in REMEMBERS or one.seen() == first
    one.page.wait_for_function(f"!location.hash.includes('{name}.')")
    one.live.locator("[data-do=draw]").click()
    assert one.seen()[1] != first[1]
    assert one.live.locator(".live-seed").inner_text() == "1"
    one.live.locator("[data-do=reset]").click()
    assert one.seen() == first
    assert one.errors == other.errors == []


@pytest.mark.parametrize(("page", "name"), PLACES)
def test_without_scripts_the_first_picture_is_the_one_that_scripts_draw(opened, page, name):
    still, alive = opened(page, name, java_script_enabled=False), opened(page, name)
    assert still.live.locator(".live-picture").is_visible()
    assert not still.live.locator(".live-controls").is_visible()
    assert still.seen()[0] == alive.seen()[0]
    # what follows the explorable says the same before and after
    spans = "[data-follows]"
    assert still.page.locator(spans).all_text_contents() == alive.page.locator(spans).all_text_contents()


@pytest.mark.parametrize(("page", "name"), PLACES)
def test_a_guess_comes_before_the_reveal_and_fits_a_phone(opened, page, name):
    one = opened(page, name)
    hidden = one.live.locator(".live-reveal")
    assert all(not part.is_visible() for part in hidden.all())
    one.live.locator("[data-do=guess]").first.click()
    assert all(part.is_visible() for part in hidden.all())
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390
    tracks = one.live.locator("input[type=range]").evaluate_all("all => all.map((e) => e.clientWidth)")
    assert all(width >= 200 for width in tracks)


def frame(one):
    """Seconds of script, style and layout for one step of the first slider, the least of five slides.

    Painting is left out: without a graphics card the page's thread does it too, and a phone has one.
    """
    one.page.wait_for_selector("html[data-settled]", state="attached")  # the formulas' time is not the explorable's
    one.page.wait_for_timeout(500)
    session = one.context.new_cdp_session(one.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # a busy machine does not count

    def spent():
        found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        return sum(found[part] for part in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration"))

    one.live.evaluate(SLIDE)  # once for the compiler
    slides = []
    for _ in range(5):
        before = spent()
        one.live.evaluate(SLIDE)
        slides.append((spent() - before) / STEPS)
    return min(slides)


@pytest.mark.parametrize(("page", "name"), [place for place in PLACES if place[1] in BRISK])
def test_a_frame_leaves_room_on_a_processor_four_times_slower(opened, page, name):
    """Four times it is below 1/20 s."""
    each = frame(opened(page, name))
    print(f"{name}: {1000 * each:.1f} ms")
    assert 4 * each < 1 / 20


def test_a_drawn_symbol_is_trained_on_in_a_worker(opened):
    """Opened from disk: painting changes the state; training starts, tells how far it is, and stops when asked."""
    one = opened("book/networks/table1", "symbol", viewport={"width": 1200, "height": 1000})
    pad = one.live.locator(".pad")
    pad.scroll_into_view_if_needed()
    box, before = pad.bounding_box(), one.live.locator(".cell.on").count()
    one.page.mouse.move(box["x"] + 5, box["y"] + 5)
    one.page.mouse.down()
    one.page.mouse.move(box["x"] + 30, box["y"] + 30)
    one.page.mouse.up()
    one.page.wait_for_timeout(200)
    assert one.live.locator(".cell.on").count() > before
    one.live.locator("[data-act=train]").click()
    one.page.wait_for_function("document.querySelector('.live-words').textContent.includes('So far')", timeout=60_000)
    one.live.locator("[data-act=train]").click()
    assert "Stopped at" in one.seen()[0]
    assert one.errors == []


WIDGET = """async (code) => {
  const address = URL.createObjectURL(new Blob([code], {type: 'text/javascript'}));
  const {render} = (await import(address)).default, values = {start: {}, state: {}, shared: false};
  const model = {
    get: (key) => values[key],
    set: (key, value) => (values[key] = value),
    on() {},
    save_changes() { this.saved = true; },
  };
  const el = document.body.appendChild(document.createElement('div'));
  el.className = 'live';
  render({model, el});
  const seen = () => el.querySelector('.live-picture').innerHTML + el.querySelector('.live-words').innerHTML;
  const first = seen();
  el.querySelector('[data-do=draw]').click();
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  const moved = seen() !== first, shown = el.querySelector('.live-seed').textContent;
  return {moved, shown, seed: values.state.seed, saved: model.saved};
}"""


@pytest.mark.parametrize("name", NAMES)
def test_a_notebooks_widget_draws_moves_and_tells_its_model(browser, name, monkeypatch):
    """As anywidget runs it: the module from a Blob, `render` with a model, and no page of the book around."""
    pytest.importorskip("anywidget")
    monkeypatch.delenv("COMPANION_BOOK_BUILD", raising=False)
    at, errors = browser.new_page(), []
    at.on("pageerror", lambda e: errors.append(str(e)))
    found = at.evaluate(WIDGET, live(name)._esm)
    at.close()
    assert errors == []
    assert found == {"moved": True, "seed": 1, "shown": "1", "saved": True}


def test_painting_by_keyboard(opened):
    one = opened("book/networks/table1", "symbol")
    before = one.live.locator(".cell.on").count()
    one.live.locator(".pad").focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Space"):
        one.page.keyboard.press(key)
        one.page.wait_for_timeout(60)
    one.page.wait_for_timeout(150)
    assert one.live.locator(".cell.on").count() == before + 1


def test_a_typed_question_is_answered_by_a_model_trained_in_a_worker(opened):
    """Enter trains; a changed setting says that the answer is of the model before; starting again empties the field."""
    one = opened("book/language/facts", "ask", viewport={"width": 1200, "height": 1000})
    field, words = one.live.locator("[data-key=asked]"), one.live.locator(".live-words")
    field.fill("the robots")
    field.press("Enter")
    one.page.wait_for_function(
        "document.querySelector('[data-live=ask] .live-words').textContent.includes('It puts a verb in the plural')",
        timeout=60_000,
    )
    assert one.live.locator(".ask-bar").count() == 5
    assert "NaN" not in words.text_content()
    field.fill("Where does Tomas live?")
    one.page.wait_for_timeout(150)
    assert "where Tomas lives" in words.text_content()
    assert "of the model before this change" in words.text_content()
    one.page.wait_for_function(
        "document.querySelector('[data-live=ask] .live-words').textContent.includes('It says')", timeout=60_000
    )
    field.fill("Mira zzz")
    one.page.wait_for_timeout(150)
    assert "The text has no word “zzz”." in words.text_content()
    one.live.locator("[data-do=reset]").click()
    one.page.wait_for_timeout(150)
    assert field.input_value() == "Mira lives in"
    assert one.errors == []


def test_playing_peels_to_the_end_and_stays_there(opened):
    """Play steps at once and pauses when pressed; where no step is left it stops, also when pressed again."""
    one = opened(next(page for page, name in PLACES if name == "peel"), "peel")
    play, words = one.live.locator("[data-act=play]"), one.live.locator(".live-words")
    first = one.seen()[0]
    play.click()
    one.page.wait_for_function("document.querySelector('[data-live=peel] [data-act=play]').textContent === 'Pause'")
    assert one.seen()[0] != first
    play.click()
    paused = one.seen()[0]
    one.page.wait_for_timeout(1000)  # longer than between two steps
    assert one.seen()[0] == paused
    assert play.text_content() == "Play"
    play.click()
    one.page.wait_for_function(
        "document.querySelector('[data-live=peel] [data-act=play]').textContent === 'Play'", timeout=30_000
    )
    end = words.text_content()
    play.click()
    one.page.wait_for_timeout(1000)
    assert (play.text_content(), words.text_content()) == ("Play", end)
    assert one.errors == []
