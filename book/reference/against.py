"""The room of *Paper against ours*: the paper's numbers beside the stored ones, and whether they agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from book.appendix.rates import rate_lines
from book.networks.table1 import verdict
from book.shared.networks import NAMES, factor
from book.shared.page import interval
from book.shared.stored import stored_results
from companion.runner import results
from companion.runner.results import Result


def against_figure1() -> list[tuple[str, str, str]]:
    """What the paper says of Figure 1 (as summarised), what the stored result says, and whether they agree."""
    stored = results.load("figure1")
    alphas = sorted({row["alpha"] for row in stored.summary})
    low, high = alphas[0], alphas[-1]

    def mean(alpha: float, key: str, sigma: float = 0.05) -> float:
        return stored.one(alpha=alpha, sigma=sigma)[key]["mean"]

    def root(alpha: float, key: str, sigma: float = 0.05) -> float:
        return math.sqrt(mean(alpha, key, sigma))

    noise = [root(a, "once_square") / 0.05 for a in alphas if a >= 1.5]
    proportional = max(root(a, "once_square", 0.0) for a in alphas) < 1e-5 and 0.9 < min(noise) <= max(noise) < 1.5
    unresolved = [root(2.0, "once_square_all", sigma) for sigma in (0.0, 0.05)]
    overlap = max(mean(a, "in_distribution") / mean(a, "in_distribution", 0.0) for a in alphas)
    losses = ("in_distribution", "composition")
    small = [interval(stored.one(alpha=high, sigma=0.05)[key], ".4f") for key in losses]
    degrade = all(mean(low, key) > 3 * mean(2.0, key) for key in (*losses, "common_square"))
    return [
        (
            "error of tail features seen once is about proportional to the noise, slightly above it",
            f"resolved ones: {min(noise):.2f} to {max(noise):.2f} times σ for α from 1.5 on, exact for σ = 0",
            _status(proportional),
        ),
        (
            "the same, if all tail features seen once are meant",
            f"all of them, α = 2: {unresolved[0]:.4f} at σ = 0, {unresolved[1]:.4f} at σ = 0.05",
            _status(unresolved[0] < 0.1 * unresolved[1]),
        ),
        (
            "common features are learned well unless α is small",
            f"rms error {root(low, 'common_square'):.3f} at α = {low:g}, {root(2.0, 'common_square'):.4f} at 2",
            _status(root(low, "common_square") > 3 * root(2.0, "common_square")),
        ),
        (
            "in- and out-of-distribution loss are both small for large α",
            f"at α = {high:g}: {' and '.join(small)}",
            _status(max(mean(high, key) for key in losses) < 0.02),
        ),
        (
            "the loss curves for σ = 0 and σ = 0.05 nearly overlap",
            f"in distribution they differ by at most {overlap - 1:.1%}",
            _status(overlap < 1.1),
        ),
        (
            "at α = 1 both losses and the errors go up",
            f"in distribution {mean(low, 'in_distribution'):.3f} against {mean(2.0, 'in_distribution'):.3f} at "
            f"α = 2; two tail features {mean(low, 'composition'):.3f} against {mean(2.0, 'composition'):.4f}",
            _status(degrade),
        ),
    ]


def against_theorems() -> list[tuple[str, str, str]]:
    """What the paper's theorems say of sizes (as summarised), under each reading, at the paper's size or along n."""
    noise, rate, recovered = (results.load(name) for name in ("noise", "rate", "recovery"))

    def mean(result: Result, alpha: float, key: str) -> float:
        return result.one(alpha=alpha)[key]["mean"]

    part = [mean(noise, a, "noise") / mean(noise, a, "k_over_n") for a in (1.5, 2.0, 3.0)]
    whole = [
        (mean(noise, a, "risk") + 0.05**2 * mean(noise, a, "noise")) / (0.05**2 * mean(noise, a, "k_over_n"))
        for a in (1.5, 2.0, 3.0)
    ]
    sizes = sorted({group["n"] for group in rate.summary})
    ends = [rate.one(alpha=2.0, n=n)["risk"]["mean"] for n in (sizes[0], sizes[-1])]
    slope = math.log(ends[1] / ends[0]) / math.log(sizes[-1] / sizes[0])
    law = np.array([rate_lines({"s": 5.0, "width": 10}, 1.5, n) for n in (1e8, 1e12)])
    counted, weighed = (law[:, kind] / law[:, 2:].max(axis=1) for kind in (0, 1))  # over the paper's fraction, along n
    share = mean(recovered, 1.5, "missed_count") / mean(recovered, 1.5, "seen")
    mass = mean(recovered, 1.5, "missed_mass")
    crowded = 1000 - mean(recovered, 2.0, "rows_without_tail") - mean(recovered, 2.0, "rows_with_one_tail")
    return [
        (
            "Lemma 6: most samples hold at most one tail feature",
            f"all but {crowded:.0f} of 1,000 rows at α = 2",
            _status(crowded < 500),
        ),
        (
            "noiseless loss falls as n^-(1 - 1/α), up to logarithms",
            f"at α = 2 as n^{slope:.2f} over four decades; coefficients i^-0.1 make that {-(1 - 0.8 / 2):.2f}",
            _status(abs(slope + (1 - 0.8 / 2)) < 0.05),
        ),
        (
            "noise costs about σ² k/n, read as the part of the loss that noise causes",
            f"{part[0]:.1f}, {part[1]:.1f} and {part[2]:.1f} times that at α = 1.5, 2 and 3",
            _status(max(part) < 10),
        ),
        (
            "the same, read as the whole test loss",
            f"{whole[0]:.0f}, {whole[1]:.0f} and {whole[2]:.0f} times that at σ = 0.05, and more for smaller σ",
            _status(max(whole) < 10),
        ),
        (
            "of the seen tail features 1 - Θ(max{p_k/p_{>k}, p_{>k}² ln² d}) are recovered, read as a mass",
            f"at α = 1.5 the mass left is {mass:.4f}; in theory {weighed[0]:.2g} times that at n = 10^8, "
            f"{weighed[1]:.2g} at 10^12",
            _status(weighed[1] <= weighed[0]),
        ),
        (
            "the same, read as a count",
            f"at α = 1.5 the share left is {share:.3f}; in theory {counted[0]:.2g} times that at n = 10^8, "
            f"{counted[1]:.2g} at 10^12",
            _status(counted[1] <= counted[0]),
        ),
    ]


def largest(name: str) -> Result | None:
    """The stored result of the largest preset there is, smoke left out; None where neither is stored."""
    for preset in ("paper", "cpu"):
        if results.path(name, preset).is_file():
            return results.load(name, preset)
    return None


def against_table1() -> list[tuple[str, str, str, str, str, str]]:
    """Table 1, a row a number: model, weight decay, loss, the paper's number, ours with its interval, status."""
    from companion.experiments import table1

    stored = largest("table1")
    rows = []
    for column, decay in enumerate((0.0, 0.5)):
        for model, printed in table1.PAPER.items():
            for paper, loss, key in zip(printed[column], ("pairs", "training"), ("composition", "train"), strict=True):
                ours, status = "not stored", "not run"
                if stored is not None:
                    got = stored.one(model=model, weight_decay=decay)[key]
                    ours = interval(got, ".4f")
                    status = compared(paper, got["mean"], got["low"], got["high"])
                rows.append((model, f"{decay:g}", loss, f"{paper:.4f}", ours, status))
    return rows


