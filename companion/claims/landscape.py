"""The demonstrations of the first part, as claims: each is an effect published elsewhere, measured on a toy.

A check repeats the demonstration over a few seeds and returns how far the effect is beyond the size we ask for,
in units of that size (0: just reached). A break removes the cause and the effect has to go with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion.claims import Claim
from companion.landscape import (
    capacity,
    celebrity,
    corrupted,
    deep_linear,
    episodic,
    exceptions,
    irrelevant,
    linear_first,
    near_duplicates,
    overfitting,
    parameter_function,
    race,
    random_labels,
    representation,
    shortcut,
    size_bounds,
    spurious,
)
from companion.landscape.seeds import repeat

CLASSICAL = "book/landscape/classical"
SIMPLE = "book/landscape/simple-wins"
MEMORY = "book/landscape/harmless-needed-harmful"


def mean(demo: Callable[..., dict[str, Any]], key: str, seeds: int, **settings: Any) -> NDArray[np.float64]:
    """Mean over seeds of one result."""
    return repeat(demo, seeds, **settings)[key].mean(axis=0)


def polynomial(n: int = 15) -> float:
    """Degree 14 is a hundred times worse than degree 3 (medians over seeds)."""
    test = np.median(repeat(capacity.run, 20, counts=(4, 15), n=n)["test"], axis=0)
    return float(np.log10(test[1] / test[0]) / 2 - 1)


def double_descent(decay: float = 1.0) -> float:
    """400 features are ten times better than 15, and better than a fifth of predicting zero (0.5)."""
    test = np.median(repeat(capacity.run, 20, counts=(15, 400), decay=decay)["test"], axis=0)
    return float(min(np.log10(test[0] / test[1]), 0.1 / test[1]) - 1)


def fitting_noise(width: int = 128) -> float:
    """Coin flips are fitted to 99 %, and true labels give at least 20 points more on fresh data."""
    real, coin = (repeat(random_labels.run, 3, share=share, width=width) for share in (0.0, 1.0))
    fitted = (coin["train"].mean() - 0.99) / 0.01
    gain = (real["test"].mean() - coin["test"].mean()) / 0.2 - 1
    return float(min(fitted, gain))


def simple_functions(**settings: Any) -> float:
    """A random network's function is 8 units of complexity simpler than 32 coin flips."""
    coin = mean(parameter_function.run, "mean_complexity", 2, count=2000, activation="coin")
    drawn = mean(parameter_function.run, "mean_complexity", 2, count=2000, **settings)
    return float((coin - drawn) / 8 - 1)


def linear_phase(linear: float = 0.8) -> float:
    """Half an epoch in, a linear map explains at least 0.3 more of the output than at the end."""
    r2 = mean(linear_first.run, "r2", 2, linear=linear, epochs=8)
    return float((r2[4] - r2[-1]) / 0.3 - 1)


def race_won(**settings: Any) -> float:
    """The shared pathway ends 0.3 above half of the work."""
    return float((mean(race.run, "final", 4, **settings) - 0.5) / 0.3 - 1)


def signal_first(deep: bool = True) -> float:
    """The random table takes twice as long to half its loss as the rule."""
    return float(mean(deep_linear.signal_or_noise, "ratio", 3, deep=deep) / 2 - 1)


def tasks_help(shared: bool = True) -> float:
    """Sixteen tasks reach half their loss twice as fast as one."""
    one, many = (mean(deep_linear.many_tasks, "time", 3, tasks=t, shared=shared) for t in (1, 16))
    return float(one / many / 2 - 1)


def representation_gap(control: bool = False) -> float:
    """The simple feature fills 0.04 more of the hidden variance, with both outputs right."""
    runs = repeat(representation.run, 3, control=control)
    learned = runs["complex_right"][:, -1].min() - 0.99
    return float(min(runs["gap"].mean() / 0.04 - 1, learned / 0.01))


def simple_alone(simple: bool = True) -> float:
    """Shuffling the linear coordinate costs 30 points more than shuffling the slabs."""
    runs = repeat(shortcut.run, 3, simple=simple)
    return float((runs["slab_shuffled"] - runs["linear_shuffled"]).mean() / 0.3 - 1)


