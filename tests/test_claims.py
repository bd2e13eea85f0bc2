"""The ledger: every claim holds, every break makes it fail, and its labels are the book's labels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from companion import claims

ROOT = Path(__file__).resolve().parents[1]
LEDGER = claims.ledger()
NUMBERED = "theorem|lemma|proposition|corollary|conjecture"
BLOCK = re.compile(rf"^\s*(?:`{{3,}}|:{{3,}})\{{prf:(?:{NUMBERED})\}}[^\n]*\n((?:\s*:[^\n]*\n)*)", re.M)


def pages() -> list[str]:
    """Pages of the book, without extension, as _toc.yml lists them."""
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    return re.findall(r"^\s*-?\s*(?:file|root):\s*(\S+)", toc, re.M)


def book_labels() -> dict[str, str]:
    """Label of every statement of the book -> its page; statements of the paper carry no number, and need no label."""
    found = {}
    for page in pages():
        file = ROOT / f"{page}.md"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        for options in BLOCK.findall(text):
            label = re.search(r":label:\s*(\S+)", options)
            assert label or ":nonumber:" in options, f"a numbered statement of {page} has no label"
            if label:
                found[label[1]] = page
    return found


@pytest.mark.parametrize("claim", LEDGER, ids=[claim.label for claim in LEDGER])
def test_claim_holds_and_breaks(claim: claims.Claim) -> None:
    """The check has room, and each stated way to break it does."""
    outcome = claims.run([claim])[0]
    assert outcome.margin > 0
    for name, margin in outcome.breaks.items():
        assert margin <= 0, f"{claim.label} did not break by: {name}"


def test_every_numbered_statement_of_the_book_is_in_the_ledger() -> None:
    """No theorem without a check."""
    assert set(book_labels()) <= {claim.label for claim in LEDGER}


@pytest.mark.parametrize("claim", LEDGER, ids=[claim.label for claim in LEDGER])
def test_every_claim_is_stated_where_it_says(claim: claims.Claim) -> None:
    """The chapter exists, is in the book, and states the claim (demonstrations need no numbered block)."""
    assert claim.chapter in pages(), f"{claim.chapter} is not in _toc.yml"
    if not claim.label.startswith("demo-"):
        assert book_labels().get(claim.label) == claim.chapter


def test_labels_are_unique_and_the_vocabulary_is_kept() -> None:
    """Labels name one claim; source and status come from the two lists."""
    labels = [claim.label for claim in LEDGER]
    assert len(labels) == len(set(labels))
    assert {claim.source for claim in LEDGER} <= set(claims.SOURCES)
    assert {claim.status for claim in LEDGER} <= set(claims.STATUSES)


def test_claims_name_functions_that_exist() -> None:
    """The link from statement to code is not dangling."""
    import importlib

    for claim in LEDGER:
        for dotted in claim.functions:
            module, _, name = dotted.rpartition(".")
            assert hasattr(importlib.import_module(module), name), f"{claim.label}: {dotted}"


def good(**changes: object) -> claims.Claim:
    fields = {
        "label": "thm-x",
        "title": "x",
        "source": "ours",
        "status": "checked",
        "chapter": "book/x",
        "check": lambda: 1.0,
        "breaks": {"nothing": lambda: -1.0},
    }
    return claims.Claim(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"source": "mine"}, "source"), ({"status": "sure"}, "status"), ({"breaks": {}}, "no break")],
)
def test_a_claim_outside_the_vocabulary_is_refused(changes: dict[str, object], message: str) -> None:
    """A typo in source or status, or a claim that nothing can break, does not enter the ledger."""
    with pytest.raises(ValueError, match=message):
        good(**changes)


def test_a_failing_claim_is_seen() -> None:
    """Outcomes tell a failed check and a break that did not break from a claim that holds."""
    assert claims.run([good()])[0].holds
    assert not claims.run([good(check=lambda: -0.5)])[0].holds
    assert not claims.run([good(breaks={"nothing": lambda: 0.5})])[0].holds
    with pytest.raises(ValueError, match="NaN"):
        claims.run([good(check=lambda: float("nan"))])
