"""Certified numbers: what is stored is found again, is what the pages print, and would not hold of other values."""

import re

import numpy as np
import pytest
from flint import fmpq

from book.reference.claims import certified_rows
from book.shared import certified, evidence
from book.shared.ledger import ledger

crlin = pytest.importorskip("crlin", reason="enclosures are made where crlin has a wheel: Linux on x86-64")

VALUES = evidence.stored("certified")["values"]


@pytest.fixture(scope="module")
def again():
    return certified.certify()


def test_what_is_stored_is_found_again(again):
    assert [found.what for found in again] == [value["what"] for value in VALUES]
    for found, value in zip(again, VALUES, strict=True):
        assert found.shown == value["shown"]
        if value["low"] is not None:
            assert found.holds, found
            assert found.low <= value["high"], "two enclosures of one number meet"
            assert value["low"] <= found.high
            assert found.high - found.low <= 1e-12 * max(1, abs(found.value))


def test_an_enclosure_tells_a_value_from_its_neighbours(again):
    for found in again:
        assert not found._replace(value=found.value * (1 + 1e-6)).holds, found.what


def test_each_is_an_example_of_a_statement_on_its_page():
    pages = {claim.label: claim.chapter for claim in ledger()}
    assert all(pages[value["label"]] == value["page"] for value in VALUES)
    assert len(VALUES) >= 15


def test_pseudo_inverse_is_exact_at_any_rank():
    X = np.array([[1, 1, 0], [2, 2, 0], [0, 0, 0], [1, 0, 3]])
    inverse = certified.pseudo_inverse(X)
    y = [1.0, 0.5, 2.0, -1.0]
    assert np.allclose([float(v.p) / float(v.q) for v in inverse.solution(y)], np.linalg.pinv(X) @ y)
    assert inverse.certificates() == [fmpq(10, 19), fmpq(10, 19), fmpq(18, 19)]
    assert inverse.leverages() == [fmpq(1, 5), fmpq(4, 5), 0, 1]
    with pytest.raises(ValueError, match="whole numbers"):
        certified.pseudo_inverse(X / 2)


def test_dependent_rows_are_not_verified_and_say_so():
    """With all rows in it the same risk cannot be enclosed: the proof of a nonsingular system fails."""
    X = np.array([[1.0, 1.0], [2.0, 2.0]])
    value = certified.enclosed("thm-x", "book/x", "x", ".2f", 0.5, lambda: crlin.solve(X @ X.T, np.ones(2)))
    assert (value.low, value.high) == (None, None)
    assert value.how.startswith("not verified")
    assert not value.holds
    assert "not verified" in evidence.words(value._asdict())
    assert certified.independent_rows(X) == [0]


def test_outward_holds_the_number_between_floats():
    low, high = certified.outward(fmpq(1, 3))
    assert low == np.nextafter(high, 0)
    assert fmpq(*low.as_integer_ratio()) < fmpq(1, 3) < fmpq(*high.as_integer_ratio())
    assert certified.outward(fmpq(1, 4)) == (0.25, 0.25)


def test_the_ledger_shows_them():
    rows = {row[0]: row for row in certified_rows()}
    assert rows["risk of the minimum norm without noise"][1] == "0.0686"
    assert rows["coefficient of each of two features that share a label of 3"][2] == "1.5"
    shown = next(claim for claim in ledger() if claim.label == "thm-block-solver").run()._repr_html_()
    assert "share a label of 3: 1.5 (exactly this)" in shown


@pytest.mark.site
def test_pages_print_what_is_certified(html):
    for value in VALUES:
        page = (html / f"{value['page']}.html").read_text(encoding="utf-8")
        text = re.sub(r"<[^>]+>", " ", page)
        assert re.search(rf"(?<![\d.]){re.escape(value['shown'])}(?!\d)", text), value
