"""The built pages, read as files: links and anchors resolve, nothing raw leaks, nothing is heavy."""

import base64
import itertools
import json
import re
import zlib
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from tests.book.pages import CHAPTERS, PAGES, ROOT, has_code

pytestmark = pytest.mark.site

HEAVIEST_PAGE, HEAVIEST_SITE = 3_000_000, 80_000_000
SETTINGS = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
BRANCH, MOVED = SETTINGS["site_branch"], SETTINGS["redirects"]
OWNER, NAME = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"].split("/")[-2:]
SITE = f"https://{OWNER}.github.io/{NAME}/"
FEWEST_EXPLORERS, MOST_STATES, HEAVIEST_EXPLORER = 10, 60, 1_500_000


@cache
def soup(path):
    from bs4 import BeautifulSoup

    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(path):
    names = {tag["name"] for tag in soup(path).find_all("a", attrs={"name": True})}
    return names | {tag["id"] for tag in soup(path).find_all(id=True)}


def prose(path):
    """The article's text without code and formulas, those in the labels of explorers included."""
    article = soup(path).select_one("article")
    text = []
    for string in article.find_all(string=True):
        if not string.find_parent(["pre", "code", "script", "style", "svg"]) and not string.find_parent(
            class_=["math", "mathjax_process"]
        ):
            text.append(string)
    return "".join(text)


@pytest.mark.parametrize("page", PAGES)
def test_internal_links_and_anchors_resolve(html, page):
    path = html / f"{page}.html"
    broken = []
    for link in soup(path).find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc or not link["href"] or link["href"] == "#":
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file() or (
            parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in anchors(target)
        ):
            broken.append(link["href"])
    assert not broken


@pytest.mark.parametrize("page", PAGES)
def test_nothing_raw_leaks_into_the_text(html, page):
    role, dollars, command, fence = (
        r"\{[a-z]+(?::[a-z]+)?\}`",
        r"\$[^$\n]{1,80}\$",
        r"\\(?:frac|mathbb|alpha|beta|sigma)\b",
        r"^:::|```",
    )
    leaks = re.findall("|".join((role, dollars, command, fence)), prose(html / f"{page}.html"), re.M)
    assert not leaks


@pytest.mark.parametrize("page", [page for page in PAGES if has_code(page)])
def test_outputs_hold_no_error_and_no_path_of_a_machine(html, page):
    path = html / f"{page}.html"
    for output in soup(path).select(".cell_output"):
        said = output.get_text()
        assert not re.search(r"Traceback \(most recent|Error:|Warning:", said), said[:500]
        assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work|Users|mnt)/\w", said), said[:500]
    assert not soup(path).select(".cell_output .stderr, .output.stderr")


@pytest.mark.parametrize("page", PAGES)
def test_pictures_have_a_text_alternative(html, page):
    article = soup(html / f"{page}.html").select_one("article")
    assert all(image.get("alt", "").strip() for image in article.find_all("img"))
    for svg in article.select(".companion-figure svg"):
        assert len(svg.get("aria-label", "")) > 20


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_light(html, page):
    """The page with what it loads besides the scripts and fonts that all pages share."""
    path = html / f"{page}.html"
    size = path.stat().st_size
    for image in soup(path).select("article img[src]"):
        source = path.parent / unquote(urlsplit(image["src"]).path)
        size += source.stat().st_size if source.is_file() else 0
    assert size < HEAVIEST_PAGE


def test_explorers_are_many_and_light_and_tell_each_state_in_words(html):
    found = 0
    for page in PAGES:
        for packed in soup(html / f"{page}.html").select(".explorer > .explorer-states"):
            pages = json.loads(zlib.decompress(base64.b64decode(packed.string)))
            found += 1
            assert 1 < len(pages) <= MOST_STATES, page
            assert sum(len(text.encode()) for text in pages) <= HEAVIEST_EXPLORER, page
            assert all('role="img"' in text and "explorer-words" in text for text in pages), page
            assert len(set(pages)) == len(pages), f"{page}: two states look the same"
    assert found >= FEWEST_EXPLORERS


@pytest.mark.parametrize("page", PAGES)
def test_no_page_loads_widgets_or_require_js(html, page):
    tree = soup(html / f"{page}.html")
    loaded = [script["src"] for script in tree.select("script[src]")]
    heavy = [src for src in loaded if re.search(r"embed|require|widget|fontawesome\.js", src)]
    assert not heavy
    assert not tree.select('script[type^="application/vnd.jupyter"]')


