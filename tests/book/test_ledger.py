"""The ledger: every claim holds, every break makes it fail, and its labels are the book's labels."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from book.shared import ledger
from book.shared.ledger import Claim, Found, at_least, at_most, between, claim, exactly
from companion.__main__ import main
from tests.book.pages import PAGES

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ledger.ledger()
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


@pytest.mark.parametrize("entry", LEDGER, ids=[entry.label for entry in LEDGER])
def test_claim_holds_and_breaks(entry: Claim) -> None:
    """What the check finds is within the limits of the statement, and each stated way to break it leaves them."""
    outcome = entry.run()
    assert all(quantity.holds for quantity in outcome.found), repr(outcome)
    for name, found in outcome.broken.items():
        assert not all(quantity.holds for quantity in found), f"{entry.label} did not break by: {name}; {found}"
    if not entry.label.startswith("demo-"):
        assert not outcome.toothless, f"{entry.label}: no change makes these fail: {outcome.toothless}"
    for words, factor in entry.teeth.items():
        quantities = [quantity for quantity in outcome.found if words in quantity.what]
        assert quantities, f"{entry.label} has no quantity {words!r}"
        assert not any(quantity.drawn_in(factor).holds for quantity in quantities), f"{entry.label}: {words!r} holds"
    for words in entry.blunt:
        assert any(words in quantity.what for quantity in outcome.found), f"{entry.label} has no quantity {words!r}"


def test_the_source_of_a_break_is_the_same_in_every_run() -> None:
    """No argument is shown by its address in memory: a function has a name or an expression."""
    shown = [ledger.source(check) for entry in LEDGER for check in entry.broken.values()]
    assert not [text for text in shown if re.search(r"<.* at 0x", text)]
    assert any("rate(exponent=lambda " in text for text in shown)


@pytest.mark.parametrize("entry", LEDGER, ids=[entry.label for entry in LEDGER])
def test_a_term_is_changed_by_a_plausible_factor(entry: Claim) -> None:
    """Every factor of a check (an argument that is 1.0) is dropped, or moved by at most two, in some break."""
    parameters = inspect.signature(entry.check).parameters.items()
    factors = {name for name, p in parameters if type(p.default) is float and p.default == 1}
    tried: dict[str, list[float]] = {name: [] for name in factors}
    for check in entry.broken.values():
        for name, value in getattr(check, "keywords", {}).items():
            tried.get(name, []).append(value)
    plausible = (any(v == 0 or 0.5 <= v <= 2 for v in values) for values in tried.values())
    assert entry.label.startswith("demo-") or all(plausible), f"{entry.label}: {tried}"


def test_a_quantity_without_teeth_is_seen() -> None:
    """A second quantity that the break leaves alone needs a factor or a reason; a factor has to be plausible."""

    def check(value: float = 1.0) -> list[Found]:
        return [at_least("slope", value, 0), at_most("bound", 0.9, 1)]

    plain, toothed, excused = (
        Claim("thm-x", "x", check, **more)  # type: ignore[arg-type]
        for more in ({}, {"teeth": {"bound": 0.8}}, {"blunt": {"bound": "it is attained only in the limit"}})
    )
    for entry in (plain, toothed, excused):
        entry.breaks("nothing", value=-1.0)
    assert plain.run().toothless == ["bound"]
    assert not toothed.run().toothless
    assert "drawn in by 0.8" in toothed.run()._repr_html_()
    assert not excused.run().toothless
    assert Claim("thm-x", "x", check, teeth={"bound": 0.95}, broken=plain.broken).run().toothless == ["bound"]
    with pytest.raises(ValueError, match=r"from 0\.5"):
        Claim("thm-x", "x", check, teeth={"bound": 0.1})


def test_every_numbered_statement_of_the_book_is_in_the_ledger() -> None:
    """No theorem without a check."""
    assert set(book_labels()) <= {claim.label for claim in LEDGER}


@pytest.mark.parametrize("claim", LEDGER, ids=[claim.label for claim in LEDGER])
def test_every_claim_is_stated_where_it_says(claim: Claim) -> None:
    """The chapter exists, is in the book, and states the claim (demonstrations need no numbered block)."""
    assert claim.chapter in PAGES, f"{claim.chapter} is not in _toc.yml"
    if not claim.label.startswith("demo-"):
        assert book_labels().get(claim.label) == claim.chapter


def test_labels_are_unique_and_the_vocabulary_is_kept() -> None:
    """Labels name one claim; source and status come from the two lists."""
    labels = [claim.label for claim in LEDGER]
    assert len(labels) == len(set(labels))
    assert {claim.source for claim in LEDGER} <= set(ledger.SOURCES)
    assert {claim.status for claim in LEDGER} <= set(ledger.STATUSES)


def test_claims_name_functions_that_exist() -> None:
    """The link from statement to code is not dangling."""
    import importlib

    for entry in LEDGER:
        for dotted in entry.functions:
            module, _, name = dotted.rpartition(".")
            assert hasattr(importlib.import_module(module), name), f"{entry.label}: {dotted}"


def names_used(check: Callable[..., object]) -> set[str]:
    """Names that a check uses, and what it calls of the book, and so on."""
    names: set[str] = set()
    todo, done = [inspect.unwrap(check)], set()
    while todo:
        function = todo.pop()
        if function in done or not isinstance(function, FunctionType):
            continue
        done.add(function)
        codes = [function.__code__]
        while codes:
            code = codes.pop()
            names |= set(code.co_names)
            codes += [const for const in code.co_consts if isinstance(const, CodeType)]
        for thing in [function.__globals__.get(name) for name in names]:
            several = thing.values() if isinstance(thing, dict) else [thing]
            todo += [inspect.unwrap(f) for f in several if getattr(f, "__module__", "").startswith("book.")]
    return names


@pytest.mark.parametrize("entry", LEDGER, ids=[entry.label for entry in LEDGER])
def test_claims_use_the_functions_that_they_name(entry: Claim) -> None:
    """A function that implements a statement is used by its check."""
    unused = [dotted for dotted in entry.functions if dotted.rpartition(".")[2] not in names_used(entry.check)]
    assert not unused, f"{entry.label} names {unused} and does not use them"


def good(value: float = 1.0, broken: float = -1.0, **changes: str) -> Claim:
    fields = {"label": "thm-x", "title": "x", "status": "checked", **changes}
    entry = Claim(check=lambda value=value: at_least("slope", value, 0), **fields)  # type: ignore[arg-type]
    entry.breaks("nothing", value=broken)
    return entry


def bad(**changes: float) -> Claim:
    return good(label="thm-y", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("changes", "message"), [({"source": "mine"}, "source"), ({"status": "sure"}, "status")])
def test_a_claim_outside_the_vocabulary_is_refused(changes: dict[str, str], message: str) -> None:
    """A typo in source or status does not enter the ledger."""
    with pytest.raises(ValueError, match=message):
        good(**changes)


def test_a_claim_without_a_break_is_refused() -> None:
    """Nor does a claim that nothing can break."""
    with pytest.raises(ValueError, match="no break"):
        Claim("thm-x", "x", lambda: at_most("error", 0, 1)).run()


def test_a_label_is_used_once() -> None:
    """A second check under a label of the book is refused, and names both pages."""
    with pytest.raises(ValueError, match=r"thm-forest.*recovery"):
        claim("thm-forest", "x")(good().check)


def test_a_failing_claim_is_seen() -> None:
    """Outcomes tell a failed check and a break that did not break from a claim that holds."""
    assert good().run().holds
    assert not good(value=-0.5).run().holds
    assert not good(broken=0.5).run().holds
    assert good().checked().found == (at_least("slope", 1, 0),)
    with pytest.raises(AssertionError, match="thm-x is not as stated"):
        good(broken=0.5).checked()
    with pytest.raises(ValueError, match="NaN"):
        good(value=float("nan")).run()


def test_limits_are_limits_on_both_sides() -> None:
    """A quantity holds within its limits, ends included, and says in words what they are."""
    assert [between("x", v, 1, 2).holds for v in (0.9, 1, 1.5, 2, 2.1)] == [False, True, True, True, False]
    assert [at_most("x", v, 2).holds for v in (-9, 2, 2.1)] == [True, True, False]
    assert [at_least("x", v, 2).holds for v in (1.9, 2, 9)] == [False, True, True]
    assert [exactly("x", v, 3).holds for v in (2, 3, 4)] == [False, True, False]
    assert not Found("x", float("nan")).holds
    assert str(at_most("largest error", 3.14e-12, 1e-7)) == "largest error: 3.14e-12 (at most 1e-07)"
    assert str(between("slope", 0.25, 0.2, 0.3)) == "slope: 0.25 (at least 0.2, at most 0.3)"
    assert str(exactly("rank", 3, 3)) == "rank: 3 (must be 3)"


def test_a_page_shows_what_was_found_and_the_source() -> None:
    """The visible line is the statement's quantity; the check and what breaks it are folded, markup escaped."""
    entry = Claim("thm-x", "x", lambda slope=1.0: at_most("<b>slope</b>", slope, 2))
    entry.breaks("twice the slope & more", slope=4.0)

    @entry.breaks("another way")
    def another() -> Found:
        return at_most("other", 9, 2)

    shown = entry.checked()._repr_html_()
    assert "&lt;b&gt;slope&lt;/b&gt;: 1 (at most 2)" in shown
    assert "<b>" not in shown
    assert "twice the slope" in shown.lower()
    assert "How this is checked" in shown
    recovery = next(entry for entry in LEDGER if entry.label == "lem-seen-twice").run()._repr_html_()
    assert "@" not in recovery, "the check begins at its def, without the ledger's own words"
    assert re.search(r"<pre><span></span><span class=\"k\">def</span>", recovery)
    assert "another" in shown


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, 0), ({"value": -0.5}, 1), ({"broken": 0.5}, 1)],
    ids=["all hold", "a check fails", "a break does not break"],
)
def test_the_command_exits_1_on_a_failure_and_names_it(
    changes: dict[str, float], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`companion claims` prints every entry, and says by its exit code whether the book still stands."""
    monkeypatch.setattr(ledger, "ledger", lambda: (good(), bad(**changes)))
    assert main(["claims"]) == code
    out, err = capsys.readouterr()
    assert "thm-x" in out
    assert "slope: 1 (at least 0)" in out
    assert f"{2 - code} of 2 claims hold" in out
    assert ("thm-y" in err) == (code == 1)


def test_what_lacks_a_package_is_named_and_the_rest_is_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without torch the claims on networks are left out, by name and with the command that brings it; no failure."""

    def needs_torch() -> Found:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    lacking = Claim("thm-y", "y", needs_torch)
    lacking.breaks("nothing")(needs_torch)
    monkeypatch.setattr(ledger, "ledger", lambda: (good(), lacking))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["claims"]) == 0
    out, err = capsys.readouterr()
    assert "1 of 1 claims hold" in out
    first, last = err.strip().splitlines()
    assert "without torch (pip install 'long-tail-companion[networks]'): the claims on networks" in first
    assert "thm-y" in last
    assert "pip install 'long-tail-companion[networks]'" in last
