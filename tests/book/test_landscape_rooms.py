"""Each demonstration shows its effect, in direction and size, at fixed seeds, and can be drawn."""

import subprocess
import sys

import numpy as np
import pytest

from book.landscape import fit_models, recall_models, simple_models, simple_wins
from book.landscape import harmless_needed_harmful as memory
from book.shared.ledger import ledger
from book.shared.seeds import repeat, spread
from tests.book.pictures import well_formed


def test_polynomial_explodes_at_the_threshold_and_the_smooth_norm_descends_again():
    runs = repeat(fit_models.capacity, 10, counts=(4, 15, 400))
    cubic, threshold, wide = np.median(runs["test"], axis=0)
    assert threshold > 100 * cubic
    assert cubic < wide < 0.1
    assert runs["train"][:, 1:].max() < 1e-12 < runs["train"][:, 0].min()
    assert np.median(runs["norm"][:, 1]) > 10 * np.median(runs["norm"][:, 2])


def test_interpolation_under_an_indifferent_norm_predicts_nothing():
    runs = repeat(fit_models.capacity, 10, counts=(400,), decay=0.0)
    assert runs["train"].max() < 1e-12
    assert np.median(runs["test"]) == pytest.approx(0.5, abs=0.05)


def test_without_noise_there_is_no_peak():
    assert repeat(fit_models.capacity, 3, counts=(15,), noise=0.0)["test"].max() < 1e-10


def test_coin_flips_are_fitted_and_teach_nothing():
    real, coin = (repeat(fit_models.random_labels, 2, share=share) for share in (0.0, 1.0))
    assert real["train"].min() == coin["train"].min() == 1
    assert real["test"].mean() > 0.8
    assert abs(coin["test"].mean() - 0.5) < 0.1
    assert coin["epochs"].mean() > real["epochs"].mean()


def test_a_narrow_network_cannot_fit_coin_flips():
    assert fit_models.random_labels(seed=0, share=1.0, width=4)["train"] < 0.9


def test_random_networks_compute_simple_functions():
    network = simple_wins.parameter_function(seed=0, count=2000)
    coin = simple_wins.parameter_function(seed=0, count=2000, activation="coin")
    assert network["mean_complexity"] < coin["mean_complexity"] - 10
    assert network["balanced"] < coin["balanced"] - 3  # not only because they are unbalanced
    assert network["constant"] > 0.05
    assert network["correlation"] < -0.4
    assert coin["distinct"] == 2000


@pytest.mark.parametrize("count", [7, 1500])
def test_any_number_of_networks_is_drawn(count):
    """Networks are drawn a thousand at a time; the last part may be smaller."""
    found, times = simple_wins.random_functions(seed=0, count=count)
    assert times.sum() == count
    assert len(found) == len(times) == simple_wins.parameter_function(seed=0, count=count)["distinct"]


def test_a_shortcut_that_never_fails_has_no_minority():
    assert np.isnan(memory.spurious(seed=0, agree=1.0, n=20, steps=2)["final_minority_train"])


@pytest.mark.parametrize(("text", "count"), [("0", 1), ("0001", 2), ("010101", 3), ("0001101001000101", 6)])
def test_lempel_ziv_words(text, count):
    """Parsings by hand: 0, 0·001, 0·1·0101 and 0·001·10·100·1000·101, the example of Lempel and Ziv."""
    assert simple_models.words(text) == count


def test_complexity_is_the_same_read_backwards_and_low_for_constants():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 2, size=32).astype(bool)
    assert simple_wins.complexity(table) == simple_wins.complexity(table[::-1])
    assert simple_wins.complexity(np.ones(32, dtype=bool)) == 5


def test_network_makes_the_linear_model_s_mistakes_first():
    run = simple_wins.linear_first(seed=0, epochs=10)
    half = list(run["epoch"]).index(0.5)
    assert run["easy"][half] > 0.85
    assert run["hard"][half] < 0.4 < 0.65 < run["hard"][-1]
    assert run["r2"][half] > 0.6 > 0.4 > run["r2"][-1]


def test_race_ends_where_the_reduction_says():
    for contexts, expected in ((1, 0.5), (4, 0.93)):
        runs = repeat(simple_wins.race, 4, contexts=contexts)
        assert runs["final"].mean() == pytest.approx(expected, abs=0.06)
        assert runs["final"].mean() == pytest.approx(runs["predicted"].mean(), abs=0.05)
        assert runs["train"].max() < 1e-3


