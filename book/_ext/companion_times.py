"""How long a chapter takes: to read, counted from its words, and to run, as measured when the site was built.

The role `reading-time` says the sum over several pages: {reading-time}`landscape/simple-wins linear/figure1`.
"""

import companion_address
from babel.dates import format_timedelta
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector

# Prose alone is read faster; this is technical text. A picture or a formula on its own counts as seconds.
WORDS_A_MINUTE, SECONDS_A_PICTURE = 180, 15
UNREAD = (nodes.literal_block, nodes.raw, nodes.Invisible, nodes.image)


class pending_time(nodes.inline):
    """Where a sum of reading times will stand."""


def reading_time(name, rawtext, text, lineno, inliner, options=None, content=None):
    """The role: pages between blanks, each by its path from the folder of the root document."""
    return [pending_time(rawtext, "", pages=text.split())], []


def seconds(node):
    """Seconds to read a page: its words, figures and formulas, without code, proofs and folded parts."""
    if isinstance(node, nodes.Text):
        return 60 * len(node.split()) / WORDS_A_MINUTE
    if isinstance(node, nodes.math_block):
        return SECONDS_A_PICTURE
    if isinstance(node, UNREAD) or node.get("design_component") == "dropdown" or type(node).__name__ == "proof_node":
        return 0
    # of a cell, what is read is its figures' captions
    parts = node.findall(nodes.figure) if "cell" in node.get("classes", ()) else node.children
    return sum(map(seconds, parts)) + SECONDS_A_PICTURE * isinstance(node, nodes.figure)


def said(seconds, shortest="minute"):
    """Seconds as a person says them, in the largest unit of which there are two, and in `shortest` if there is none.

    >>> said(95), said(420), said(9000), said(0.2, "second")
    ('2 minutes', '7 minutes', '2 hours', '1 second')
    """
    return format_timedelta(seconds, granularity=shortest, threshold=2, locale="en")


def show(app, tree, docname):
    """Handler of `doctree-resolved`: times and links under a chapter's title, and the sums that a page asks for."""
    for pending in list(tree.findall(pending_time)):
        total = sum(seconds(app.env.get_doctree(f"book/{page}")) for page in pending["pages"])
        pending.replace_self(nodes.Text(said(300 * round(total / 300))))  # to five minutes
    if "kernelspec" not in app.env.metadata[docname] or docname == app.config.root_doc or "/reference/" in docname:
        return
    text = f"About {said(seconds(app.env.get_doctree(docname)))} to read, proofs and folded parts aside"
    if measured := NbMetadataCollector.get_exec_data(app.env, docname):
        text += f"; its code ran in {said(measured['runtime'], 'second')} for this page"
    links = {
        "Run it on Colab": companion_address.colab(app.config, docname),
        "Download the notebook": "../" * docname.count("/") + companion_address.notebook(docname),
        "See the source": companion_address.source(app.config, f"{docname}.md"),
    }
    shown = " · ".join(f'<a class="reference external" href="{there}">{words}</a>' for words, there in links.items())
    line = f'<p class="chapter-times">{text}. <span class="chapter-links">{shown}</span></p>'
    title = next(iter(tree.findall(nodes.title)))
    title.parent.insert(title.parent.index(title) + 1, nodes.raw("", line, format="html"))
