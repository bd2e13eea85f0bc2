"""The sources of the book: nothing forgotten, nothing dangling, nothing shown without its provenance."""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from pages import PAGES, ROOT, has_code, source

HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""


def test_every_page_is_in_the_table_of_contents_once():
    written = {str(path.relative_to(ROOT).with_suffix("")) for path in (ROOT / "book").rglob("*.md")}
    assert sorted(PAGES) == sorted(written)


@pytest.mark.parametrize("page", [page for page in PAGES if has_code(page)])
def test_chapters_with_code_are_jupytext_notebooks(page):
    assert source(page).startswith(HEADER)


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_one_title(page):
    text = re.sub(r"^(`{3,}|:{3,}).*?^\1\s*$", "", source(page), flags=re.S | re.M)
    assert len(re.findall(r"^# ", text, flags=re.M)) == 1


def cited(text):
    for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text):
        yield from (key.strip() for key in keys.split(","))


@pytest.mark.parametrize("page", PAGES)
def test_citations_are_in_the_bibliography(page):
    known = set(re.findall(r"@\w+\{([^,\s]+),", (ROOT / "book/references.bib").read_text(encoding="utf-8")))
    assert set(cited(source(page))) <= known


@pytest.mark.parametrize("page", PAGES)
def test_stored_results_are_shown_with_their_provenance(page):
    """A page that loads a stored result prints the line that says where it comes from."""
    text = source(page)
    if re.search(r"\bload\(\s*[\"']", text):
        assert re.search(r"\.line\(\)|provenance_lines\(", text)


@pytest.mark.parametrize("page", PAGES)
def test_theorem_labels_are_used_once(page):
    def labels_of(name):
        return re.findall(r"^:label: ([\w-]+)$", source(name), flags=re.M)

    labels = labels_of(page)
    others = {label for other in PAGES if other != page for label in labels_of(other)}
    assert len(labels) == len(set(labels))
    assert not set(labels) & others


def test_spelling():
    files = [*map(str, (ROOT / "book").rglob("*.md")), "README.md", "companion", "tests"]
    done = subprocess.run([sys.executable, "-m", "codespell_lib", *files], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_one_address_everywhere():
    """The address of the repository in _config.yml is the one that all other files give."""
    url = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    files = ["README.md", "CITATION.cff", "pyproject.toml", *(f"{page}.md" for page in PAGES)]
    project = url.rsplit("/", 1)[-1]
    for name in files:
        text = (ROOT / name).read_text(encoding="utf-8")
        for address in re.findall(rf"https://github\.com/[\w.-]+/{project}", text):
            assert address == url, name


def test_the_results_that_chapters_read_are_in_the_package(tmp_path):
    """An installed package must find the stored results: they are declared as its data."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "_results/*.json" in project["tool"]["setuptools"]["package-data"]["companion"]
