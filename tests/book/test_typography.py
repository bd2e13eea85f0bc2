"""A formula, the bracket before it and the punctuation after it stay on one line."""

import re
import sys

import pytest

from tests.book.pages import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
companion_pages = pytest.importorskip("companion_pages")


FORMULA = r'<span class="math notranslate nohighlight">\(x\)</span>'
SPAN = re.compile(r'<span class="together">(.*?<span class="math[^>]*>[^<]*</span>.*?)</span>')


def typeset(body):
    """What stands together in a body, formulas as x; the words are all there still."""
    context = {"body": body.replace("x", FORMULA)}
    companion_pages.keep_together(None, "page", "page.html", context, doctree=object())
    assert SPAN.sub(r"\1", context["body"]) == body.replace("x", FORMULA)
    return [found.replace(FORMULA, "x") for found in SPAN.findall(context["body"])]


@pytest.mark.parametrize(
    ("body", "inside"),
    [
        ("We take x, which", "x,"),
        ("We take (x). Then", "(x)."),
        ("The x-dimensional case", "x-dimensional"),
        ("<em>We take x</em>: it", None),
        ("<p>We say “x.”</p>", "“x.”"),
    ],
)
def test_what_belongs_to_the_formula_stays_with_it(body, inside):
    assert typeset(body) == [inside] * (inside is not None)


def test_a_formula_among_words_is_left_as_it_is():
    assert typeset("Let x be even") == []


def test_two_formulas_with_a_comma_between_them_may_part_after_it():
    assert typeset("Let x, x.") == ["x,", "x."]
