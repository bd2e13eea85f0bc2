"""Printed lines of provenance become sentences of the page, apart from what a chapter's checks print."""

import re

from docutils import nodes

LINE = re.compile(
    r"^(Stored result [\w-]+)(: .*?Renew with: )(companion run [^.\n]*?--fresh|companion run [^A-Z\n]*)(.*)$"
)


def show_provenance(app, tree, docname):
    """Handler of `doctree-resolved`: the lines of `Result.line` leave their stream and become paragraphs."""
    for block in list(tree.findall(nodes.literal_block)):
        if "stream" not in block.get("classes", ()):
            continue
        lines = block.astext().strip("\n").splitlines()
        found = [match for line in lines if (match := LINE.match(line))]
        if found:
            rest = "\n".join(line for line in lines if not LINE.match(line))
            kept = [nodes.literal_block(rest, rest, **block.attributes)] if rest else []
            block.parent.replace(block, [*map(_sentence, found), *kept])


def _sentence(match):
    name, middle, command, rest = match.groups()
    parts = [
        nodes.strong("", name),
        nodes.Text(middle),
        nodes.literal("", command.strip()),
        nodes.Text("." + (f" {rest.strip()}" if rest.strip() else "")),
    ]
    return nodes.paragraph("", "", *parts, classes=["provenance"])