def reproduced_by_width() -> int:
    """How many numbers of Table 1 count as reproduced although their interval holds too much to agree with."""
    stored = largest("table1")
    keys = {"pairs": "composition", "training": "train"}
    found = [
        stored.one(model=model, weight_decay=float(decay))[keys[loss]]
        for model, decay, loss, *_, status in against_table1()
        if stored is not None and status == "reproduced"
    ]
    return sum(_wide(of["mean"], of["low"], of["high"]) for of in found)


def against_fullsize() -> list[tuple[str, str, str, str, str, str]]:
    """The runs of Table 1 at the paper's size, a row a number, as `against_table1`: ours after the last epoch."""
    from companion.experiments import fullsize, table1

    stored = largest("fullsize")
    rows = []
    for model, decay in fullsize.AFFORDED:
        printed = table1.PAPER[model][int(decay > 0)]
        for paper, loss, key in zip(printed, ("pairs", "training"), ("composition", "train"), strict=True):
            ours, status = "not stored", "not run"
            if stored is not None:
                got = stored.one(model=model, weight_decay=decay, epoch=stored.settings["epochs"])[key]
                ours, status = interval(got, ".4f"), compared(paper, got["mean"], got["low"], got["high"])
            rows.append((model, f"{decay:g}", loss, f"{paper:.4f}", ours, status))
    return rows