def test_only_the_shared_pathway_generalizes():
    shared, private = (simple_wins.race(seed=0, head_start=head_start) for head_start in (1.0, 16.0))
    assert shared["held_out"] < 0.02
    assert private["held_out"] > 0.3
    assert private["train"] < 1e-3


def test_shared_strength_solves_its_equation():
    for contexts in (1, 2, 5):
        a = simple_models.shared_strength(contexts, 0.02, 3.0)
        assert a + 3.0 * 0.02 * (a / 0.02) ** (1 / contexts) == pytest.approx(1)


def test_signal_before_noise_needs_depth():
    deep, shallow = (simple_wins.signal_or_noise(seed=0, deep=deep) for deep in (True, False))
    assert 2.5 < deep["ratio"] < 4.5
    np.testing.assert_allclose(shallow["rule"], shallow["table"], atol=1e-12)


def test_shared_tasks_speed_each_other_up():
    time = {
        shared: [simple_wins.many_tasks(seed=0, tasks=t, shared=shared)["time"] for t in (1, 4, 16)]
        for shared in (True, False)
    }
    assert time[True][0] > 1.6 * time[True][1] > 1.6 * 1.6 * time[True][2]
    assert time[False][2] == pytest.approx(time[False][0], rel=0.1)
    assert simple_wins.many_tasks(seed=0, tasks=16)["top"] == pytest.approx(4)


def test_simple_feature_fills_more_of_the_representation():
    main, control = (simple_wins.representation(seed=0, control=control) for control in (False, True))
    assert main["simple_right"][-1] == main["complex_right"][-1] == 1
    assert main["gap"] > 0.04
    assert abs(control["gap"]) < 0.03


def test_network_ignores_the_slabs():
    both, slabs = (simple_wins.shortcut(seed=0, simple=simple) for simple in (True, False))
    assert both["slab_shuffled"] > 0.97
    assert both["linear_shuffled"] < 0.6
    assert slabs["plain"] > 0.97
    assert slabs["slab_shuffled"] < 0.6


def test_noise_is_interpolated_under_every_spectrum():
    """How each fares is a demonstration of its own."""
    assert max(memory.overfitting(seed=0, shape=shape, n=25)["train"] for shape in memory.SHAPES) < 1e-12


def test_l2_memory_is_ridge_regression_and_does_not_protect():
    runs = repeat(memory.exceptions, 4)
    assert runs["ridge_gap"].max() < 1e-10
    assert runs["l2"].mean() > 0.9 * runs["none"].mean()
    assert runs["l1"].max() < runs["none"].min() / 100


def test_l2_memory_protects_when_only_exceptions_have_a_private_feature():
    runs = repeat(memory.exceptions, 4)
    assert runs["marked"].max() < runs["none"].min() / 100


def test_slots_protect_once_there_are_enough():
    runs = repeat(memory.exceptions, 4, slot_counts=(0, 15, 20))
    none, few, enough = np.median(runs["slots"], axis=0)
    assert none == pytest.approx(np.median(runs["none"]))
    assert few > 100 * enough


def test_weight_decay_decides_between_memory_rule_and_both():
    none, middle, much = (memory.corrupted(seed=0, decay=decay) for decay in (0.0, 3.0, 10.0))
    assert none["final_given"] == middle["final_given"] == 1
    assert none["final_test"] < 0.8 < 0.9 < middle["final_test"]
    assert much["final_corrected"] > 0.85
    assert much["final_given"] + much["final_corrected"] <= 1
    assert np.isnan(memory.corrupted(seed=0, share=0.0, steps=2)["final_given"])


def test_memory_hides_a_weak_rule_but_not_a_strong_one():
    with_memory = memory.spurious(seed=0, steps=3000)
    without = memory.spurious(seed=0, steps=3000, private=0)
    strong = memory.spurious(seed=0, steps=3000, core=0.2)
    assert with_memory["train"] == without["train"] == 1
    assert with_memory["final_worst"] < 0.1
    assert without["final_worst"] == 1
    assert strong["final_worst"] > 0.9


def test_harm_is_local_for_a_rough_kernel_only():
    rough = repeat(memory.near_duplicates, 2, fresh=2000)
    smooth = repeat(memory.near_duplicates, 2, fresh=2000, power=2.0, bandwidth=0.1)
    assert rough["train"].min() == 1
    assert rough["copies"].min() > 0.8
    assert np.nanmean(rough["error"][:, 6:8]) < 0.02
    assert np.nanmean(smooth["error"][:, 6:8]) > 0.1


