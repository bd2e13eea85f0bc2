"""What a reader with a phone waits for: an explorable's script, each step of its slider, the first move of a page."""

import pytest

from tests.book.conftest import compressed, compressing, html  # noqa: F401  (fixtures)
from tests.book.movement import SOON, Phone, moving
from tests.book.test_live_pages import PLACES, Opened, frame

pytestmark = pytest.mark.benchmark

SLOWER = 4


@pytest.mark.parametrize(("page", "name"), PLACES)
def test_scripts_are_small_and_frames_quick(note, browser, html, page, name):  # noqa: F811
    script = compressed(str(html / "_static" / "live" / f"{name}.js"))
    note("script", name, len(script) / 1000, "kB", most=66)
    one = Opened(browser, html, page, name)
    note("frame", name, 1000 * SLOWER * frame(one), "ms", most=50)
    one.context.close()


@pytest.mark.parametrize(("page", "things"), moving().items())
def test_a_page_moves_soon(note, browser, compressing, page, things):  # noqa: F811
    loads = Phone(browser, compressing[0]).loads(page, things)
    print(page, *(f"{load.last:.2f} s" for load in loads))
    note("movement", page.removesuffix(".html"), loads[len(loads) // 2].last, "s", most=SOON)
