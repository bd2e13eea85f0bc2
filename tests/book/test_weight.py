"""How much the front page weighs as a host sends it."""

import pytest

pytestmark = pytest.mark.site

FRONT = 1_000_000  # bytes, all in all


def test_the_front_page_is_light(browser, compressing):
    """HTML, style, scripts, pictures and fonts, on a phone that has seen nothing of the site."""
    address, sent = compressing
    sent.clear()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    at = context.new_page()
    at.goto(f"{address}book/index.html", wait_until="networkidle")
    at.wait_for_timeout(500)
    context.close()
    total = sum(size for _, size in sent)
    print(total, sorted(sent, key=lambda one: -one[1])[:8])
    assert len(sent) > 5
    assert total <= FRONT
