"""The room of the *Claims ledger*: its list and its counts, made from the ledger."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from book.shared import proofs
from book.shared.ledger import SOURCES, STATUSES, Claim
from book.shared.page import Markdown

PROVED = ("thm-", "lem-", "prop-", "cor-", "conj-")  # labels of blocks in a chapter; the others name demonstrations


def claims_list(claims: Iterable[Claim]) -> Markdown:
    """The ledger for a book page: chapter by chapter, each statement and function linked to where it is.

    Each entry has an anchor, `check-LABEL`, to which the badge under its statement leads.
    """
    lines: list[str] = []
    for chapter, entries in groupby(claims, key=lambda claim: claim.chapter):
        lines += [f"**{{doc}}`/{chapter}`**", ""]
        for claim in entries:
            code = ", ".join(f"{{py:obj}}`~{name}`" for name in claim.functions)
            checked = "proved by a machine" if proofs.of(claim.label) else ""
            parts = [f"*{', '.join(filter(None, (claim.source, claim.status, checked)))}*"]
            parts += [f"breaks with: {_literal('; '.join(claim.broken))}"]
            parts += [f"code: {code}"] if code else []
            parts += [f"test: `{claim.label}`"] if claim.label.startswith(PROVED) else []
            anchor = f'<span id="check-{claim.label}"></span>'
            lines += [f"- {anchor}{_name(claim)}: {_literal(claim.title)}.", "", f"  {' · '.join(parts)}", ""]
        lines.append("")
    return Markdown("\n".join(lines))


def claims_count(claims: Iterable[Claim]) -> list[tuple[str | int, ...]]:
    """How many statements there are of each status, a row a source and a last row with the sums."""
    count = Counter((claim.source, claim.status) for claim in claims)
    sums = {status: sum(count[source, status] for source in SOURCES) for status in STATUSES}
    rows: list[tuple[str | int, ...]] = [(s, *(count[s, status] for status in STATUSES)) for s in SOURCES]
    return [*rows, ("all", *sums.values())]


def _literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([*_<>\[\]$\\])", r"\\\1", text)


def _name(claim: Claim) -> str:
    if claim.label.startswith("thm-paper-"):  # these blocks have no number
        return f"{{prf:ref}}`Theorem <{claim.label}>`"
    if claim.label.startswith(PROVED):
        return f"{{prf:ref}}`{claim.label}`"
    return f"`{claim.label}`"