def three_fates(weak: int = 20, growth: float = 0.5) -> float:
    """From 25 to 200 examples: benign at least halves, tempered changes by less than 2, catastrophic doubles."""
    change = {
        shape: float(
            np.log2(mean(overfitting.run, "excess", 8, shape=shape, n=200, weak=weak, growth=growth))
            - np.log2(mean(overfitting.run, "excess", 8, shape=shape, n=25, weak=weak, growth=growth))
        )
        for shape in overfitting.SHAPES
    }
    return min(-change["spiked"] - 1, 1 - abs(change["power"]), change["exponential"] - 1)


def exceptions_stored(key: str = "l1", slot: int | None = None) -> float:
    """The memory lowers the rule's error a hundredfold."""
    runs = repeat(exceptions.run, 4, slot_counts=(10, 20))
    kept = runs[key] if slot is None else runs["slots"][:, slot]
    return float(np.log10(runs["none"].mean() / kept.mean()) / 2 - 1)


def rule_and_noise(decay: float = 3.0) -> float:
    """Wrong labels are remembered (9 in 10) and unseen pairs answered (8 in 10)."""
    runs = repeat(corrupted.run, 2, decay=decay, steps=250)
    return float(min((runs["final_given"].mean() - 0.9) / 0.1, (runs["final_test"].mean() - 0.8) / 0.2))


def memory_hides_rule(core: float = 0.05) -> float:
    """Without private noise the worst group is 50 points better off."""
    without, with_memory = (
        mean(spurious.run, "final_worst", 2, private=private, core=core, steps=3000) for private in (0, 600)
    )
    return float((without - with_memory) / 0.5 - 1)


def local_harm(**settings: Any) -> float:
    """Copies of a wrong example are wrong 6 times in 10; beyond a distance of 0.16, 1 in 20 at most."""
    runs = repeat(near_duplicates.run, 3, fresh=2000, **settings)
    far = np.nanmean(runs["error"][:, 6:8])
    return float(min(runs["copies"].mean() / 0.6 - 1, 1 - far / 0.05))


def repetition_helps(share: float = 0.5, given: bool = False) -> float:
    """A celebrity in a share of the inputs shortens the plateau by a fifth."""
    none, some = (mean(celebrity.run, "time", 2, share=s, given=given, steps=130) for s in (0.0, share))
    return float(none / some / 1.25 - 1)


def episodes_reused(against: str = "backward") -> float:
    """Looking up episodes answers the reversed question 50 points more often."""
    runs = repeat(episodic.run, 3)
    return float((runs["episodic"] - runs[against]).mean() / 0.5 - 1)


def size_punished(subspace: int | None = None) -> float:
    """From 4 to 64 units the bound rises by half, although the test error falls."""
    small, large = (repeat(size_bounds.run, 2, width=width, subspace=subspace, epochs=12) for width in (4, 64))
    risen = np.log2(large["bound"].mean() / small["bound"].mean()) / np.log2(1.5) - 1
    return float(min(risen, np.log2(small["test"].mean() / large["test"].mean())))


def forgetting_costs(per_cluster: int = 1) -> float:
    """Forgetting six tenths of each example, as cleverly as possible, costs 25 points of accuracy."""
    informed = mean(irrelevant.run, "informed", 3, per_cluster=per_cluster, kept=(0.4, 1.0))
    return float((informed[1] - informed[0]) / 0.25 - 1)


def demonstration(
    label: str,
    title: str,
    chapter: str,
    check: Callable[[], float],
    breaks: dict[str, Callable[[], float]],
    *modules: str,
) -> Claim:
    """A claim with what all demonstrations have in common."""
    functions = tuple(f"companion.landscape.{name}" for name in modules)
    return Claim(f"demo-{label}", title, "published elsewhere", "checked", chapter, check, breaks, functions)


