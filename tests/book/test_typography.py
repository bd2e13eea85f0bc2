"""A formula, the bracket before it and the punctuation after it stay on one line."""

import sys

import pytest
from docutils import nodes

from tests.book.pages import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
companion_pages = pytest.importorskip("companion_pages")


class Page(nodes.paragraph):
    def findall(self, kind):
        return [node for node in self.children if isinstance(node, kind)]


def typeset(*parts):
    page = Page()
    for part in parts:
        page += nodes.Text(part) if isinstance(part, str) else part
    companion_pages.keep_together(None, page, "page")
    return page


def formula():
    return nodes.math("", "x")


@pytest.mark.parametrize(
    ("before", "after", "inside"),
    [
        ("We take ", ", which", "x,"),
        ("We take (", "). Then", "(x)."),
        ("The ", "-dimensional case", "x-dimensional"),
    ],
)
def test_what_belongs_to_the_formula_stays_with_it(before, after, inside):
    page = typeset(before, formula(), after)
    (span,) = (node for node in page.children if isinstance(node, nodes.inline))
    assert span["classes"] == ["together"]
    assert span.astext() == inside
    assert page.astext() == before + "x" + after


def test_a_formula_among_words_is_left_as_it_is():
    page = typeset("Let ", formula(), " be even")
    assert not any(isinstance(node, nodes.inline) for node in page.children)


def test_two_formulas_with_a_comma_between_them_may_part_after_it():
    page = typeset("Let ", formula(), ", ", formula(), ".")
    assert [node.astext() for node in page.children if isinstance(node, nodes.inline)] == ["x,", "x."]
