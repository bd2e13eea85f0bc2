"""The rooms of *Beyond sums*: what is said of intervals, and figures that say what they show."""

import numpy as np
import pytest

pytest.importorskip("torch")

from book.language import facts, two_hops
from companion.runner.results import Result, interval


def stats(low, high):
    return {"mean": (low + high) / 2, "low": low, "high": high}


@pytest.mark.parametrize(
    ("composed", "known", "said"),
    [
        ((0.95, 1.0), 1.0, "free"),
        ((0.85, 1.0), 1.0, "partly"),
        ((0.2, 0.5), 1.0, "partly"),
        ((0.02, 0.15), 1.0, "nothing"),
        ((0.02, 0.3), 1.0, "open"),
        ((0.02, 0.1), 0.05, "nothing"),
    ],
)
def test_the_verdict_on_a_composition_follows_its_interval(composed, known, said):
    assert two_hops.verdict(stats(*composed), known) == said


def test_the_difference_of_two_means_is_welchs():
    from scipy.stats import ttest_ind

    one, other = np.array([0.1, 0.4, 0.3, 0.5]), np.array([0.2, 0.1, 0.15, 0.1, 0.0])
    found = facts.difference(interval(one.tolist()), interval(other.tolist()))
    expected = ttest_ind(one, other, equal_var=False).confidence_interval()
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert facts.difference(interval([1.0, 1.0]), interval([0.5, 0.5])) == {"mean": 0.5, "low": 0.5, "high": 0.5}


def test_bins_hold_what_falls_in_them():
    x = np.array([0.1] * 5 + [0.5] * 5 + [0.7] * 4 + [1.0] * 5)
    at, means = two_hops.binned(x, x * 2)
    assert at == pytest.approx([0.1, 0.5, 1.0])
    assert means == pytest.approx([0.2, 1.0, 2.0])


TINY = {"worlds": 2, "subsets": 20, "subset_epochs": 1, "epochs": 1, "judged": 1, "rounds": 1, "watched": (1, 2)}
RULES = ("riddle first", "riddle sum")
DRAWN = {
    "growth": (facts.fig_growth, [{"part": "facts", "width": w} for w in (4, 8)] + [{"part": "shuffled", "width": 8}],
               {"part": "facts", "width": 8}, "once"),
    "influence": (facts.fig_influence, [{"part": "influence"}], {"shown": "fact"}, "top"),
    "riddle": (facts.fig_riddle, [{"part": part, "share": s} for part in RULES for s in (0, 0.3)],
               {"part": "riddle sum", "share": 0.3, "shown": "every word"}, "riddle"),
    "ways": (lambda r: two_hops.fig_ways(r, 1, 0.0), [{"part": "hops"}], {"shown": "used"}, "direct"),
    "sums": (two_hops.fig_sums, [{"part": "sums", "decay": d} for d in (0.0, 3.0)], {"decay": 3.0}, "two"),
    "scores": (two_hops.fig_scores, [{"part": "scores"}], None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_figures_say_their_numbers(name):
    draw, cells, group, key = DRAWN[name]
    measured = facts.live(*({"width": 8, **cell} for cell in cells), **TINY)
    alt = draw(measured).alt
    if group:
        assert f"{measured.one(**group)[key]['mean']:.2f}" in alt
    else:
        rows = [row for row in measured.select() if row["mem"] < 0.2]
        assert f"direct {np.mean([row['direct'] for row in rows]):.2f}" in alt


def test_intervals_over_worlds_average_each_world_first():
    rows = [{"part": "x", "world": w, "a": v} for w, v in ((0, 0.0), (0, 0.5), (0, 1.0), (1, 1.0), (2, 0.0))]
    found = facts.over_worlds(Result("language", "none", {}, [0], ("part",), rows, [], {}), "a", part="x")
    assert (found["mean"], found["n"]) == (0.5, 3)
