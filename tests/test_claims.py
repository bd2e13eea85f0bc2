"""The ledger: every claim holds, every break makes it fail, and its labels are the book's labels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from companion import claims
from companion.__main__ import main
from tests.book.pages import PAGES

ROOT = Path(__file__).resolve().parents[1]
LEDGER = claims.ledger()
NUMBERED = "theorem|lemma|proposition|corollary|conjecture"
BLOCK = re.compile(rf"^\s*(?:`{{3,}}|:{{3,}})\{{prf:(?:{NUMBERED})\}}[^\n]*\n((?:\s*:[^\n]*\n)*)", re.M)


def book_labels() -> dict[str, str]:
    """Label of every statement of the book -> its page; statements of the paper carry no number, and need no label."""
    found = {}
    for page in PAGES:
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
    assert claim.chapter in PAGES, f"{claim.chapter} is not in _toc.yml"
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


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, 0), ({"check": lambda: -0.5}, 1), ({"breaks": {"nothing": lambda: 0.5}}, 1)],
    ids=["all hold", "a check fails", "a break does not break"],
)
def test_the_command_exits_1_on_a_failure_and_names_it(
    changes: dict[str, object], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`companion claims` prints every entry, and says by its exit code whether the book still stands."""
    monkeypatch.setattr(claims, "ledger", lambda: (good(label="thm-x"), good(label="thm-y", **changes)))
    assert main(["claims"]) == code
    out, err = capsys.readouterr()
    assert "thm-x" in out
    assert f"{2 - code} of 2 claims hold" in out
    assert ("thm-y" in err) == (code == 1)


def test_entries_make_breaks_of_other_arguments() -> None:
    """A check enters the ledger where it is written; each break is that check with the arguments named."""
    entries = claims.Entries()

    @entries.add("thm-x", "x", "book/x", breaks={"slope 2": {"slope": 2.0}})
    def check(*, slope: float = 1.0) -> float:
        return 1.5 - slope

    assert check() == 0.5, "the decorator leaves the check as it is"
    (outcome,) = claims.run(entries)
    assert (outcome.margin, outcome.breaks, outcome.holds) == (0.5, {"slope 2": -0.5}, True)
    assert (outcome.claim.source, outcome.claim.status) == ("ours", "proved here")
