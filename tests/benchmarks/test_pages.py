"""What a reader with a phone waits for: an explorable's script, compressed as hosts do, and each step of its slider."""

import pytest

from tests.book.conftest import html  # noqa: F401  (a fixture)
from tests.book.test_live_pages import PLACES, Opened, frame
from tests.book.test_weight import compressed

pytestmark = pytest.mark.benchmark

SLOWER = 4


@pytest.mark.parametrize(("page", "name"), PLACES)
def test_scripts_are_small_and_frames_quick(note, browser, html, page, name):  # noqa: F811
    script = compressed(str(html / "_static" / "live" / f"{name}.js"))
    note("script", name, len(script) / 1000, "kB", most=66)
    one = Opened(browser, html, page, name)
    note("frame", name, 1000 * SLOWER * frame(one), "ms", most=50)
    one.context.close()
