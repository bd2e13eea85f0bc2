"""The rooms of *Beyond sums*: what is said of intervals, and figures that say what they show."""

import numpy as np
import pytest

pytest.importorskip("torch")

from book.language import essay, facts, two_hops
from book.shared.seeds import repeat
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
    at, means = two_hops.binned(x, x * 2, np.ones(len(x)))
    assert at == pytest.approx([0.1, 0.5, 1.0])
    assert means == pytest.approx([0.2, 1.0, 2.0])
    found = two_hops.binned(np.array([0.1, 0.15]), np.array([0.0, 1.0]), np.array([4, 1]))
    assert np.concatenate(found) == pytest.approx([0.11, 0.2])


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


def test_trained_features_serve_a_task_that_shares_them_and_no_other():
    same, other = (repeat(essay.transfer, 3, related=related, few=(40,)) for related in (True, False))
    assert (same["trained"] > same["inputs"]).all()
    assert other["trained"].mean() < other["inputs"].mean() - 0.05
    assert same["old"].min() > 0.95


def test_deeper_draws_are_constant_more_often_unless_weights_are_large():
    shallow, deep = (essay.depth(seed=0, hidden=hidden, count=300) for hidden in (1, 8))
    assert deep["all"] < shallow["all"] - 5
    assert deep["constant"] > shallow["constant"] + 0.2
    assert essay.depth(seed=0, hidden=8, count=300, activation="tanh", weight=4.0)["constant"] < 0.01


def test_the_norm_gives_up_first_what_was_seen_once_right_or_wrong():
    none, some = (repeat(essay.norms, 3, decay=decay) for decay in (0.0, 3.0))
    assert (some["norm"] < none["norm"]).all()
    assert (some["pairs"] > 5 * none["pairs"]).all()
    wrong = [repeat(essay.norms, 3, decay=decay, errors=True) for decay in (0.0, 3.0)]
    assert np.array_equal(wrong[0]["training"], none["training"]), "the rows and labels are the same"
    assert (wrong[1]["pairs"] < wrong[0]["pairs"] / 3).all()


def test_one_text_is_four_things_to_four_learners():
    found = essay.objectives(seed=0)
    assert set(found) == set(essay.LEARNERS)
    assert min(right[0] for right in found.values()) > 0.95
    assert found["number"][3] == 1
    assert max(found[key][3] for key in ("squares", "entropy", "similar")) < 0.5
    assert essay.objectives(seed=0, width=5.0)["similar"][3] > 0.9


def test_a_bag_counts_goods_and_not_totals():
    assert essay.bags(np.array([[0, 2, 7], [1, 1, 5]]), 3).tolist() == [[1, 0, 1], [0, 2, 0]]


def test_figures_of_the_essay_say_their_numbers():
    same = repeat(essay.transfer, 2, tasks=2)
    assert f"{same['trained'][:, 0].mean():.2f}" in essay.fig_transfer(same, same).alt
    runs = {decay: repeat(essay.norms, 2, decay=decay) for decay in (0.0, 1.0)}
    assert f"{runs[1.0]['pairs'].mean():.2g}" in essay.fig_norms(runs, runs).alt


@pytest.fixture(scope="module")
def pairs():
    """Two facts of which the weaker one decides: rows as `companion.experiments.two_facts` makes them."""
    rows = []
    for world, first, second in np.ndindex(3, 11, 2):
        mem = {"first": first / 10, "second": (0.25, 1.0)[second]}
        way = mem["weaker"] = min(mem.values())
        said = {"two questions": way, "written": way / 2, "direct": 0.0, "total": way**2}
        for part, decay, kinds in (
            ("hops", 1.0, ("once", "often", "used")),
            ("sums", 0.0, ("rare",)),
            ("sums", 3.0, ("rare",)),
        ):
            rows += [
                {
                    "part": part,
                    "decay": decay,
                    "shown": kind,
                    "world": world,
                    "lacking": "",
                    **mem,
                    "weaker": way,
                    **said,
                }
                for kind in kinds
            ]
    return Result("two-facts", "none", {}, [0], ("part",), rows, [], {})


def test_pairs_are_placed_by_the_weaker_score(pairs):
    low, high = (
        two_hops.at_both(pairs, "two questions", *ends, part="hops", shown="once") for ends in ((0, 0.4), (0.8, 1))
    )
    assert low["mean"] == pytest.approx(np.mean([0, 0.1, 0.2, *[0.25] * 8, 0, 0.1, 0.2, 0.3, 0.4]))
    assert (high["mean"], high["n"]) == (pytest.approx(0.9), 3)


def test_the_figure_of_both_facts_says_its_numbers(pairs):
    alt = two_hops.fig_both(pairs).alt
    found = two_hops.at_both(pairs, "total", 0.8, 0.9, part="sums", decay=3.0)
    assert "Two rare goods, prices, decay 3 " in alt
    assert f"{found['mean']:.2f}" in alt
    assert "Capital told 20 times, in compositions, written " in alt
