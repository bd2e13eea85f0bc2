"""Proofs that a proof assistant has checked: the theorems of ``book/proofs/*.v`` and the statements that they are of.

Above each theorem stands a comment with the label of the statement in the book and a *variant* that must not compile::

    (* thm-certificate. What it says, in words.
       Must fail: old ==> new *)
    Theorem certificate ... Proof. ... Qed.

``make proofs`` compiles every file with Coq and MathComp, lists the axioms used (none), and tries the variants.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parents[1] / "proofs"
ENTRY = re.compile(
    r"\(\* (?P<label>[a-z]+-[a-z-]+)\. (?P<words>(?:(?!\*\)).)*?)\s+"
    r"Must fail: (?P<old>(?:(?!\*\)).)*?) ==> (?P<new>[^\n]*?) \*\)\n"
    r"(?P<statement>Theorem (?P<name>\w+).*?\n)(?P<proof>Proof\b.*?Qed\.)",
    re.DOTALL,
)


class Proof(NamedTuple):
    """A theorem of a Coq file: the label it is of, what it says, its source, and the variant that must not compile."""

    label: str
    words: str
    name: str
    file: str
    statement: str
    proof: str
    old: str
    new: str
    before: str

    @property
    def variant(self) -> str:
        """The statement with the variant's change."""
        return self.statement.replace(self.old, "" if self.new == "nothing" else self.new, 1)


@functools.cache
def proofs() -> tuple[Proof, ...]:
    """Every theorem of ``book/proofs`` that a statement of the book names, file by file."""
    found = []
    for file in sorted(FOLDER.glob("*.v")):
        source = file.read_text(encoding="utf-8")
        for match in ENTRY.finditer(source):
            parts = {key: match[key] for key in ("label", "name", "statement", "proof", "old", "new")}
            words = re.sub(r"\s+", " ", match["words"])
            found.append(Proof(**parts, words=words, file=file.name, before=source[: match.start()]))
    return tuple(found)


def of(label: str) -> list[Proof]:
    """The theorems that are of the statement `label`; none for most statements."""
    return [proof for proof in proofs() if proof.label == label]
