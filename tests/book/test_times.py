"""Times under each chapter's title: counted and measured, not typed; and the letters of panels in their captions."""

import re
import sys

import pytest

from tests.book.pages import CHAPTERS, PAGES, ROOT, source

sys.path.insert(0, str(ROOT / "book" / "_ext"))

nodes = pytest.importorskip("docutils.nodes")
times = pytest.importorskip("companion_times")


def page_of(*parts):
    tree = nodes.section("", nodes.title("", "Two words"))
    tree += list(parts)
    return tree


def test_words_formulas_and_figures_take_time_and_code_takes_none():
    prose = nodes.paragraph("", "word " * 358)
    assert times.seconds(page_of(prose)) == pytest.approx(120)
    assert times.seconds(page_of(prose, nodes.literal_block("", "code " * 500))) == pytest.approx(120)
    assert times.seconds(page_of(prose, nodes.math_block("", "a=b"))) == pytest.approx(135)
    figure = nodes.figure("", nodes.image(), nodes.caption("", "word " * 90))
    cell = nodes.container("", nodes.literal_block("", "printed " * 90), figure, classes=["cell"])
    assert times.seconds(page_of(prose, cell)) == pytest.approx(165)
    fold = nodes.container("", nodes.paragraph("", "word " * 900), design_component="dropdown")
    assert times.seconds(page_of(prose, fold)) == pytest.approx(120)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(12, "1 minute"), (444, "7 minutes"), (1980, "33 minutes"), (5700, "95 minutes"), (7800, "2 hours")],
)
def test_times_are_said_as_a_person_says_them(seconds, words):
    assert times.said(seconds) == words


def test_a_run_is_said_in_seconds_too():
    assert [times.said(seconds, "second") for seconds in (0.2, 77.4, 130)] == ["1 second", "77 seconds", "2 minutes"]


# What was built


def built(html, page):
    from bs4 import BeautifulSoup

    return BeautifulSoup((html / f"{page}.html").read_text(encoding="utf-8"), "html.parser").select_one("article")


@pytest.mark.site
@pytest.mark.parametrize("page", [page for page in CHAPTERS if page != PAGES[0]])  # not the front page
def test_a_chapter_says_how_long_it_takes(html, page):
    """Within a third of what the words of the built page would take, counted without the extension."""
    article = built(html, page)
    (line,) = article.select(".chapter-times")
    assert line.find_previous_sibling().name == "h1"
    said = re.match(
        r"About (\d+) minutes? to read.*; its code ran in (\d+) (seconds?|minutes?) for this page\.", line.text
    )
    assert said, line.text
    for away in article.select(
        "pre, svg, script, details, .live, .companion-table, .provenance, div.proof:not(:has(> .admonition-title))"
    ):
        away.decompose()
    words = len(article.get_text(" ").split())
    rough = words / times.WORDS_A_MINUTE + 0.25 * len(article.select("figure, div.math"))
    assert int(said[1]) == pytest.approx(rough, rel=1 / 3, abs=1)
    links = {link.text: link["href"] for link in line.select("a")}
    assert list(links) == ["Run it on Colab", "Download the notebook", "See the source"]
    assert (html / page).parent.joinpath(links["Download the notebook"]).resolve().is_file()
    assert links["See the source"].endswith(f"/blob/main/{page}.md")


@pytest.mark.site
def test_the_front_page_sums_the_times_of_its_paths(html):
    paths = built(html, "book/index").select(".paths > div")
    said = [re.match(r"(\d+) minutes to read", path.select("p")[1].text) for path in paths]
    ten, results, theory, dispute = (int(s[1]) for s in said)
    assert paths[0].p.text == "Ten minutes"
    assert 7 <= ten <= 12
    assert ten < results < theory
    assert ten < dispute < theory
    asked = re.findall(r"\{reading-time\}`([^`]+)`", source("book/index"))
    assert len(asked) == 4
    assert all(f"book/{page}" in PAGES for pages in asked for page in pages.split())


@pytest.mark.site
@pytest.mark.parametrize("page", PAGES)
def test_captions_name_the_letters_that_are_drawn_and_no_side(html, page):
    """A caption holds on a phone too, where panels stand below each other."""
    for figure in built(html, page).select("figure:has(svg.phone)"):
        drawn = re.findall(r"\(([a-d])\)", " ".join(text.text for text in figure.select("svg.wide text")))
        named = re.findall(r"\b[a-d]\b", " ".join(re.findall(r"\(([^()]*)\)", figure.figcaption.text)))
        assert set(drawn) <= set(named), figure.figcaption.text
        assert not re.search(r"\b(?:Left|Right|Top|Bottom):|\((?:left|right)\)", figure.figcaption.text)


@pytest.mark.site
@pytest.mark.parametrize("page", PAGES)
def test_no_output_shows_its_markup(html, page):
    """A result whose HTML is printed as text: `<ul class=...`."""
    shown = [output.text.strip() for output in built(html, page).select(".cell_output pre")]
    assert not [text[:80] for text in shown if re.match(r"<\w+[ >]", text) and "</" in text]
