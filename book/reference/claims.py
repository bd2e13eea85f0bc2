"""The room of the *Claims ledger*: its list, its counts, its map and its file for machines, made from the ledger."""

from __future__ import annotations

import html
import json
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

import companion
from book.shared import evidence, ledger, proofs
from book.shared.hunts import why_not
from book.shared.ledger import SOURCES, STATUSES, Claim, source
from book.shared.page import Markdown
from book.shared.statements import Statement, statements
from companion._files import write_text

if TYPE_CHECKING:
    from IPython.display import HTML

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
            parts += [f"certified: {_literal(evidence.words(value))}" for value in evidence.certified(claim.label)]
            hunted = evidence.nearest(claim.label)
            parts += [f"nearest counterexample: {_literal(evidence.margin_words(hunted))}"] if hunted else []
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


def certified_rows() -> list[tuple[str, ...]]:
    """The certified numbers: quantity, as printed, enclosure and how; 'not verified' where there is none."""
    return [
        (
            value["what"],
            value["shown"],
            "not verified" if value["low"] is None else _enclosure(value["low"], value["high"]),
            value["how"],
        )
        for value in evidence.stored("certified")["values"]
    ]


def _enclosure(low: float, high: float) -> str:
    return f"{low!r}" if low == high else f"[{low!r}, {high!r}]"


def not_hunted(claims: Iterable[Claim]) -> Markdown:
    """The statements that no search tries to refute, by the reason."""
    by_reason: dict[str, list[str]] = {}
    for claim in claims:
        reason = why_not(claim.label)
        if reason is not None:
            by_reason.setdefault(reason, []).append(_name(claim))
    lines = [f"- {reason[:1].upper()}{reason[1:]}: {', '.join(names)}." for reason, names in by_reason.items()]
    return Markdown("\n".join(lines))


def tier(claim: Claim | None) -> str:
    """How sure a statement is: proved by a machine, proved on the page, checked by numbers only, or open."""
    if claim is None:
        return "definition"
    if proofs.of(claim.label):
        return "machine"
    return {"proved here": "proved", "conjecture": "open"}.get(claim.status, "checked")


TIERS = {
    "machine": "proved on the page and by a machine",
    "proved": "proved on the page",
    "checked": "checked by numbers",
    "open": "conjecture",
    "definition": "definition or remark",
}


MARGIN = 22  # letters that fit a line beside a chapter


def statement_map(claims: Iterable[Claim], page: str = "") -> HTML:
    """Every numbered statement in the order of the book, with an arc to each one that its proof uses.

    Of a `page`: its statements, those that they use and those that use them, in lines that fit its margin; empty if it
    has none. HTML, with the arcs as an SVG whose unit of height is a line, so that it fits a page of any width.
    """
    from IPython.display import HTML  # the book's, not the command's: `companion claims` does without

    entries = {claim.label: claim for claim in claims}
    known = _around(page) if page else statements()
    place: dict[str, int] = {}
    items, arcs, height = [], [], 0
    for label, one in known.items():
        kind = tier(entries.get(label))
        name = re.sub(r"\$[^$]*\$", "…", one.title) or one.kind
        lines = [html.escape(line) for line in (textwrap.wrap(name, MARGIN) if page else [name])]
        away = " elsewhere" if page not in ("", one.page) else ""
        where = f"../{one.page.removeprefix('book/')}.html#{label}"
        items.append(
            f'<li class="tier-{kind}{away}" style="--rows: {len(lines)}">'
            f'<a href="{where}" title="{html.escape(label)}: {TIERS[kind]}">{"<br>".join(lines)}</a></li>'
        )
        place[label], height = height, height + len(lines)
    for label, used in ((label, used) for label, one in known.items() for used in one.uses if used in known):
        low, high = sorted((place[used] + 0.5, place[label] + 0.5))
        depth = 96 - 92 * ((high - low) / height) ** 0.5
        words = f"{known[label].title or label} uses {known[used].title or used}"
        arcs.append(
            f'<path d="M100 {low:g}C{depth:.1f} {low:g} {depth:.1f} {high:g} 100 {high:g}">'
            f"<title>{html.escape(words)}</title></path>"
        )
    if not items:
        return HTML("")
    marks = "".join(f'<li class="tier-{kind}">{words}</li>' for kind, words in TIERS.items())
    legend = f'<ul class="statement-map-legend">{marks}</ul>'
    drawn = (
        f'<div class="statement-map" style="--lines: {height}">'
        f'<svg viewBox="0 0 100 {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="Arcs from each statement to those that its proof uses">{"".join(arcs)}</svg>'
        f"<ol>{''.join(items)}</ol></div>"
    )
    return HTML(f"{drawn}<details><summary>What the marks say</summary>{legend}</details>" if page else legend + drawn)


