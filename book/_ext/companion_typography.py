"""A formula keeps its full stop: a browser may otherwise break the line between the two."""

import re

from docutils import nodes

AFTER = re.compile(r"[.,;:!?)\]’”]+|-\w+[.,;:)]*")
BEFORE = re.compile(r"[(\[“‘]+$")


def keep_together(app, doctree, docname):
    """Put each inline formula, an opening bracket before it and punctuation after it into one unbreakable span."""
    for formula in list(doctree.findall(nodes.math)):
        parent = formula.parent
        at = parent.index(formula)
        before = _text(parent, at - 1)
        after = _text(parent, at + 1)
        opening = BEFORE.search(before) if before else None
        closing = AFTER.match(after) if after else None
        if not (opening or closing):
            continue
        span = nodes.inline(classes=["together"])
        if closing:
            parent[at + 1] = nodes.Text(after[closing.end() :])
        if opening:
            parent[at - 1] = nodes.Text(before[: opening.start()])
            span += nodes.Text(opening[0])
        parent[at] = span
        span += formula
        if closing:
            span += nodes.Text(closing[0])


def _text(parent, at):
    """The text that stands there, as a plain string; empty where there is none."""
    return str(parent[at]) if 0 <= at < len(parent) and isinstance(parent[at], nodes.Text) else ""
