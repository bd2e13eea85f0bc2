"""Nearest counterexamples: stored worlds have their margins, searches refute changed statements and not true ones."""

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings, target
from hypothesis import strategies as st

from book.reference import claims as chapter
from book.shared import evidence
from book.shared.certified import pseudo_inverse
from book.shared.hunts import HUNTS, NOT_HUNTED, search, why_not
from book.shared.ledger import ledger
from tests.solver import SOLVED, covered, refuting

STORED = evidence.stored("nearest")["hunts"]
by_label = pytest.mark.parametrize("one", HUNTS, ids=[one.label for one in HUNTS])


@by_label
def test_the_stored_worlds_have_the_stored_margins(one):
    found = STORED[one.label]
    margin, changed = one.measured(found["world"]), one.measured(found["changed_world"], broken=True)
    room = 1e-9 if one.kind == "identity" else 1e-9 + 1e-6 * abs(found["margin"])
    assert abs(margin - found["margin"]) <= room
    assert not one.refuted(margin)
    assert one.refuted(changed), "the changed statement fails in the world that was found against it"
    assert {key: found[key] for key in ("what", "kind", "change")} == {
        "what": one.what,
        "kind": one.kind,
        "change": one.change,
    }


@by_label
def test_a_short_search_from_another_seed_refutes_nothing(one):
    world, margin, _ = search(one, worlds=60, seed=12345)
    assert not one.refuted(margin), world


@pytest.mark.parametrize(
    "one", [one for one in HUNTS if STORED[one.label]["changed_after"] <= 60], ids=lambda o: o.label
)
def test_the_search_refutes_the_changed_statement(one):
    after = STORED[one.label]["changed_after"]
    world, margin, tried = search(one, worlds=10 * after + 200, broken=True)
    assert one.refuted(margin)
    assert tried <= 10 * after + 200
    assert one.measured(world, broken=True) == pytest.approx(margin, abs=1e-9)


@pytest.mark.parametrize("label", ["thm-certificate", "lem-row-counts", "thm-variance", "prop-cluster-law"])
def test_hypothesis_finds_no_counterexample_either(label):
    """A second search, by another hand: hypothesis steers its draws towards small margins."""
    one = next(one for one in HUNTS if one.label == label)

    def world(axis):
        numbers = st.integers(axis.low, axis.high)
        size = int(np.prod(axis.shape))
        listed = st.lists(numbers, min_size=size, max_size=size)
        return listed.map(lambda values: np.reshape(values, axis.shape).tolist()) if axis.shape else numbers

    @settings(max_examples=60)
    @given(st.fixed_dictionaries({name: world(axis) for name, axis in one.space.items()}))
    def hunt(drawn):
        margin = one.measured(drawn)
        if np.isfinite(margin):
            target(-margin)
        assert not one.refuted(margin)

    hunt()


@pytest.mark.parametrize("label", SOLVED)
def test_z3_finds_a_world_against_the_changed_statement_only(label):
    assert refuting(SOLVED[label]()) is None
    assert refuting(SOLVED[label](changed=True))
    assert STORED[label]["none_among"] == covered(label)


def test_the_gap_of_the_certificate_is_exact():
    """1 less the largest P_ii below 1, in rational numbers: no rounding stands between a feature and being resolved."""
    exact = pseudo_inverse(np.array(STORED["thm-certificate"]["world"]["X"])).certificates()
    gap = 1 - max(value for value in exact if value < 1)
    assert float(gap.p) / float(gap.q) == pytest.approx(STORED["thm-certificate"]["margin"], rel=1e-9)
    assert gap > fmpq(1, 10**6)


def test_every_claim_is_hunted_or_says_why_not():
    labels = {claim.label for claim in ledger()}
    listed = [label for several in NOT_HUNTED.values() for label in several]
    hunted = [one.label for one in HUNTS]
    assert len(set(listed + hunted)) == len(listed + hunted)
    assert set(hunted) == set(STORED)
    assert set(listed + hunted) <= labels, "no statement that is gone"
    assert why_not("thm-of-tomorrow") == "no search has been written for it"
    assert why_not("demo-race").startswith("a demonstration")
    assert why_not("thm-certificate") is None
    text = chapter.not_hunted(ledger())
    assert "{prf:ref}`thm-rate`" in text
    assert "thm-certificate" not in text


def test_margins_in_words():
    found = {"what": "x", "kind": "slack", "margin": 0.3127, "change": "y", "changed_after": 22, "none_among": None}
    assert evidence.margin_words(found) == "x: 0.31"
    assert evidence.margin_words({**found, "margin": -2e-16}) == "x: 0, attained"
    assert evidence.margin_words({**found, "kind": "identity", "margin": -3e-13}).startswith("x: below 1e-12")
    assert "in the 22nd world" in evidence.change_words(found)
    assert "in the 111th world" in evidence.change_words({**found, "changed_after": 111})
    assert "z3 proves" in evidence.change_words({**found, "none_among": "any"})
    shown = next(claim for claim in ledger() if claim.label == "lem-fractional").run()._repr_html_()
    assert "The nearest counterexample" in shown
