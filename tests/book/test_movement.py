"""Every page that moves does so within a second of its text, on a phone that has seen nothing of the site."""

import pytest

from tests.book.movement import SOON, Phone, moving

pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def phone(browser, compressing):
    return Phone(browser, compressing[0])


@pytest.mark.parametrize(("page", "things"), moving().items())
def test_a_page_moves_within_a_second_of_its_text(phone, page, things):
    loads = phone.loads(page, things)
    print(page, *(f"{load.last:.2f} s" for load in loads))
    assert any(load.before_mathjax for load in loads), "a control waited for MathJax"
    assert loads[0].last <= SOON
