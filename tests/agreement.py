"""Whether rows made now are those that were stored: number by number, or as far as another make of CPU allows.

A sum is rounded in another order by another make of CPU (or another version of torch). In linear algebra that stays in
the last digits; training magnifies it until the networks are different ones, drawn from the same law.
"""

import math
from collections import defaultdict

import pytest

from companion.runner.repeat import TIMED

#: where an iterative solver stops: rounding decides when it is near enough
STOPPING = {"iterations": {"rel": 0.1, "nan_ok": True}, "difference": {"abs": 1e-7, "nan_ok": True}}
#: what is counted among, or chosen by, the scores of trained networks: other networks, other counts and choices
CHOSEN = frozenset({"memorized", "discoveries", "removed", "undefined", "count"})  # how many points
CHOSEN |= {"pairs", "strong_pairs", "pair_tests", "pair_trains", "single_pairs"}  # how many pairs
CHOSEN |= {"row", "test_row", "label", "picture", "test_picture"}  # which points are shown
#: shares of such a set, NaN where it is empty
SHARES = frozenset({"halves_memorized", "halves_pairs", "halves_strong", "wrong_of_removed", "tail_of_removed"})
SHARES |= {"fractional", "auc_fractional"}
CLOSE = {"rel": 1e-4, "abs": 1e-9, "nan_ok": True}
RUNS = 5  # fewer stored runs have no range to speak of


def same_networks(then, now):
    """Whether two provenances promise the same trained networks: no torch at all, or one version on one device."""
    torch = [p["versions"].get("torch") for p in (then, now)]
    return torch[0] is None or (torch[0] == torch[1] and then["device"] == now["device"])


def assert_same(stored, made, *, networks):
    """Row by row: names, words, whole numbers and flags are equal; so are measured numbers if `networks` is true.

    Otherwise measured numbers are only numbers here, and `assert_alike` says more; what networks count or choose is
    of its kind. Times are never compared.
    """
    assert len(made) == len(stored)
    for a, b in zip(stored, made, strict=True):
        assert list(a) == list(b)
        for key in a.keys() - TIMED:
            if key in STOPPING:
                assert b[key] == pytest.approx(a[key], **STOPPING[key]), key
            elif key in CHOSEN and not networks:
                assert type(b[key]) is type(a[key]), key
            elif not isinstance(a[key], float):
                assert (type(b[key]), b[key]) == (type(a[key]), a[key]), key
            elif networks:
                assert b[key] == pytest.approx(a[key], **CLOSE), key
            else:
                assert isinstance(b[key], float), key
                assert key in SHARES or math.isnan(b[key]) == math.isnan(a[key]), key


def assert_alike(stored, made, by):
    """The means of one run's measured numbers, over its rows of each group, among those of the stored runs.

    Among: in their range, widened by its width on both sides. That is about five standard deviations for a dozen
    runs: enough to notice a network that is not trained, or not on these data.
    """
    runs = defaultdict(list)
    for seed in sorted({row["seed"] for row in stored}):
        for place, mean in _means([row for row in stored if row["seed"] == seed], by).items():
            runs[place].append(mean)
    for place, mean in _means(made, by).items():
        before = runs[place]
        if len(before) >= RUNS:
            width = max(before) - min(before)
            assert min(before) - width <= mean <= max(before) + width, place


def _means(rows, by):
    """(group, key) -> mean of a measured number in the rows of one run; its logarithm, since a loss has no top."""
    found = defaultdict(list)
    for row in rows:
        group = tuple(row[k] for k in by)
        for key, value in row.items():
            if isinstance(value, float) and key not in by and key not in TIMED and not math.isnan(value):
                found[group, key].append(value)
    means = {place: sum(values) / len(values) for place, values in found.items()}
    return {place: math.log1p(mean) if mean >= 0 else mean for place, mean in means.items()}
