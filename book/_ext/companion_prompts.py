"""What the line says behind which code is folded: what the code makes, rather than that it is code."""

import re

from docutils import nodes

SHOWS = (  # what is shown last, or how the cell is built, and its name
    (r"settings_of\(", "the code of the settings"),
    (r"\bexplorer\(", "the code of this explorer"),
    (r"\btable\(", "the code of this table"),
    (r"\.fig_\w+\(|\bpicture\(", "the code of this figure"),
    (r"\.checked\(", "the code of this check"),
    (r"\bglue\(", "how the numbers in the text are computed"),
    (r"\.line\(\)", "how the stored results are read"),
    (r"^\s*assert\b", "what is checked here"),
    (r"^(import|from) ", "what is imported here"),
)


def said(code, figure=False):
    """What a cell makes, in words that follow "Show". A comment in its first line says it best.

    >>> said("import numpy as np\\n\\ntable([1], [])")
    'the code of this table'
    """
    if comment := re.match(r"# *(\S.*)", code):
        return f"the code: {comment[1].rstrip('.')}"
    if figure:
        return "the code of this figure"
    return next((name for pattern, name in SHOWS if re.search(pattern, code, re.M)), "how this is computed")


def name(app, tree):
    """Handler of `doctree-read`."""
    for cell in tree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code" and "prompt_show" in cell:
            source = cell.next_node(nodes.literal_block)
            made = said(source.astext() if source is not None else "", cell.next_node(nodes.figure) is not None)
            cell["prompt_show"], cell["prompt_hide"] = f"Show {made}", f"Hide {made}"