def test_celebrities_shorten_the_plateau_unless_attention_is_given():
    none, half, most = (memory.celebrity(seed=0, share=share, steps=130)["time"] for share in (0.0, 0.5, 0.8))
    assert half < 0.8 * none < 0.9 * most
    given = [memory.celebrity(seed=0, share=share, given=True, steps=60)["time"] for share in (0.0, 0.5)]
    assert given[0] < given[1] < half


def test_celebrity_test_loss_is_exact():
    """The closed-form test loss agrees with a sampled one, at a model that training could reach."""
    rng = np.random.default_rng(0)
    d, length = 6, 5
    answer = np.linalg.qr(rng.normal(size=(d, d)))[0]
    matrix, weights = 0.5 * rng.normal(size=(d, d)), rng.dirichlet(np.ones(length))
    x = rng.normal(size=(200_000, length, d))
    miss = np.tensordot(x, weights, axes=(1, 0)) @ matrix.T - x[:, 0] @ answer.T
    assert recall_models.celebrity_loss(matrix, weights, answer) == pytest.approx(np.mean(miss**2), rel=0.01)


def test_a_narrow_representation_serves_one_question_and_episodes_serve_both():
    narrow, wide = (repeat(memory.episodic, 3, width=width) for width in (2, 128))
    assert narrow["first"].mean() > 0.9
    assert narrow["representation"].mean() < 0.62 < 0.7 < wide["representation"].mean()
    np.testing.assert_array_equal(narrow["episodes"], wide["episodes"])
    assert narrow["episodes"].mean() > 0.9


def test_one_example_must_be_kept_whole_four_need_not():
    one, four = (repeat(memory.irrelevant, 2, per_cluster=count, kept=(0.2, 0.4, 1.0)) for count in (1, 4))
    assert one["informed"][:, 1].mean() < one["informed"][:, 2].mean() - 0.3
    assert four["informed"][:, 0].min() > four["informed"][:, 2].max()


def test_bound_grows_with_width_while_the_error_falls():
    small, large = (memory.size_bounds(seed=0, width=width, epochs=12) for width in (4, 64))
    assert large["bound"] > 2 * small["bound"]
    assert large["test"] < small["test"] < small["bound"]
    narrow, wide = (memory.size_bounds(seed=0, width=width, subspace=60, epochs=12) for width in (4, 64))
    assert wide["bound"] == pytest.approx(narrow["bound"], rel=0.15)


def test_rounding_keeps_256_levels():
    values = recall_models.rounded(np.random.default_rng(0).normal(size=5000))
    assert len(np.unique(values)) <= 256


