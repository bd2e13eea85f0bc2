"""What a link to a page shows where it is shared: title, first words, and the front page's matrix as a picture."""

import html

from docutils import nodes

CARD, SIZE = "_static/card.png", (1200, 630)  # drawn by the room of the front page


def tags(app, pagename, title, about, doctree):
    """Open Graph and Twitter tags of a page, as HTML; `about` where its first paragraph has no plain words."""
    site = app.config.html_baseurl
    plain = (p for p in doctree.findall(nodes.paragraph) if not p.next_node(nodes.math) and len(p.astext()) > 20)
    first = next(plain, None)
    words = " ".join(first.astext().split()) if first is not None and pagename != app.config.root_doc else about
    said = words if len(words) <= 200 else words[:200].rpartition(" ")[0] + " …"
    known = {
        "og:type": "article",
        "og:site_name": app.config.project,
        "og:title": title,
        "og:description": said,
        "og:url": f"{site}{pagename}.html",
        "og:image": f"{site}{CARD}",
        "og:image:width": SIZE[0],
        "og:image:height": SIZE[1],
        "og:image:alt": "A long-tailed matrix of dots; two rows that came once flow into a basket that never came.",
        "twitter:card": "summary_large_image",
    }
    return "".join(
        f'<meta {"name" if name.startswith("twitter") else "property"}="{name}" content="{html.escape(str(value))}">\n'
        for name, value in known.items()
    )