def compared(paper: float, mean: float, low: float, high: float) -> str:
    """Whether a measured loss meets the paper's: within a factor of two, or inside an interval that says something.

    An interval wider than its own mean on either side (few seeds) holds too much to agree with: *undecided*.
    """
    if 0.5 <= mean / paper <= 2:
        return "reproduced"
    if low <= paper <= high:
        return "undecided" if _wide(mean, low, high) else "reproduced"
    return "differs"


def _wide(mean: float, low: float, high: float) -> bool:
    return high - low > 2 * mean


def against_networks() -> list[tuple[str, str, str]]:
    """What the paper concludes from Figure 2 and Table 1 (as summarised), what is measured, and the status."""
    apart = ("sum", "linear", "2-layer")
    one, two = largest("table1"), largest("figure2")
    nothing = ("not stored", "not run")
    rows = []
    if one is not None:

        def pairs(model: str, decay: float) -> float:
            return one.one(model=model, weight_decay=decay)["composition"]["mean"]

        gap = min(pairs("cross-channel", wd) / pairs(model, wd) for model in apart for wd in (0.0, 0.5))
        rows.append((f"at least {gap:.1f} times the loss of any other model", _status(gap > 2)))
    else:
        rows.append(nothing)
    for source in ("small networks", "ResNet, Table 1"):
        known = [e for e in (verdict(model, source) for model in apart) if e]
        shown = ", ".join(f"{NAMES[e.model]} {e.said}" for e in known)
        rows.append((f"loss on pairs, WD 0.5 over WD 0: {shown}", raised(e.word for e in known)) if known else nothing)
    if two is not None:
        often = sorted({group["nine"] for group in two.summary})

        def nines(model: str, nine: float) -> float:
            return two.one(model=model, nine=nine)["nines"]["mean"]

        gap = min(nines("cross-channel", nine) / nines(model, nine) for model in apart for nine in often)
        usual = min(often, key=lambda nine: abs(nine - 0.034))  # about what Zipf's law gives
        worst = max(nines(model, usual) for model in apart)
        constant = math.fsum(row["baseline_nines"] for row in two.rows) / len(two.rows)
        rows += [
            (f"at least {gap:.1f} times the loss of any other model, at each frequency", _status(gap > 1)),
            (
                f"at most {worst:.1f} at probability {usual:g}; a constant has {constant:.1f}",
                _status(worst < constant / 2),
            ),
        ]
    else:
        rows += [nothing, nothing]
    says = (
        "Table 1: the cross-channel model does not compose, with or without weight decay",
        "Table 1, with small networks: weight decay raises the loss on pairs of Sum, Linear and 2-layer",
        "Table 1, with ResNets of width 8: weight decay raises the loss on pairs of Sum, Linear and 2-layer",
        "Figure 2: on unseen '9's the cross-channel model is clearly worse than the three others",
        "Figure 2: the three others do well on unseen '9's although '9' is rare",
    )
    return [(said, *row) for said, row in zip(says, rows, strict=True)]