SMALL = {
    "capacity": (fit_models.capacity, {"counts": (3, 15)}),
    "random_labels": (fit_models.random_labels, {"n": 40, "width": 8, "max_epochs": 3}),
    "parameter_function": (simple_wins.parameter_function, {"count": 1000}),
    "linear_first": (simple_wins.linear_first, {"n": 200, "epochs": 2}),
    "race": (simple_wins.race, {"steps": 20}),
    "signal_or_noise": (simple_wins.signal_or_noise, {"steps": 20, "size": 10}),
    "many_tasks": (simple_wins.many_tasks, {"steps": 20}),
    "representation": (simple_wins.representation, {"n": 64, "epochs": 1}),
    "shortcut": (simple_wins.shortcut, {"n": 64, "epochs": 1}),
    "overfitting": (memory.overfitting, {"n": 10}),
    "exceptions": (memory.exceptions, {"n": 60, "d": 5, "slot_counts": (0, 6)}),
    "spurious": (memory.spurious, {"n": 40, "steps": 300, "core": 0.2}),
    "corrupted": (memory.corrupted, {"p": 7, "width": 16, "steps": 10}),
    "near_duplicates": (memory.near_duplicates, {"n": 60, "fresh": 100, "copies": 5}),
    "celebrity": (memory.celebrity, {"steps": 10}),
    "episodic": (memory.episodic, {"n": 40, "epochs": 1}),
    "irrelevant": (memory.irrelevant, {"clusters": 20}),
    "size_bounds": (memory.size_bounds, {"width": 4, "n": 80, "epochs": 1}),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_decides_everything(name):
    demo, settings = SMALL[name]
    first, again, other = (demo(seed=seed, **settings) for seed in (3, 3, 4))
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
    assert any(not np.array_equal(first[key], other[key], equal_nan=True) for key in first)


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_is_required(name):
    demo, settings = SMALL[name]
    with pytest.raises(TypeError, match="seed"):
        demo(**settings)


def test_repeat_stacks_seeds_first_and_needs_one():
    runs = repeat(memory.episodic, (5, 7), n=40, epochs=1)
    assert runs["episodes"].shape == (2,)
    assert runs["episodes"][1] == memory.episodic(seed=7, n=40, epochs=1)["episodes"]
    with pytest.raises(ValueError, match="at least one seed"):
        repeat(memory.episodic, 0)


def test_spread_of_one_run_is_unknown():
    mean, sd = spread(np.array([[1.0, 2.0]]))
    assert list(mean) == [1, 2]
    assert np.isnan(sd).all()


def test_the_landscape_imports_nothing_heavy():
    """The demonstrations are numpy: no torch, no drawing, no notebook comes with them."""
    modules = sorted({demo.__module__ for demo, _ in SMALL.values()})
    code = (
        f"import sys, {', '.join(modules)};"
        "print([m for m in ('torch', 'matplotlib', 'IPython', 'ipywidgets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_at_least_sixteen_demonstrations_each_with_its_functions():
    demonstrations = [claim for claim in ledger() if claim.chapter.startswith("book/landscape/")]
    assert len(demonstrations) >= 16
    assert all(claim.label.startswith("demo-") for claim in demonstrations)
    assert all(claim.source == "published elsewhere" and claim.functions for claim in demonstrations)


def two(run, **settings):
    return repeat(run, 2, **settings)


def spurious_runs():
    runs = {core: tuple(two(memory.spurious, core=core, private=m, steps=200) for m in (300, 0)) for core in (0.1, 0.4)}
    return memory.fig_spurious(*runs[0.1], runs)


PICTURES = {
    "polynomial": lambda: simple_wins.fig_polynomial(
        *(two(fit_models.capacity, counts=fit_models.COUNTS, decay=decay) for decay in (1.0, 0.0))
    ),
    "labels": lambda: simple_wins.fig_labels(fit_models.label_runs((0.0, 1.0), seeds=2)),
    "descent": lambda: simple_wins.descent(17, 1.0),
    "functions": lambda: simple_wins.fig_functions(count=1000),
    "linear-first": lambda: simple_wins.fig_linear(two(simple_wins.linear_first)),
    "race": lambda: simple_wins.fig_race({c: two(simple_wins.race, contexts=c) for c in (1, 2, 4)}),
    "race-state": lambda: simple_wins.race_state(3, 4.0),
    "signal": lambda: simple_wins.fig_signal(
        two(simple_wins.signal_or_noise), two(simple_wins.signal_or_noise, deep=False)
    ),
    "tasks": lambda: simple_wins.fig_tasks(
        *({n: two(simple_wins.many_tasks, tasks=n, shared=together) for n in (1, 4)} for together in (True, False))
    ),
    "representation": lambda: simple_wins.fig_representation(
        two(simple_wins.representation), two(simple_wins.representation, control=True)
    ),
    "shortcut": lambda: simple_wins.fig_shortcut(two(simple_wins.shortcut), two(simple_wins.shortcut, simple=False)),
    "fates": lambda: memory.fig_fates(
        {shape: {n: two(memory.overfitting, shape=shape, n=n) for n in (25, 200)} for shape in memory.SHAPES}
    ),
    "exceptions": lambda: memory.fig_exceptions(
        two(memory.exceptions, slot_counts=(0, 20, 40)), (0, 20, 40), true_count=20
    ),
    "corrupted": lambda: memory.fig_corrupted({d: two(memory.corrupted, decay=d) for d in (0.0, 3.0)}, course=3.0),
    "spurious": spurious_runs,
    "distance": lambda: memory.fig_distance(
        two(memory.near_duplicates), two(memory.near_duplicates, power=2.0, bandwidth=0.1)
    ),
    "plane": lambda: memory.plane(60, "Gaussian"),
    "celebrity": lambda: memory.fig_celebrity(
        *(
            {s: two(memory.celebrity, share=s, given=given, steps=60) for s in (0.0, 0.5)}
            for given in (False, False, True)
        )
    ),
    "episodic": lambda: memory.fig_episodic({w: two(memory.episodic, width=w) for w in (4, 16)}),
    "irrelevant": lambda: memory.fig_irrelevant(
        {c: two(memory.irrelevant, per_cluster=c, kept=(0.2, 0.4, 1.0)) for c in (1, 4)}, (0.2, 0.4, 1.0)
    ),
    "bounds": lambda: memory.fig_bounds(
        *({w: two(memory.size_bounds, width=w, subspace=s) for w in (4, 16)} for s in (None, 20))
    ),
    "handover": lambda: memory.fig_handover(repeat(recall_models.contrast, 1)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_well_formed_and_says_its_numbers(name):
    """Proper XML with a text alternative that holds numbers, none of them unknown."""
    well_formed(PICTURES[name](), numbers=name != "images")