def _around(page: str) -> dict[str, Statement]:
    """The statements of a page, those that they use and those that use them, in the order of the book."""
    known = statements()
    own = {label for label, one in known.items() if one.page == page}
    used = {label for one in own for label in known[one].uses}
    return {label: one for label, one in known.items() if label in own | used or own.intersection(one.uses)}


def for_machines(claims: Iterable[Claim], found: Mapping[str, Any]) -> dict[str, Any]:
    """The ledger as data, one entry a claim by its label; `claims.schema.json` says what each field holds.

    Parameters
    ----------
    found : label -> what running its check found, a list of quantities with limits (`Outcome.quantities`).
    """
    known = statements()
    entries = {}
    for claim in claims:
        one = known.get(claim.label)
        entries[claim.label] = {
            "title": claim.title,
            "kind": one.kind if one else "demonstration",
            "statement": one.text if one else None,
            "page": claim.chapter,
            "source": claim.source,
            "status": claim.status,
            "tier": tier(claim),
            "uses": list(one.uses) if one else [],
            "functions": list(claim.functions),
            "check": {"function": f"{claim.check.__module__}.{claim.check.__name__}", "source": source(claim.check)},
            "breaks": {what: source(check) for what, check in claim.broken.items()},
            "machine_proofs": [f"book/proofs/{proof.file}: {proof.name}" for proof in proofs.of(claim.label)],
            "certified": [
                {key: value for key, value in one.items() if key != "label"} for one in evidence.certified(claim.label)
            ],
            "nearest": evidence.nearest(claim.label),
            "not_hunted": why_not(claim.label),
            "found": found.get(claim.label),
            "rerun": f"pytest tests/book/test_ledger.py -k {claim.label}",
        }
    return {"version": companion.__version__, "command": "companion claims --json FILE", "claims": entries}


def check_all(say: Callable[[str], None], *, markdown: bool, file: Path | None) -> list[str]:
    """What `companion claims` does: run all checks and breaks, say what they found, write it to `file` too.

    Returns the labels of the claims that are not as stated. What lacks a package is named on stderr.
    """
    outcomes, unable = [], list(ledger.missing().items())
    # Rooms load torch only when a claim of theirs runs; what it costs to be without it is said before the others run.
    known = unable or ([("the claims on networks", "torch")] if find_spec("torch") is None else [])
    if known:
        print(_lacking(known), file=sys.stderr)
    for entry in tqdm(ledger.ledger(), desc="claims", unit="claim", leave=False, disable=not sys.stderr.isatty()):
        try:
            outcomes.append(entry.run())
        except ModuleNotFoundError as error:
            unable.append((entry.label, str(error.name)))
    if file:
        found = {outcome.claim.label: outcome.quantities for outcome in outcomes}
        write_text(file, json.dumps(for_machines(ledger.ledger(), found), indent=1) + "\n")
    say((ledger.markdown if markdown else ledger.text)(outcomes))
    failed = [outcome.claim.label for outcome in outcomes if not outcome.holds]
    say(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} claims hold and break as they should")
    if unable:
        print(_lacking(unable), file=sys.stderr)
    return failed


def _lacking(unable: Sequence[tuple[str, str]]) -> str:
    """What was not checked, and the command that brings what it needs."""
    packages = ", ".join(dict.fromkeys(package for _, package in unable))
    what = ", ".join(label for label, _ in unable)
    return f"companion: not checked without {packages} (pip install 'long-tail-companion[networks]'): {what}"


def _literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([*_<>\[\]$\\])", r"\\\1", text)


def _name(claim: Claim) -> str:
    if claim.label.startswith("thm-paper-"):  # these blocks have no number
        return f"{{prf:ref}}`Theorem <{claim.label}>`"
    if claim.label.startswith(PROVED):
        return f"{{prf:ref}}`{claim.label}`"
    return f"`{claim.label}`"
