"""The room of *One equation for memory*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from book.linear import formulas
from book.shared import density
from book.shared.draws import design, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim, exactly
from book.shared.style import BLUE, GREY, INK, ORANGE, Picture, picture, subplots
from companion.linear import feature_counts, peel, resolved, sample_design, theory
from companion.runner.results import Result
from companion.runner.results import interval as summary


@claim(
    "lem-leave-one-out",
    "A once-seen feature is resolved iff the rest of its row is, without that row",
    functions=("companion.linear.peel", "companion.linear.resolved"),
    blunt={"cases peeled and cases not": "it says that both cases occur"},
)
def leave_one_out(occurrences: int = 1) -> list[Found]:
    """Both sides of both equivalences on 20 small designs, with nothing known and with three features known."""
    rng, peeled, cases = np.random.default_rng(8), [], 0
    wrong = {0: 0, 3: 0, "rank": 0}
    for _ in range(20):
        X = sample_design(14, np.linspace(0.35, 0.02, 20), seed=rng)
        full, known = X.toarray(), resolved(X)
        for i in np.flatnonzero(feature_counts(X) == occurrences):
            r = np.flatnonzero(full[:, i])[0]
            others, rest = np.delete(full, r, axis=0), np.where(np.arange(20) == i, 0, full[r])
            for k in (0, 3):
                wrong[k] += int(i >= k and peel(X, k)[i] != peel(others, k)[rest != 0].all())
            spanned = np.linalg.matrix_rank(np.vstack([others, rest])) == np.linalg.matrix_rank(others)
            wrong["rank"] += int(known[i] != spanned)
            peeled.append(peel(X)[i])
            cases += 1
    return [
        exactly(f"(a) disagreements in {cases} cases, nothing known", wrong[0], 0),
        exactly("(a) disagreements, three features known", wrong[3], 0),
        exactly("(b) disagreements", wrong["rank"], 0),
        at_least("cases peeled and cases not, the fewer", min(np.sum(peeled), np.sum(np.logical_not(peeled))), 1),
    ]


leave_one_out.breaks("features seen twice", occurrences=2)


@claim(
    "prop-fixed-point",
    "Q = F(Q) has one solution when sum p < e",
    functions=("book.shared.density.mass_map", "book.linear.formulas.fixed_points"),
    teeth={"(b) largest slope": 0.75},
    blunt={"(a) least slope": "the slope of each summand is a product of positive numbers, with no constant to move"},
)
def one_solution(mass: float | None = None) -> list[Found]:
    """Twelve random sets of 400 frequencies of sum below e; slopes by differences."""
    rng, h = np.random.default_rng(9), 1e-5
    most, apart, slope, fall = 0, 0.0, 0.0, 0.0
    for _ in range(12):
        lam = rng.gamma(0.7, 3.0, 400)
        p = np.sort(lam / lam.sum() * rng.uniform(0.3, 2.7))[::-1]
        n = int(rng.integers(50, 1000))
        if mass is not None:
            p, n = np.full(800, mass / 800), 1000
        most = max(most, len(formulas.fixed_points(p, n, grid=400)))
        apart = max(apart, abs(density.largest_fixed_point(p, n) - density.smallest_fixed_point(p, n)))
        rise = [(density.mass_map(p, n, q + h) - density.mass_map(p, n, q)) / h for q in np.linspace(0, p.sum(), 60)]
        slope, fall = max(slope, max(rise) / formulas.map_slope_bound(p)), min(fall, min(rise))
    return [
        exactly("(a, b) most solutions of one equation", most, 1),
        at_most("(a) largest distance of the two iterations", apart, 1e-6),
        at_least("(a) least slope of F", fall, -1e-6),
        at_most("(b) largest slope of F over sum p/e", slope, 1 + 1e-6),
    ]


one_solution.breaks("800 equal frequencies of sum 4", mass=4.0)


@claim(
    "thm-density",
    "Peeling and certificate both follow the unique solution in the sparse limit",
    functions=("book.shared.density.largest_fixed_point",),
)
def tree_limit(several: bool = False, feedback: bool = True, all_counted: bool = False) -> list[Found]:
    """Shares of the once-seen (e^-Q) and of each kind (1 - exp(-n p e^-Q)), n = 1500, K empty and 200 features.

    Tail frequencies are of three kinds with n p at most 10 and sum 2; `several` takes equal ones of sum 4. The features
    of K have n p = 3 and are pinned by a row each; `all_counted` counts them in the equation.
    """
    n, found = 1500, []
    tail = np.full(1200, 4 / 1200) if several else np.repeat([10.0, 2.0, 0.5], [80, 500, 2400]) / n
    for k in (0, 200):
        p, in_tail = np.append(np.full(k, 3 / n), tail), np.arange(k + len(tail)) >= k
        summed = p if all_counted else tail
        Q = density.largest_fixed_point(summed, n) if feedback else theory.unseen_mass(summed, n)
        kinds = [in_tail & (p == one) for one in np.unique(tail)]
        counted = np.zeros((1 + len(kinds), 3))  # how many, peeled, resolved: once-seen features, then each kind
        for seed in range(2):
            X = sp.vstack([sp.eye_array(k, len(p)), sample_design(n, p, seed=seed)], format="csr")
            told = np.stack([np.ones(len(p)), peel(X, k), resolved(X)])
            counted += [told[:, kind].sum(axis=1) for kind in (in_tail & (feature_counts(X) == 1), *kinds)]
        stated = np.append(math.exp(-Q), -np.expm1(-n * np.unique(tail) * math.exp(-Q)))
        peeled, determined = np.abs(counted[:, 1:] / counted[:, :1] - stated[:, None]).max(axis=0)
        found += [
            at_most(f"{k} features known: largest error of a share peeled", peeled, 0.03),
            at_most(f"{k} features known: largest error of a share resolved", determined, 0.03),
        ]
    return found


tree_limit.breaks("no feedback (Q = M)", feedback=False)
tree_limit.breaks("several solutions (equal frequencies of sum 4)", several=True)
tree_limit.breaks("known features counted in the equation", all_counted=True)


def fig_tree() -> Picture:
    """Two generations below a feature: rows as squares, features as circles, filled where they are resolved."""
    figure, ax = subplots(size=(7.2, 3.2))
    ax.grid(False)
    root, mates, last = (0.0, 4.0), ((-3.0, 2.0), (-1.2, 2.0), (2.2, 2.0)), (2.2, 0.0)
    known = {root: True, mates[0]: True, mates[1]: True, mates[2]: False, last: False}
    rows = [
        ((-2.0, 3.0), root, mates[:2]),
        ((2.0, 3.0), root, mates[2:]),
        ((-3.0, 1.0), mates[0], ()),
        ((-1.2, 1.0), mates[1], ()),
        ((2.2, 1.0), mates[2], (last,)),
    ]
    for place, above, below in rows:
        told = all(known[feature] for feature in below)
        for end in (above, *below):
            ax.plot([place[0], end[0]], [place[1], end[1]], color=INK, lw=1, zorder=1)
        ax.plot(*place, "s", color=ORANGE if told else GREY, ms=11, zorder=2)
    for feature, told in known.items():
        ax.plot(*feature, "o", ms=14, color=BLUE, mfc=BLUE if told else "white", zorder=3)
    for text, at in (
        ("the feature", (0.35, 4.0)),
        ("rows that hold it", (2.35, 3.0)),
        ("their other features", (2.6, 2.0)),
        ("the other rows of those", (2.55, 1.0)),
        ("seen in this row only", (2.6, 0.0)),
    ):
        ax.annotate(text, at, va="center", fontsize=9)
    ax.set(xlim=(-3.6, 5.4), ylim=(-0.5, 4.4), xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    return picture(
        figure,
        "A tree of 5 rows below 1 feature, which occurs in 2 of them. The left row holds two more features, each "
        "alone in another row, so they are resolved and the left row tells the feature. The right row "
        "cannot: its other feature shares its only other row with one seen nowhere else.",
    )


@lru_cache(maxsize=8)
def left_by_peeling(alpha: float) -> tuple[density.Cavity, list[tuple[np.ndarray, np.ndarray]]]:
    """The product form at n = 1000, and which features are seen and which not peeled from nothing, 24 draws."""
    designs = [design(alpha, seed) for seed in range(24)]
    solved = density.cavity(long_tail(alpha).p, 1000)
    return solved, [(feature_counts(X) > 0, ~peel(X, 0)) for X in designs]


@claim(
    "conj-density",
    "The product form counts the features seen but not peeled, one order beyond the rate",
    status="conjecture",
    functions=("book.shared.density.cavity",),
    blunt={"alpha = 1.5: seen": "so few are left there that 24 draws do not tell a tenth"},
)
def finite_size(scale: float = 1.0, form: str = "product") -> list[Found]:
    """Features seen but not peeled, and the mass not peeled, means of 24 draws at n = 1000; limits: 2 % and two s.e."""
    found = []
    for alpha in (1.0, 1.1, 1.25, 1.5):
        model, solved, left = long_tail(alpha), *left_by_peeling(alpha)
        stated = {"product": solved.seen - solved.resolved, "rate": theory.unseen_mass(model.p, model.n) / alpha}[form]
        stated *= scale * (solved.seen if form == "rate" else 1)
        for what, values, expected in (
            ("seen, not peeled", [(seen & open_).sum() for seen, open_ in left], stated),
            ("mass not peeled", [model.p[open_].sum() for _, open_ in left], scale * solved.Q),
        ):
            mean, error = np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))
            slack = 0.02 + 2 * error / mean
            found.append(between(f"alpha = {alpha}: {what}, over prediction", mean / expected, 1 - slack, 1 + slack))
    return found


finite_size.breaks("the leading order M/alpha of the share seen", form="rate")
finite_size.breaks("predictions a tenth larger", scale=1.1)
finite_size.breaks("predictions a tenth smaller", scale=0.9)


@claim(
    "prop-lambert",
    "For a power law the equation is Q = M e^(gamma Q), solved by Lambert's W",
    functions=("book.linear.formulas.lambert_rate",),
)
def lambert(gamma_scale: float = 1.0) -> list[Found]:
    """Three alpha and three n: |Q - M(n e^-Q)| over the stated error, and Lambert's solution over Q."""
    gap = off = 0.0
    for alpha, n in itertools.product((1.5, 2.0, 3.0), (1e4, 1e6, 1e8)):
        d = 1e14
        B = formulas.blocks(alpha, 2.5, d, per_decade=1000)
        Q = density.smallest_fixed_point(B.p, n, B.weights)
        law = formulas.power_law_sum(alpha, B.c, n * math.exp(-gamma_scale * Q), d)
        gap = max(gap, abs(Q - law) / formulas.power_law_sum_error(alpha, B.c, n * math.exp(-Q)))
        solved = formulas.lambert_rate(formulas.power_law_sum(alpha, B.c, n), gamma_scale * (1 - 1 / alpha))
        off = max(off, abs(solved / Q - 1))
    return [
        at_most("(a) largest |Q - M e^(gamma Q)| over its bound", gap, 1),
        at_most("(b) largest relative error of Lambert's solution", off, 0.005),
    ]


