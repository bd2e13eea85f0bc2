"""Captions of figures whose panels are stacked on a phone: "Left:" on a wide page reads "Top:" on a narrow one."""

import re

from docutils import nodes

STACKED = re.compile(r'data-stacked="(\d)x(\d)"')
# Only where the word names a panel: "Left:", "Right, dotted:", "(left)", "top left".
SIDE = re.compile(
    r"\b(?:(?:top|bottom|Top|Bottom) (?:left|right)|Left|Right|Middle)(?=[:,])"
    r"|\b(?:left|right)(?=:)|(?<=\()(?:left|right)(?=[,)])"
)
PLACES = {
    (1, 2): {"left": "top", "right": "bottom"},
    (1, 3): {"left": "top", "middle": "middle", "right": "bottom"},
    (2, 2): {"top left": "first", "top right": "second", "bottom left": "third", "bottom right": "fourth"},
}


def name_places(app, tree, docname):
    """Handler of `doctree-resolved`: each such word in both wordings, of which the style sheet shows one."""
    for figure in tree.findall(nodes.figure):
        found = next((m for raw in figure.findall(nodes.raw) if (m := STACKED.search(raw.astext()))), None)
        places = PLACES.get((int(found[1]), int(found[2])), {}) if found else {}
        for caption in figure.findall(nodes.caption) if places else ():
            for text in list(caption.findall(nodes.Text)):
                text.parent.replace(text, list(both(str(text), places)))


def both(text, places):
    """The text as nodes, with each place in the words of a wide page and of a phone."""
    end = 0
    for side in SIDE.finditer(text):
        word = places.get(side[0].lower())
        if word is None:
            continue
        word = word.capitalize() if side[0][0].isupper() else word
        yield nodes.Text(text[end : side.start()])
        yield nodes.inline("", side[0], classes=["side-by-side"])
        yield nodes.inline("", word, classes=["stacked"])
        end = side.end()
    yield nodes.Text(text[end:])
