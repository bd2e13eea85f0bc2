"""What pages say of weight decay follows from intervals, in one place."""

import numpy as np
import pytest

from book.networks import table1
from book.reference import against
from book.shared.networks import effect, factor, ratios
from companion.runner import results
from tests.pictures import checked, made


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (2.1, 9, "large"),
        (1.1, 9, "present"),
        (0.9, 9, "not resolved"),
        (0.9, 1.1, "absent"),
        (0.5, 0.7, "reversed"),
        (0.7, 1.1, "not resolved"),
        (1.01, 1.02, "present"),
        (np.nan, np.nan, "one draw"),
    ],
)
def test_the_verdict_is_the_intervals(low, high, word):
    assert effect({"low": low, "high": high}) == word


def test_a_factor_is_a_mean_of_logarithms():
    of = factor([0.5, 2.0])
    assert of["mean"] == pytest.approx(1)
    assert of["low"] * of["high"] == pytest.approx(1)
    assert of["high"] == pytest.approx(2**12.7062, rel=1e-4)


def test_runs_are_paired_by_their_seed():
    rows = [
        {"weight_decay": wd, "seed": s, "composition": loss}
        for wd, s, loss in ((0.0, 0, 1), (0.0, 1, 2), (0.5, 1, 8), (0.5, 0, 3))
    ]
    stored = made("table1", ("weight_decay",), rows)
    np.testing.assert_allclose(ratios(stored, "composition", {"weight_decay": 0.5}, {"weight_decay": 0.0}), [3, 4])


def test_evidence_has_every_stored_comparison():
    found = table1.evidence()
    known = {"surrogate", "measured", "table1", "fullsize"}
    assert len({e.source for e in found}) == len(known) == sum(results.path(name, "cpu").is_file() for name in known)
    assert {source for source, *_ in against.DECAYED} < {e.source for e in found}
    assert {e.word for e in found if e.source == "ResNet, the paper's size"} == {"one draw"}
    checked(table1.fig_dose())


def test_pages_take_the_verdict_from_the_stored_runs(monkeypatch):
    """Other runs, another verdict: nothing of it is typed."""
    real = results.load("surrogate", "cpu")
    turned = made("surrogate", real.by, [{**row, "composition": 1 / row["composition"]} for row in real.rows])
    before = {row[0]: row[-1] for row in against.against_networks()}
    load = results.load
    monkeypatch.setattr(results, "load", lambda name, *a, **k: turned if name == "surrogate" else load(name, *a, **k))
    assert table1.verdict("sum").word == "reversed"
    after = {row[0]: row[-1] for row in against.against_networks()}
    assert {said for said in before if before[said] != after[said]} == {s for s in before if "with small networks" in s}
