"""The numbered statements of the book, read from its pages: what they say, and which statements their proofs use."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"^(?P<fence>:{3,})\{prf:(?P<kind>\w+)\} ?(?P<title>[^\n]*)\n(?P<body>.*?)^(?P=fence)\s*$", re.M | re.S
)
LABEL = re.compile(r"^:label: (\S+)$", re.M)
ELSEWHERE = re.compile(r"\*Of \{prf:ref\}`([a-z0-9-]+)`\.\*")  # begins a proof that stands away from its statement
USED = re.compile(r"\{prf:ref\}`(?:[^`<]*<)?([a-z]+-[a-z0-9-]+)>?`")


@dataclass(frozen=True)
class Statement:
    """A numbered statement: label, kind (theorem, ...), page, title, text in MyST, and what its proof uses."""

    label: str
    kind: str
    page: str
    title: str
    text: str
    uses: tuple[str, ...]


@functools.cache
def statements() -> dict[str, Statement]:
    """Label -> statement, in the order of the contents; empty where the pages are not at hand (an installed package).

    A statement uses what its own text and its proof refer to: the proof that follows it, up to the next statement, or
    one in the appendix that names it first.
    """
    contents = HOME.parent / "_toc.yml"
    pages = re.findall(r"book/[\w/-]+", contents.read_text(encoding="utf-8")) if contents.is_file() else []
    found: dict[str, Statement] = {}
    proofs: list[tuple[str, str]] = []
    for page in pages:
        label = ""
        for block in BLOCK.finditer((HOME.parent / f"{page}.md").read_text(encoding="utf-8")):
            if block["kind"] == "proof":
                named = ELSEWHERE.match(block["body"])
                proofs += [(named[1] if named else label, block["body"])]
                continue
            named = LABEL.search(block["body"])
            label = named[1] if named else ""
            if label:
                text = LABEL.sub("", block["body"], count=1).strip()
                found[label] = _using(Statement(label, block["kind"], page, block["title"], text, ()), text)
    for label, body in proofs:
        if label in found:
            found[label] = _using(found[label], body)
    known = {label: [used for used in one.uses if used in found] for label, one in found.items()}
    return {label: Statement(**{**vars(one), "uses": tuple(known[label])}) for label, one in found.items()}


def _using(one: Statement, text: str) -> Statement:
    uses = dict.fromkeys((*one.uses, *(used for used in USED.findall(text) if used != one.label)))
    return Statement(**{**vars(one), "uses": tuple(uses)})
