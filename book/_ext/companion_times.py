"""How long a chapter takes: to read, counted from its words, and to run, as measured when the site was built.

The role `reading-time` says the sum over several pages: {reading-time}`landscape/simple-wins linear/figure1`.
"""

import companion_address
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector

# Prose alone is read faster; this is technical text. A formula in a line counts as words, one on its own as seconds.
WORDS_A_MINUTE, WORDS_A_FORMULA = 180, 2
SECONDS_A_FIGURE, SECONDS_A_DISPLAY = 15, 15
UNREAD = (nodes.literal_block, nodes.raw, nodes.Invisible, nodes.image)


class pending_time(nodes.inline):
    """Where a sum of reading times will stand."""


def reading_time(name, rawtext, text, lineno, inliner, options=None, content=None):
    """The role: pages between blanks, each by its path from the folder of the root document."""
    return [pending_time(rawtext, "", pages=text.split())], []


def minutes(tree):
    """Minutes to read a page: its words, figures and formulas, without code, proofs and folded parts."""
    words, figures, displays = _count(tree)
    return words / WORDS_A_MINUTE + (figures * SECONDS_A_FIGURE + displays * SECONDS_A_DISPLAY) / 60


def _count(node):
    if isinstance(node, nodes.Text):
        return len(node.split()), 0, 0
    if isinstance(node, nodes.math):
        return WORDS_A_FORMULA, 0, 0
    if isinstance(node, nodes.math_block):
        return 0, 0, 1
    if isinstance(node, UNREAD) or node.get("design_component") == "dropdown" or type(node).__name__ == "proof_node":
        return 0, 0, 0
    # of a cell, what is read is its figures' captions
    parts = list(node.findall(nodes.figure)) if "cell" in node.get("classes", ()) else node.children
    words, figures, displays = (sum(count) for count in zip((0, 0, 0), *map(_count, parts), strict=True))
    return words, figures + isinstance(node, nodes.figure), displays


def together(env, pages):
    """The reading time of several pages, in words."""
    folder = env.config.root_doc.rpartition("/")[0]
    return said(sum(minutes(env.get_doctree(f"{folder}/{page}")) for page in pages))


def said(minutes):
    """A number of minutes as a person says it."""
    if minutes >= 52.5:
        halves = max(2, round(minutes / 30))
        return _counted(f"{halves // 2}" + "½" * (halves % 2), "hour")
    return _counted(max(1, round(minutes) if minutes < 20 else 5 * round(minutes / 5)), "minute")


def ran(seconds):
    """Seconds as a person says them."""
    return said(seconds / 60) if seconds >= 90 else _counted(max(1, round(seconds)), "second")


def _counted(number, unit):
    return f"{number} {unit}" + "s" * (str(number) != "1")


def is_chapter(app, docname):
    """Pages with code, but for the front page and the reference."""
    code = "kernelspec" in app.env.metadata.get(docname, {})
    return code and docname != app.config.root_doc and "/reference/" not in docname


def show(app, tree, docname):
    """Handler of `doctree-resolved`: times under a chapter's title, and the sums that a page asks for."""
    for pending in list(tree.findall(pending_time)):
        pending.replace_self(nodes.Text(together(app.env, pending["pages"])))
    if not is_chapter(app, docname):
        return
    text = f"About {said(minutes(app.env.get_doctree(docname)))} to read, proofs and folded parts aside"
    if measured := NbMetadataCollector.get_exec_data(app.env, docname):
        text += f"; its code ran in {ran(measured['runtime'])} for this page"
    line = nodes.paragraph("", f"{text}. ", classes=["chapter-times"])
    links = nodes.inline("", "", classes=["chapter-links"])
    here = "../" * docname.count("/")
    for words, address in (
        ("Run it on Colab", companion_address.colab(app.config, docname)),
        ("Download the notebook", here + companion_address.notebook(docname)),
        ("See the source", companion_address.source(app.config, f"{docname}.md")),
    ):
        links += [nodes.reference("", words, refuri=address, internal=False), nodes.Text(" · ")]
    links.pop()
    line += links
    title = next(iter(tree.findall(nodes.title)))
    title.parent.insert(title.parent.index(title) + 1, line)