lambert.breaks("gamma 20% larger", gamma_scale=1.2)


def accuracy_rows(result: Result) -> list[dict[str, float]]:
    """Measured against predicted resolved features and unresolved mass, one row for each alpha and n.

    `low` and `high` bound the 95% interval of the measured mean.
    """
    rows = []
    for group in sorted(result.summary, key=lambda g: (float(g["alpha"]), int(g["n"]))):
        n, alpha = group["n"], group["alpha"]
        B = formulas.blocks(alpha, result.settings["s"], result.settings["width"] * n)
        predicted = density.cavity(B.p, n, weights=B.weights)
        peeled, mass = group["peeled"], group["unresolved_mass"]
        missed = summary([row["seen"] - row["peeled"] for row in result.select(alpha=alpha, n=n)])
        rows.append(
            {
                "alpha": alpha,
                "n": n,
                "draws": peeled["n"],
                "predicted": predicted.resolved,
                "measured": peeled["mean"],
                "sd": peeled["sd"],
                "low": peeled["low"],
                "high": peeled["high"],
                "Q": predicted.Q,
                "mass": mass["mean"],
                "mass_low": mass["low"],
                "mass_high": mass["high"],
                "missed": missed["mean"],
                "missed_low": missed["low"],
                "missed_high": missed["high"],
                "missed_predicted": predicted.seen - predicted.resolved,
                "missed_leading": predicted.seen * float(B.weights @ (B.p * np.exp(-n * B.p))) / alpha,
            }
        )
    return rows