def against_readings() -> list[tuple[str, str, str, str]]:
    """The four readings of Table 1: which, the losses of the split models on pairs, whether they compose, the numbers.

    Whether they compose is `composing`. Of the numbers the last entry is the worst status of the three (`compared`).
    """
    from companion.experiments.table1 import PAPER

    stored = largest("slots")
    columns = {"composition": "the glyphs in their own channels", "composition_moved": "the glyphs in other channels"}
    rows = []
    for encoders, words in (("shared", "one encoder"), ("separate", "an encoder for each channel")):
        for key, where in columns.items():
            ours, composes, status = "not stored", "not run", "not run"
            if stored is not None:
                got = {group["model"]: group[key] for group in stored.where(encoders=encoders)}
                shown = (f"{model} {interval(loss, '.2f')}" for model, loss in got.items())
                ours, composes = ", ".join(shown), together(composing(stored, encoders, key).values())
                found = {compared(PAPER[m][0][0], v["mean"], v["low"], v["high"]) for m, v in got.items()}
                status = next(word for word in ("differs", "undecided", "reproduced") if word in found)
            rows.append((f"{words}, {where}", ours, composes, status))
    return rows


def composing(stored: Result, encoders: str, key: str) -> dict[str, str]:
    """Whether each split model composes under a reading, from its loss over that of who reads the digit alone.

    The ratio is taken draw by draw. "yes": all of its interval lies below 1; "no": above; else "not resolved".
    """
    found = {}
    for model in dict.fromkeys(row["model"] for row in stored.rows):
        rows = stored.select(model=model, encoders=encoders)
        of = factor([row[key] / row["baseline_reads_digit_best"] for row in rows])
        found[model] = "yes" if of["high"] < 1 else "no" if of["low"] > 1 else "not resolved"
    return found


def together(words: Iterable[str]) -> str:
    """One verdict of several models: "yes" if all say so, "no" if some say no and none yes, else "not resolved"."""
    said = set(words)
    return "yes" if said == {"yes"} else "no" if "no" in said and "yes" not in said else "not resolved"


def tally(*tables: Sequence[tuple[str, ...]]) -> Counter[str]:
    """How many rows of these tables have each status, which is their last entry."""
    return Counter(row[-1] for rows in tables for row in rows)


def unconfirmed(rows: Sequence[tuple[str, str, str]]) -> str:
    """A sentence on the conclusions of `against_networks` that are not reproduced, those on one claim together.

    >>> unconfirmed([("Table 1, once: it grows", "by 1.1", "undecided"), ("Table 1, again: it grows", "", "undecided")])
    'It stays undecided whether it grows (Table 1, once; Table 1, again)'
    """
    found: dict[tuple[str, str], list[str]] = {}
    for said, _, status in rows:
        where, _, what = said.partition(": ")
        if status != "reproduced":
            found.setdefault((status, what), []).append(where)
    start = {"undecided": "It stays undecided whether", "differs": "We do not find that"}
    lines = [f"{start.get(s, 'It was not tested whether')} {what} ({'; '.join(at)})" for (s, what), at in found.items()]
    return ". ".join(lines) or "Every conclusion about networks is confirmed"


def raised(words: Iterable[str]) -> str:
    """The status of "weight decay raises the loss" from the verdicts on some models (`book.shared.networks.effect`)."""
    said = set(words)
    if said <= {"large", "present"}:
        return "reproduced"
    return "differs" if said & {"reversed", "absent"} else "undecided"


def _status(holds: bool) -> str:
    return "reproduced" if holds else "differs"


def provenance_lines(*names: str) -> list[str]:
    """The line of each stored result of these experiments, the smoke ones left out."""
    return [r.line() for r in stored_results() if r.experiment in names and r.preset != "smoke"]