CLAIMS = (
    demonstration(
        "polynomial",
        "A polynomial with as many coefficients as points predicts badly",
        CLASSICAL,
        polynomial,
        {"200 points instead of 15": lambda: polynomial(n=200)},
        "capacity.run",
    ),
    demonstration(
        "double-descent",
        "Far beyond the number of points, the smallest-norm interpolator predicts well again",
        CLASSICAL,
        double_descent,
        {"a norm without a taste for smoothness": lambda: double_descent(decay=0.0)},
        "capacity.run",
    ),
    demonstration(
        "random-labels",
        "A network that generalizes from true labels also fits coin flips",
        CLASSICAL,
        fitting_noise,
        {"four hidden units a layer": lambda: fitting_noise(width=4)},
        "random_labels.run",
    ),
    demonstration(
        "parameter-function",
        "Random weights compute simpler functions than coin flips do",
        SIMPLE,
        simple_functions,
        {
            "large weights in a tanh network": lambda: simple_functions(activation="tanh", weight=20.0),
            "coin flips instead of a network": lambda: simple_functions(activation="coin"),
        },
        "parameter_function.run",
        "parameter_function.complexity",
    ),
    demonstration(
        "linear-first",
        "Early in training a network is nearly a linear model",
        SIMPLE,
        linear_phase,
        {"no linear part in the labels": lambda: linear_phase(linear=0.0)},
        "linear_first.run",
    ),
    demonstration(
        "race",
        "The pathway that serves more contexts takes the work",
        SIMPLE,
        race_won,
        {
            "one context only": lambda: race_won(contexts=1),
            "private pathways start 16 times stronger": lambda: race_won(head_start=16.0),
        },
        "race.run",
        "race.shared_strength",
    ),
    demonstration(
        "shared-signal",
        "A shared signal is learned before random labels of the same size",
        SIMPLE,
        signal_first,
        {"a single layer": lambda: signal_first(deep=False)},
        "deep_linear.signal_or_noise",
    ),
    demonstration(
        "many-tasks",
        "Tasks that share a feature are learned faster together",
        SIMPLE,
        tasks_help,
        {"tasks without a common feature": lambda: tasks_help(shared=False)},
        "deep_linear.many_tasks",
    ),
    demonstration(
        "representation",
        "A simple feature fills more of the representation even when both are learned",
        SIMPLE,
        representation_gap,
        {"two equally complex features": lambda: representation_gap(control=True)},
        "representation.run",
    ),
    demonstration(
        "shortcut",
        "Of two sufficient features a network uses the simpler one alone",
        SIMPLE,
        simple_alone,
        {"no simple feature": lambda: simple_alone(simple=False)},
        "shortcut.run",
    ),
    demonstration(
        "overfitting",
        "Interpolated noise is benign, tempered or catastrophic by the spectrum",
        MEMORY,
        three_fates,
        {"one weak direction an example at every size": lambda: three_fates(weak=1, growth=0.0)},
        "overfitting.run",
    ),
    demonstration(
        "exceptions",
        "A separate memory for exceptions protects the rule",
        MEMORY,
        exceptions_stored,
        {
            "a memory under the l2 norm": lambda: exceptions_stored("l2"),
            "half the slots": lambda: exceptions_stored(slot=0),
        },
        "exceptions.run",
        "exceptions.l1_memory",
    ),
    demonstration(
        "corrupted",
        "A network remembers wrong labels and learns the rule from the right ones",
        MEMORY,
        rule_and_noise,
        {
            "no weight decay": lambda: rule_and_noise(decay=0.0),
            "too much weight decay": lambda: rule_and_noise(decay=10.0),
        },
        "corrupted.run",
    ),
    demonstration(
        "spurious",
        "With a shortcut at hand, memorizing the rest replaces learning the rule",
        MEMORY,
        memory_hides_rule,
        {"a true feature four times larger": lambda: memory_hides_rule(core=0.2)},
        "spurious.run",
    ),
    demonstration(
        "near-duplicates",
        "The harm of a memorized mistake is local",
        MEMORY,
        local_harm,
        {"a kernel too smooth to bend near one point": lambda: local_harm(power=2.0, bandwidth=0.1)},
        "near_duplicates.run",
    ),
    demonstration(
        "celebrity",
        "Repeated inputs shorten the wait for attention",
        MEMORY,
        repetition_helps,
        {
            "attention given from the start": lambda: repetition_helps(given=True),
            "too much repetition": lambda: repetition_helps(share=0.8),
        },
        "celebrity.run",
    ),
    demonstration(
        "episodic",
        "Stored episodes answer questions that training never asked",
        MEMORY,
        episodes_reused,
        {
            "asked in the trained direction": lambda: episodes_reused("forward"),
            "the same weights, transposed": lambda: episodes_reused("transposed"),
        },
        "episodic.run",
    ),
    demonstration(
        "irrelevant",
        "One example of a cluster has to be kept whole, irrelevant bits included",
        MEMORY,
        forgetting_costs,
        {"four examples of each cluster": lambda: forgetting_costs(per_cluster=4)},
        "irrelevant.run",
    ),
    demonstration(
        "size-bounds",
        "A bound that counts weights punishes width although the test error falls",
        MEMORY,
        size_punished,
        {"training in 60 random directions": lambda: size_punished(subspace=60)},
        "size_bounds.run",
        "size_bounds.occam",
    ),
)