def fig_accuracy(rows: list[dict[str, float]]) -> Picture:
    """Measured over predicted: peeled features (left), mass left (right), against n, 95% intervals; alpha below 2."""
    figure, axes = subplots(1, 2, size=(8.4, 3.4), sharey=True)
    rows = [row for row in rows if row["alpha"] < 2]
    alphas = sorted({row["alpha"] for row in rows})
    panels = (
        ("number of resolved features", "predicted", ("measured", "low", "high")),
        ("mass left unresolved", "Q", ("mass", "mass_low", "mass_high")),
    )
    for ax, (title, against, (mean, low, high)) in zip(axes, panels, strict=True):
        for j, alpha in enumerate(alphas):
            mine = [row for row in rows if row["alpha"] == alpha]
            x = np.array([row["n"] for row in mine]) * 1.12 ** (j - len(alphas) / 2)
            y, lo, hi = (np.array([row[key] / row[against] for row in mine]) for key in (mean, low, high))
            ax.errorbar(x, y, (y - lo, hi - y), fmt="o", lw=1.1, ms=4, label=rf"$\alpha={alpha:g}$")
        ax.axhspan(0.98, 1.02, color=GREY, alpha=0.12, linewidth=0)
        ax.axhline(1, color=INK, lw=0.8)
        ax.set(xscale="log", xlabel="rows $n$ ($d=10n$)", title=title, ylim=(0.92, 1.08))
    axes[0].set_ylabel("measured / predicted")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(alphas))
    worst = max(rows, key=lambda row: abs(row["measured"] / row["predicted"] - 1))
    mass = max(rows, key=lambda row: abs(row["mass"] / row["Q"] - 1))
    return picture(
        figure,
        f"Measured over predicted for alpha from {alphas[0]:g} to {alphas[-1]:g} and n from 10^3 to 10^6, all near 1. "
        f"Number of resolved features: farthest {worst['measured'] / worst['predicted']:.3f} at alpha = "
        f"{worst['alpha']:g}, n = {worst['n']:g}. Unresolved mass: farthest {mass['mass'] / mass['Q']:.3f} at alpha = "
        f"{mass['alpha']:g}, n = {mass['n']:g}.",
    )
