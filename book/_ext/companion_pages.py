"""What a page's tree gets and gives: unbroken formulas, names for folded code, unconfirmed entries, its first words."""

import re

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

AFTER = re.compile(r"[.,;:!?)\]’”]+|-\w+[.,;:)]*")
BEFORE = re.compile(r"[(\[“‘]+$")
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


def keep_together(app, doctree, docname):
    """Handler of `doctree-resolved`: a browser may else break the line between a formula and its full stop.

    Put each inline formula, an opening bracket before it and punctuation after it into one unbreakable span.
    """
    for formula in list(doctree.findall(nodes.math)):
        parent, at = formula.parent, formula.parent.index(formula)
        before, after = _text(parent, at - 1), _text(parent, at + 1)
        opening, closing = BEFORE.search(before), AFTER.match(after)
        if not (opening or closing):
            continue
        span = parent[at] = nodes.inline(classes=["together"])
        if opening:
            parent[at - 1] = nodes.Text(before[: opening.start()])
            span += nodes.Text(opening[0])
        span += formula
        if closing:
            parent[at + 1] = nodes.Text(after[closing.end() :])
            span += nodes.Text(closing[0])


def _text(parent, at):
    """The text that stands there, as a plain string; empty where there is none."""
    return str(parent[at]) if 0 <= at < len(parent) and isinstance(parent[at], nodes.Text) else ""


def first_words(doctree, most=200):
    """The first paragraph of plain words, cut where it is long: what a link to the page shows; empty where none is."""
    for paragraph in doctree.findall(nodes.paragraph):
        words = " ".join(paragraph.astext().split())
        if len(words) > 20 and not paragraph.next_node(nodes.math) and "chapter-times" not in paragraph["classes"]:
            return words if len(words) <= most else words[:most].rpartition(" ")[0] + " …"
    return ""


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


def name_code(app, tree):
    """Handler of `doctree-read`: what folded code makes, rather than that it is code."""
    for cell in tree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code" and "prompt_show" in cell:
            source = cell.next_node(nodes.literal_block)
            made = said(source.astext() if source is not None else "", cell.next_node(nodes.figure) is not None)
            cell["prompt_show"], cell["prompt_hide"] = f"Show {made}", f"Hide {made}"


class Unconfirmed(SphinxDirective):
    """How many entries have a field that no public record confirmed, and each with what its `unverified` names."""

    def run(self):
        entries = self.env.get_domain("cite").bibdata.data.entries
        found = [entry.fields for entry in entries.values() if "unverified" in entry.fields]
        lines = [f"{len(found)} of {len(entries)} entries have a field that no public record confirmed:", ""]
        lines += [
            f"- *{fields['title'].translate(str.maketrans('', '', '{}'))}*: {fields['unverified']}" for fields in found
        ]
        return self.parse_text_to_nodes("\n".join(lines))