@pytest.mark.parametrize("page", PAGES)
def test_headings_descend_one_step_at_a_time_and_landmarks_are_there(html, page):
    tree = soup(html / f"{page}.html")
    levels = [int(heading.name[1]) for heading in tree.select("article :is(h1, h2, h3, h4, h5, h6)")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    assert len(tree.select("main")) == 1
    assert tree.select("nav")
    assert tree.select("footer")


def test_the_site_is_light(html):
    assert sum(path.stat().st_size for path in html.rglob("*") if path.is_file()) < HEAVIEST_SITE


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapters_are_offered_as_notebooks(html, page):
    notebook = json.loads((html / "notebooks" / f"{page}.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    first = "".join(code[0]["source"])
    assert re.search(r'"companion": "[\w-]+ @ https://[^"]+\.zip", "book"', first)
    assert text.startswith("*A chapter of [Memorize, then compose](")
    outside_math_and_code = re.sub(r"`[^`\n]*`", "", re.sub(r"\$\$.*?\$\$|\$[^$]*\$", "", text, flags=re.S))
    assert not re.search(r"\{[a-z]+(?::[a-z]+)?\}`|^:{3,}|^`{3,}\{|^\([\w-]+\)=$", text, flags=re.M)
    assert not re.search(r"\\(?:R|E|Pr)(?![A-Za-z])", outside_math_and_code)
    links = [link["href"] for link in soup(html / f"{page}.html").select("a[href]")]
    assert {href.split("/notebooks/")[-1] for href in links if "/notebooks/" in href} == {f"{page}.ipynb"}
    colab = {href for href in links if "colab.research.google.com" in href}
    assert {href.split("/blob/")[1] for href in colab} == {f"{BRANCH}/notebooks/{page}.ipynb"}


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_download_menu_names_what_it_offers(html, page):
    offered = soup(html / f"{page}.html").select(".dropdown-download-buttons a[href]")
    ends = [(link.get_text().strip(), link["href"].rsplit(".", 1)[1]) for link in offered]
    assert ends == [(".ipynb", "ipynb"), (".md", "md")]


@pytest.mark.parametrize("old", MOVED)
def test_old_addresses_lead_to_a_page_that_is_there(html, old):
    """What stands at the old address is no page of today's, and leads to one, at an anchor that it has."""
    moved = soup(html / f"{old}.html")
    target, _, anchor = moved.select_one("link[rel=canonical]")["href"].partition("#")
    page = (html / old).parent.joinpath(target).resolve()
    assert str(page.relative_to(html.resolve()).with_suffix("")) in PAGES
    assert old not in PAGES
    assert not anchor or anchor in anchors(page)
    assert moved.select_one("body a")["href"] == moved.select_one("link[rel=canonical]")["href"]


@pytest.mark.parametrize("page", PAGES)
def test_a_shared_link_shows_a_card(html, page):
    tags = {
        tag.get("property") or tag.get("name"): tag["content"]
        for tag in soup(html / f"{page}.html").select("meta[content]")
    }
    assert tags["twitter:card"] == "summary_large_image"
    assert tags["og:url"] == f"{SITE}{page}.html"
    assert tags["og:image"] == f"{SITE}_static/card.png"
    assert tags["og:title"] in soup(html / f"{page}.html").select_one("h1").get_text()
    assert 20 < len(tags["og:description"]) <= 202
    assert "to read, proofs and folded parts aside" not in tags["og:description"], "its own words, not how long it is"


def test_the_card_has_the_size_that_is_asked_for(html):
    from PIL import Image

    with Image.open(html / "_static" / "card.png") as card:
        assert card.size == (1200, 630)
        assert card.convert("RGBA").getchannel("A").getextrema() == (255, 255)  # a dark chat shows it as we do
        assert len(card.convert("RGB").getcolors(1 << 24)) > 50


@pytest.mark.parametrize("page", [page for page in PAGES if has_code(page)])
def test_folded_code_says_what_it_does(html, page):
    """ "Show the code" fifteen times in a row helps nobody to find the cell that is wanted."""
    shown = [p.get_text().strip() for p in soup(html / f"{page}.html").select("details.hide p.collapsed")]
    assert [said for said in shown if said in ("Show the code", "Show code cell source", "")] == []
    assert all(said.startswith("Show ") for said in shown)


@pytest.mark.parametrize("page", [page for page in PAGES if has_code(page)])
def test_provenance_is_folded_and_the_number_of_draws_is_not(html, page):
    for line in soup(html / f"{page}.html").select(".provenance"):
        if "Stored result" in line.get_text():
            assert line.name == "details"
            assert re.fullmatch(r"From (\d+ random draws|one random draw)", line.summary.get_text())
            assert not line.has_attr("open")
