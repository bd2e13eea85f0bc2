"""The room of *Paper against ours*: the paper's numbers beside the stored ones, and whether they agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from book.appendix.rates import rate_lines
from book.networks.one_shots import both_encoders
from book.networks.table1 import verdict
from book.shared.networks import NAMES, factor, loss, ratios
from book.shared.page import interval
from book.shared.stored import stored_results
from companion.runner import results
from companion.runner.results import Result

Row = tuple[str, str, str, str]  # what the paper says, what we measure, by which rule, and the status
QUARTER = (0.8, 1.25)  # no change by more than a quarter: "absent" of `book.shared.networks.effect`


def against_figure1() -> list[Row]:
    """What the paper says of Figure 1 (as summarised), what the stored result says, the rule, and the status."""
    stored = results.load("figure1")
    alphas = sorted({row["alpha"] for row in stored.summary})
    first, last = alphas[0], alphas[-1]
    usual = [a for a in alphas if a >= 1.5]

    def of(alpha: float, key: str, sigma: float = 0.05) -> Mapping[str, float]:
        found: Mapping[str, float] = stored.one(alpha=alpha, sigma=sigma)[key]
        return found

    def root(alpha: float, key: str, sigma: float = 0.05, unit: float = 1.0) -> dict[str, float]:
        return {end: math.sqrt(max(of(alpha, key, sigma)[end], 0)) / unit for end in ("mean", "low", "high")}

    def by_noise(alpha: float, key: str) -> dict[str, float]:
        return factor(ratios(stored, key, {"alpha": alpha, "sigma": 0.05}, {"alpha": alpha, "sigma": 0.0}))

    noise = {a: root(a, "once_square", unit=0.05) for a in alphas}
    means = [noise[a]["mean"] for a in usual]
    exact = _status(max(root(a, "once_square", 0.0)["mean"] for a in alphas) < 1e-5)
    above = [lies(noise[a], least=1) for a in usual]
    unresolved = [root(2.0, "once_square_all", sigma) for sigma in (0.0, 0.05)]
    inside = {a: by_noise(a, "in_distribution") for a in alphas}
    outside = {a: (of(a, "composition", 0.0), of(a, "composition")) for a in (first, 2.0, last)}
    losses = ("in_distribution", "composition")
    small = [interval(of(last, key), ".4f") for key in losses]
    common = [root(a, "common_square") for a in (first, 2.0)]
    return [
        (
            "error of tail features seen once is about proportional to the noise",
            f"resolved ones: {min(means):.2f} to {max(means):.2f} times σ for α from 1.5 on, exact for σ = 0 "
            f"({noise[1.25]['mean']:.2f} at α = 1.25, {noise[first]['mean']:.2f} at {first:g})",
            "each interval within 0.8 to 1.25 times σ, from α = 1.5 on",
            worst([exact, *(lies(noise[a], *QUARTER) for a in usual)]),
        ),
        (
            "and it lies slightly above the noise",
            f"with its whole interval in {above.count('reproduced')} of these {len(usual)} values of α, below it in "
            f"{above.count('differs')}",
            "each interval above σ, from α = 1.5 on",
            worst(above),
        ),
        (
            "the same proportionality, if all tail features seen once are meant",
            f"all of them, α = 2: {unresolved[0]['mean']:.4f} at σ = 0, {unresolved[1]['mean']:.4f} at σ = 0.05",
            "without noise below a tenth of the error with it",
            lies(span_of(unresolved[0], unresolved[1]), most=0.1),
        ),
        (
            "common features are learned well unless α is small",
            f"rms error {common[0]['mean']:.3f} at α = {first:g}, {common[1]['mean']:.4f} at 2",
            "three times as large at the smallest α as at 2, by the ends of the intervals",
            lies(span_of(common[0], common[1]), least=3),
        ),
        (
            "in- and out-of-distribution loss are both small for large α",
            f"at α = {last:g}: {' and '.join(small)}",
            "both intervals below 0.02",
            worst(lies(of(last, key), most=0.02) for key in losses),
        ),
        (
            "the loss curves for σ = 0 and σ = 0.05 nearly overlap, in distribution",
            f"at most {max(x['mean'] for x in inside.values()) - 1:.1%} apart",
            "each interval of the paired ratio below 1.1",
            worst(lies(x, most=1.1) for x in inside.values()),
        ),
        (
            "the same, out of distribution (our test; a logarithmic axis would show it, a linear one would not)",
            ", ".join(f"{b['mean']:.4f} against {a['mean']:.4f} at α = {alpha:g}" for alpha, (a, b) in outside.items()),
            "each ratio of means below 1.1",
            _status(all(b["mean"] < 1.1 * a["mean"] for a, b in outside.values())),
        ),
        (
            "at α = 1 both losses and the errors go up",
            f"in distribution {of(first, losses[0])['mean']:.3f} against {of(2.0, losses[0])['mean']:.3f} at "
            f"α = 2; two tail features {of(first, losses[1])['mean']:.3f} against {of(2.0, losses[1])['mean']:.4f}",
            "three times as large as at α = 2, by the ends of the intervals",
            worst(lies(span_of(of(first, key), of(2.0, key)), least=3) for key in (*losses, "common_square")),
        ),
    ]


def against_theorems() -> list[Row]:
    """What the paper's theorems say of sizes (as summarised), under each reading, at the paper's size or along n."""
    noise, rate, recovered = (results.load(name) for name in ("noise", "rate", "recovery"))

    def each(result: Result, alpha: float, value: Callable[[Mapping[str, float]], float]) -> dict[str, float]:
        return results.interval([value(row) for row in result.select(alpha=alpha)])

    alphas = (1.25, 1.5, 2.0, 3.0)
    part = {a: each(noise, a, lambda row: row["noise"] / row["k_over_n"]) for a in alphas}
    whole = {
        a: each(noise, a, lambda row: (row["risk"] + 0.05**2 * row["noise"]) / (0.05**2 * row["k_over_n"]))
        for a in alphas
    }
    sizes = sorted({group["n"] for group in rate.summary})
    ends = [{row["seed"]: row["risk"] for row in rate.select(alpha=2.0, n=n)} for n in (sizes[0], sizes[-1])]
    grown = [math.log(ends[1][seed] / ends[0][seed]) / math.log(sizes[-1] / sizes[0]) for seed in ends[0]]
    slope, law = results.interval(grown), -(1 - 0.8 / 2)
    lines = np.array([rate_lines({"s": 5.0, "width": 10}, 1.5, n) for n in (1e8, 1e12)])
    left = {
        "a mass": ("the mass left is", each(recovered, 1.5, lambda row: row["missed_mass"]), 1),
        "a count": ("the share left is", each(recovered, 1.5, lambda row: row["missed_count"] / row["seen"]), 0),
    }
    crowded = each(recovered, 2.0, lambda row: 1000 - row["rows_without_tail"] - row["rows_with_one_tail"])
    shown = {
        name: ", ".join(f"{of['mean']:.{digits}f}" for of in values.values())
        for name, values, digits in (("part", part, 1), ("whole", whole, 0))
    }
    rows = [
        (
            "Lemma 6: most samples hold at most one tail feature",
            f"all but {crowded['mean']:.0f} of 1,000 rows at α = 2",
            "the interval of these rows below 500",
            lies(crowded, most=500),
        ),
        (
            "noiseless loss falls as n^-(1 - 1/α), up to logarithms",
            f"at α = 2 as n^{interval(slope, '.2f', least=-math.inf)} over four decades; coefficients i^-0.1 make "
            f"that {law:.2f}",
            "the interval within 0.05 of that",
            lies(slope, law - 0.05, law + 0.05),
        ),
        (
            "noise costs about σ² k/n, read as the part of the loss that noise causes",
            f"{shown['part']} times that at α = 1.25, 1.5, 2 and 3; the paper asks for α above 2",
            "intervals below ten times that at α = 2 and 3",
            worst(lies(part[a], most=10) for a in (2.0, 3.0)),
        ),
        (
            "the same, read as the whole test loss",
            f"{shown['whole']} times that at σ = 0.05, more for smaller σ",
            "the same",
            worst(lies(whole[a], most=10) for a in (2.0, 3.0)),
        ),
    ]
    for reading, (words, measured, kind) in left.items():
        ratio = lines[:, kind] / lines[:, 2:].max(axis=1)  # our law over the paper's fraction, along n
        says = f"{words} {measured['mean']:.4f} at α = 1.5, n = 1,000; our law over the paper's fraction is"
        says = f"{says} {ratio[0]:.2g} at n = 10^8 and {ratio[1]:.2g} at 10^12"
        fraction = "max{p_k/p_{>k}, p_{>k}² ln² d}"
        rows += [
            (
                f"of the seen tail features at most about {fraction} is not recovered, read as {reading}",
                says,
                "the ratio does not grow (theory, no interval)",
                _status(ratio[1] <= ratio[0]),
            ),
            (
                f"and this is its order (Θ), read as {reading}",
                "the same",
                "the ratio moves by less than a factor of two (theory, no interval)",
                _status(0.5 < ratio[1] / ratio[0] < 2),
            ),
        ]
    return rows


def lies(of: Mapping[str, float], least: float = -math.inf, most: float = math.inf) -> str:
    """Whether a quantity lies in a range, by its interval: all of it inside, all outside, or neither.

    >>> lies({"low": 1.2, "high": 3.0}, least=1), lies({"low": 0.5, "high": 3.0}, least=1)
    ('reproduced', 'undecided')
    """
    if least <= of["low"] and of["high"] <= most:
        return "reproduced"
    return "differs" if of["high"] < least or of["low"] > most else "undecided"


def worst(statuses: Iterable[str]) -> str:
    """The status of several conditions together."""
    said = set(statuses)
    return next((word for word in ("differs", "undecided") if word in said), "reproduced")


def span_of(over: Mapping[str, float], under: Mapping[str, float]) -> dict[str, float]:
    """The widest interval of a ratio that two intervals allow."""
    return {"low": over["low"] / under["high"], "high": over["high"] / under["low"]}


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
            for paper, name, key in zip(printed[column], ("pairs", "training"), ("composition", "train"), strict=True):
                ours, status = "not stored", "not run"
                if stored is not None:
                    got = loss(stored, key, model=model, weight_decay=decay)
                    ours = interval(got, ".4f")
                    status = compared(paper, got["mean"], got["low"], got["high"])
                rows.append((model, f"{decay:g}", name, f"{paper:.4f}", ours, status))
    return rows


def reproduced_by_width() -> int:
    """How many numbers of Table 1 count as reproduced although their interval holds too much to agree with."""
    stored = largest("table1")
    keys = {"pairs": "composition", "training": "train"}
    found = [
        loss(stored, keys[name], model=model, weight_decay=float(decay))
        for model, decay, name, *_, status in against_table1()
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
        for paper, name, key in zip(printed, ("pairs", "training"), ("composition", "train"), strict=True):
            ours, status = "not stored", "not run"
            if stored is not None:
                got = stored.one(model=model, weight_decay=decay, epoch=stored.settings["epochs"])[key]
                near = "within" if 0.5 <= got["mean"] / paper <= 2 else "not within"
                ours, status = interval(got, ".4f"), f"one seed, {near} a factor of two"
            rows.append((model, f"{decay:g}", name, f"{paper:.4f}", ours, status))
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


def met_by_constant() -> list[str]:
    """The reproduced numbers of Table 1 on pairs that the best constant is within a factor of two of, too."""
    stored = largest("table1")
    if stored is None:
        return []
    constant = float(np.mean([row["baseline_best_constant"] for row in stored.rows]))
    return [
        f"{NAMES[model]} at WD {decay}"
        for model, decay, loss, paper, _, status in against_table1()
        if status == "reproduced" and loss == "pairs" and 0.5 <= constant / float(paper) <= 2
    ]


def _wide(mean: float, low: float, high: float) -> bool:
    return high - low > 2 * mean


def against_networks() -> list[Row]:
    """What the paper concludes from Figure 2 and Table 1 (as summarised), what is measured, the rule, the status."""
    apart = ("sum", "linear", "2-layer")
    nothing = ("not stored", "", "not run")
    rows: list[Row] = []
    for words, stored in (("ResNets of width 8", largest("table1")), ("small networks", largest("surrogate"))):
        says = f"Table 1, with {words}: the cross-channel model composes far worse than each of the others"
        if stored is None:
            rows.append((says, *nothing))
            continue
        gaps = {
            (model, wd): factor(ratios(stored, "composition", _cell("cross-channel", wd), _cell(model, wd)))
            for model in apart
            for wd in (0.0, 0.5)
        }
        (model, wd), least = min(gaps.items(), key=lambda item: item[1]["mean"])
        rows.append(
            (
                says,
                f"paired loss, the least of six: {interval(least, '.1f')} times that of {NAMES[model]} at WD {wd:g}, "
                f"{least['n']} draws",
                "all of each interval above 2",
                worst(lies(gap, least=2) for gap in gaps.values()),
            )
        )
    says = "Table 1: the cross-channel model does not compose, read as no better than the best constant"
    if (one := largest("table1")) is not None:
        over = factor(
            [r["composition"] / r["baseline_best_constant"] for r in one.select(**_cell("cross-channel", 0.0))]
        )
        measured = f"ResNets of width 8, no decay: {interval(over, '.2f')} times a constant's loss"
        rows.append((says, measured, "all of the interval above 1", lies(over, least=1)))
    else:
        rows.append((says, *nothing))
    for source, words, models in DECAYED:
        known = [e for e in (verdict(model, source) for model in models) if e]
        which = "Sum, Linear and 2-layer" if models == apart else "Sum"
        says = f"Table 1, with {words}: weight decay raises the loss on pairs of {which}"
        if not known:
            rows.append((says, *nothing))
            continue
        shown = ", ".join(f"{NAMES[e.model]} {e.said}" for e in known)
        measured = f"dose {known[0].dose:.2g}, {known[0].of['n']:.0f} draws; WD 0.5 over WD 0: {shown}"
        rows.append((says, measured, "all of each interval above 1", raised(e.word for e in known)))
    worse = "Figure 2: on unseen '9's the cross-channel model is clearly worse than the three others"
    well = "Figure 2: the three others do well on unseen '9's although '9' is rare"
    if (two := largest("figure2")) is not None:
        often = sorted({group["nine"] for group in two.summary})
        behind = [
            factor(ratios(two, "nines", {"model": "cross-channel", "nine": p}, {"model": model, "nine": p}))
            for model in apart
            for p in often
        ]
        least = min(behind, key=lambda gap: gap["mean"])
        usual = min(often, key=lambda nine: abs(nine - 0.034))  # about what Zipf's law gives
        losses = [loss(two, "nines", model=model, nine=usual) for model in apart]
        highest = max(losses, key=lambda of: of["mean"])
        constant = math.fsum(row["baseline_nines"] for row in two.rows) / len(two.rows)
        rows += [
            (
                worse,
                f"paired loss, the least over models and frequencies: {interval(least, '.1f')} times, "
                f"{least['n']} draws",
                "all of each interval above 1",
                worst(lies(gap, least=1) for gap in behind),
            ),
            (
                well,
                f"at most {interval(highest, '.1f')} at probability {usual:g}; a constant has {constant:.1f}",
                "each interval below half of a constant's loss",
                worst(lies(of, most=constant / 2) for of in losses),
            ),
        ]
    else:
        rows += [(worse, *nothing), (well, *nothing)]
    return rows


#: Stored runs with and without weight decay 0.5 (`book.networks.table1.evidence`), in words, and their models.
DECAYED = (
    ("small networks", "small networks", ("sum", "linear", "2-layer")),
    ("ResNet, Table 1", "ResNets of width 8", ("sum", "linear", "2-layer")),
    ("ResNet, half the glyphs", "ResNets of width 8 and half of the glyphs", ("sum",)),
)


def _cell(model: str, decay: float) -> dict[str, Any]:
    return {"model": model, "weight_decay": decay}


def against_readings() -> list[tuple[str, str, str, str]]:
    """The four readings of Table 1: which, the losses of the split models on pairs, whether they compose, the numbers.

    Whether they compose is `composing`. Of the numbers the last entry is the worst status of the three (`compared`).
    """
    from companion.experiments.table1 import PAPER

    stored = readings()
    columns = {"composition": "the glyphs in their own channels", "composition_moved": "the glyphs in other channels"}
    rows = []
    for encoders, words in (("shared", "one encoder"), ("separate", "an encoder for each channel")):
        for key, where in columns.items():
            ours, composes, status = "not stored", "not run", "not run"
            if stored is not None:
                models = stored.settings["models"]
                got = {model: loss(stored, key, model=model, encoders=encoders) for model in models}
                shown = (f"{model} {interval(of, '.2f')}" for model, of in got.items())
                ours, composes = ", ".join(shown), together(composing(stored, encoders, key).values())
                found = {compared(PAPER[m][0][0], v["mean"], v["low"], v["high"]) for m, v in got.items()}
                status = next(word for word in ("differs", "undecided", "reproduced") if word in found)
            rows.append((f"{words}, {where}", ours, composes, status))
    return rows


def readings() -> Result | None:
    """The runs with one encoder and with three, of the largest preset at which both are stored."""
    for preset in ("paper", "cpu"):
        if all(results.path(name, preset).is_file() for name in ("slots", "table1")):
            return both_encoders(results.load("slots", preset), results.load("table1", preset))
    return None


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


def unconfirmed(rows: Sequence[tuple[str, ...]]) -> str:
    """A sentence on the conclusions of `against_networks` that are not reproduced, those on one claim together.

    >>> unconfirmed([("Table 1, once: it grows", "by 1.1", "undecided"), ("Table 1, again: it grows", "", "undecided")])
    'It stays undecided whether it grows (Table 1, once; Table 1, again)'
    """
    found: dict[tuple[str, str], list[str]] = {}
    for said, *_, status in rows:
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
