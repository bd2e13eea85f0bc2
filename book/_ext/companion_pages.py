"""What a page gets and gives: unbroken formulas, names for folded code, its first words."""

import re
from textwrap import shorten

from docutils import nodes

TOGETHER = re.compile(
    r"""([(\[“‘]*)(<span class="math notranslate nohighlight">[^<]*</span>)([.,;:!?)\]’”]+|-\w+[.,;:)]*|)"""
)
SHOWS = (  # what is shown last, or how the cell is built, and its name
    (r"settings_of\(", "the code of the settings"),
    (r"\bexplorer\(", "the code of this explorer"),
    (r"\btable\(", "the code of this table"),
    (r"\.fig_\w+\(|\bpicture\(", "the code of this figure"),
    (r"\bglue\(", "how the numbers in the text are computed"),
    (r"^\s*assert\b", "what is checked here"),
    (r"^(import|from) ", "what is imported here"),
)


def keep_together(app, pagename, templatename, context, doctree):
    """Handler of `html-page-context`: a browser may else break the line between a formula and its full stop.

    Put each inline formula, an opening bracket before it and punctuation after it into one unbreakable span.
    """

    def span(found):
        return f'<span class="together">{found[0]}</span>' if found[1] or found[3] else found[0]

    if doctree is not None:
        context["body"] = TOGETHER.sub(span, context["body"])


def first_words(doctree):
    """The first paragraph of plain words, cut where it is long: what a link to the page shows; empty where none is."""
    for paragraph in doctree.findall(nodes.paragraph):
        words = shorten(paragraph.astext(), 200, placeholder=" …")
        if len(words) > 20 and not paragraph.next_node(nodes.math):
            return words
    return ""


def said(code):
    """What a cell makes, in words that follow "Show". A comment in its first line says it best.

    >>> said("import numpy as np\\n\\ntable([1], [])")
    'the code of this table'
    """
    if comment := re.match(r"# *(\S.*)", code):
        return f"the code: {comment[1].rstrip('.')}"
    return next((name for pattern, name in SHOWS if re.search(pattern, code, re.M)), "how this is computed")


def name_code(app, tree):
    """Handler of `doctree-read`: what folded code makes, rather than that it is code."""
    for cell in tree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code" and "prompt_show" in cell:
            made = said(cell.next_node(nodes.literal_block).astext())
            cell["prompt_show"], cell["prompt_hide"] = f"Show {made}", f"Hide {made}"
