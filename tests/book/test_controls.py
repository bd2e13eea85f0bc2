"""What moves, as a phone shows it: read-offs stay inside their picture, tracks are long, two states are a toggle."""

import re

import pytest

from tests.book.pages import ROOT

pytestmark = pytest.mark.site

SITE = ROOT / "_build" / "html"
MOVES = re.compile(r'class="(?:live|explorer)"')
MOVING = [
    path.relative_to(SITE).as_posix()
    for path in sorted(SITE.glob("book/**/*.html"))
    if MOVES.search(path.read_text(encoding="utf-8"))
]
# Each control in turn at its least, middle and greatest value or at each of its choices, and back: what is wrong.
LOOK = """async () => {
  const wrong = new Set(), boxes = document.querySelectorAll('.live, .explorer');
  const drawn = async () => { for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame); };
  let seen = 0;
  for (const box of boxes) {
    const title = box.dataset.live ?? box.querySelector('.explorer-title')?.textContent ?? 'explorer';
    const look = async (where) => {
      await drawn();
      for (const svg of box.querySelectorAll('svg')) {
        const edge = svg.getBoundingClientRect();
        for (const text of edge.width ? svg.querySelectorAll('text') : []) {
          const { left, right, top, bottom, width } = text.getBoundingClientRect(), word = text.textContent.trim();
          if (!width || !word) continue;
          seen++;
          const beyond = Math.max(edge.left - left, right - edge.right, edge.top - top, bottom - edge.bottom);
          if (beyond > 1) wrong.add(`${title}, ${where}: "${word}" leaves by ${beyond.toFixed(0)} px`);
        }
      }
    };
    const slide = (input, value) => { input.value = value; input.dispatchEvent(new Event('input', {bubbles: true})); };
    await look('start');
    const controls = [...box.querySelectorAll('input[type=range], [data-toggle], input[type=radio]:not(:checked)')];
    for (const control of controls) {
      const name = control.dataset.key ?? control.dataset.toggle ?? control.name;
      if (control.type === 'range') {
        const { min, max, step, value } = control, states = Math.round((max - min) / (step || 1)) + 1;
        if (states === 2) wrong.add(`${title}: ${name} has two states and is no toggle`);
        if (control.getBoundingClientRect().width < 200) wrong.add(`${title}: the track of ${name} is short`);
        for (const to of [min, (Number(min) + Number(max)) / 2, max, value]) {
          slide(control, to);
          await look(`${name} ${to}`);
        }
      } else {
        control.click();
        await look(`${name} ${control.value}`);
        if (control.dataset.toggle) control.click();
      }
    }
  }
  return { wrong: [...wrong], seen, boxes: boxes.length };
}"""


@pytest.mark.parametrize("page", MOVING)
def test_what_moves_fits_a_phone_at_every_end_of_its_controls(browser, html, page):
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    at = context.new_page()
    at.goto((html / page).as_uri())
    at.wait_for_function("!document.querySelector('.explorer :disabled, .live :disabled')")
    found = at.evaluate(LOOK)
    context.close()
    assert found["boxes"], "nothing moves here"
    assert found["wrong"] == []
