"""Which pages the site has: read from the table of contents, so that no page escapes the tests."""

from functools import cache
from pathlib import Path

import jupytext
import yaml

ROOT = Path(__file__).resolve().parents[2]
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


def listed():
    """The documents of _toc.yml in reading order, without extension."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *files]


@cache
def source(page):
    return (ROOT / f"{page}.md").read_text(encoding="utf-8")


def has_code(page):
    return source(page).startswith("---\njupytext:")


@cache
def cells(page):
    """The code of a page's cells, read as the book's own builder reads it."""
    notebook = jupytext.reads(source(page), fmt="md:myst")
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


PAGES = listed()
CHAPTERS = [page for page in PAGES if has_code(page) and "/reference/" not in page]
