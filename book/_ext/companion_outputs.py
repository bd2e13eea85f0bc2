"""Printed lines of provenance become sentences of the page, apart from what a chapter's checks print."""

import re

from docutils import nodes

LINE = re.compile(
    r"^(Stored result [\w-]+)(: .*?Renew with: )(companion run [^.\n]*?--fresh|companion run [^A-Z\n]*)(.*)$"
)


def show_provenance(app, tree, docname):
    """Handler of `doctree-resolved`: a stream whose every line is one of `Result.line` as paragraphs."""
    for block in list(tree.findall(nodes.literal_block)):
        lines = block.astext().strip().splitlines()
        matches = [LINE.match(line) for line in lines]
        if "stream" in block.get("classes", ()) and lines and all(matches):
            block.parent.replace(block, [_sentence(match) for match in matches])


def _sentence(match):
    name, middle, command, rest = match.groups()
    parts = [
        nodes.strong("", name),
        nodes.Text(middle),
        nodes.literal("", command.strip()),
        nodes.Text("." + (f" {rest.strip()}" if rest.strip() else "")),
    ]
    return nodes.paragraph("", "", *parts, classes=["provenance"])
