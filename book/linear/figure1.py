"""The room of *Figure 1*: the check of its statement, and its figures: the panels, and one training set taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from book.linear.formulas import inverse_count, unseen_floor
from book.shared.density import cavity
from book.shared.ledger import Found, at_least, at_most, claim
from book.shared.style import (
    COMMON,
    COMPOSITION,
    FRESH,
    GREY,
    INK,
    NEVER,
    ONCE,
    PURPLE,
    Picture,
    band,
    picture,
    subplots,
)
from companion.experiments import figure1
from companion.linear import LongTailModel, feature_counts, inverse_gram_diagonal, min_norm, resolved
from companion.linear.theory import once_seen_rows
from companion.runner.results import Result

EXPOSURES = ((1, 1), (2, 2), (3, 5), (6, 20), (21, 10**9))  # classes of occurrences, ends included


def by_exposure(drawn: figure1.Draw, sigma: float) -> list[dict[str, Any]]:
    """Root mean square error of the seen features by how often they occurred, resolved and unresolved apart.

    One dict for each class of occurrences: `seen` (text), `low`, `high` (inclusive); "resolved" and
    "unresolved": the number of features; "resolved_error" and "unresolved_error" (NaN where there is none).
    """
    square = (drawn.beta_hat(sigma) - drawn.model.beta) ** 2
    out = []
    for low, high in EXPOSURES:
        members = (drawn.seen >= low) & (drawn.seen <= high)
        row: dict[str, Any] = {"seen": _span(low, high, drawn.model.n), "low": low, "high": high}
        for name, mask in (("resolved", drawn.resolved), ("unresolved", ~drawn.resolved)):
            row[name] = int((members & mask).sum())
            row[f"{name}_error"] = float(np.sqrt(square[members & mask].mean())) if row[name] else float("nan")
        out.append(row)
    return out


def loss_parts(drawn: figure1.Draw, sigma: float) -> dict[str, dict[str, float]]:
    """The two losses of `measures`, split by the features that cause them; each dict sums to its loss."""
    model, tail = drawn.model, drawn.tail
    square = (drawn.beta_hat(sigma) - model.beta) ** 2
    weighted = model.p * square
    seen, resolved = drawn.seen > 0, drawn.resolved
    candidates = tail & seen
    share = figure1.PAIR / max(1, int(candidates.sum()))
    common = float(weighted[~tail].sum())
    return {
        "in_distribution": {
            "never seen": float(weighted[tail & ~seen].sum()),
            "seen, not resolved": float(weighted[candidates & ~resolved].sum()),
            "resolved (noise)": float(weighted[candidates & resolved].sum()),
            "common": common,
        },
        "composition": {
            "never seen": 0.0,
            "seen, not resolved": share * float(square[candidates & ~resolved].sum()),
            "resolved (noise)": share * float(square[candidates & resolved].sum()),
            "common": common,
        },
    }


def expectations(settings: figure1.Settings, alpha: float, sigma: float) -> dict[str, float]:
    """What theory says of the same quantities; no random draws.

    unseen: exact expectation, ``sum_i p_i beta_i^2 (1 - p_i)^n`` (a lower bound of the in-distribution loss).
    once_square: sigma^2, exact for a feature whose row holds nothing else, a lower bound otherwise.
    common_square, composition: leading order, as if every feature stood alone in its rows, where the error of
    one seen m times has variance ``sigma^2 / m``. recovered: share of the seen tail features, from the scalar
    equation (:prf:ref:`prop-fixed-point`).
    """
    model = figure1.long_tail_model(settings, alpha, sigma)
    p, k = model.p, model.k
    seen = 1 - (1 - p) ** model.n
    inverse = inverse_count(p, model.n)
    common = inverse[:k] / seen[:k]
    tail = inverse[k:].sum() / seen[k:].sum()
    resolved = 1 - cavity(p, model.n).unresolved
    return {
        "once_square": sigma**2,
        "common_square": sigma**2 * float(common.mean()) if k else float("nan"),
        "unseen": unseen_floor(p, model.beta, model.n),
        "recovered": float(resolved[k:].sum() / seen[k:].sum()),
        "composition": sigma**2 * float(p[:k] @ common + figure1.PAIR * tail),
    }


def _span(low: int, high: int, n: int) -> str:
    return f"{low}" if low == high else f"{low}–{high}" if high <= n else f"{low}+"


COLOURS = {"never seen": NEVER, "seen, not resolved": ONCE, "resolved (noise)": PURPLE, "common": COMMON}


@claim(
    "prop-proportional",
    "On resolved features the error is exactly proportional to the noise",
    functions=("companion.linear.min_norm", "companion.linear.resolved"),
    teeth={"least variance": 0.99},
)
def proportional(only_resolved: bool = True, own: float = 1.0) -> list[Found]:
    """One draw at two noise levels; then the variance of once-seen features, and of one alone in its only row."""
    model = LongTailModel(n=300, d=3000, s=5.0, alpha=1.4, beta_exponent=0.1, sigma=1.0)
    sample = model.sample(seed=3)
    wanted = resolved(sample.X) if only_resolved else feature_counts(sample.X) > 0
    low, high = [
        (min_norm(sample.X, sample.X @ model.beta + sigma * sample.noise) - model.beta)[wanted] for sigma in (0.02, 0.2)
    ]
    X = sp.block_diag([sample.X, [[1.0]]], format="csr")  # and one feature alone in its only row
    features, _ = once_seen_rows(X)
    variance = inverse_gram_diagonal(X)
    least_variance = variance[features[resolved(X)[features]]].min()
    apart = np.abs(high / 10 - low).max() / np.abs(low).max()
    return [
        at_most(f"errors at 0.2 over ten, less those at 0.02, relative, {wanted.sum()} features", apart, 1e-6),
        at_least("least variance of a resolved once-seen feature over sigma^2", least_variance, 1 - 1e-6),
        at_most("variance over sigma^2 of one alone in its row, less one", abs(variance[-1] - own), 1e-6),
    ]


proportional.breaks("all seen features, not only the resolved", only_resolved=False)
proportional.breaks("a variance of 1.1 sigma^2 alone in a row", own=1.1)


def curves(result: Result) -> dict[str, dict[str, list[float]]]:
    """Means of a stored result along alpha, for each noise, under the names that the page's live figure uses."""
    found = {}
    for sigma in result.settings["sigmas"]:
        groups = result.where(sigma=sigma)
        mean = {key: [float(group[key]["mean"]) for group in groups] for key in ("in_distribution", "composition")}
        root = {
            key: [float(group[key]["mean"]) ** 0.5 for group in groups] for key in ("once_square_all", "common_square")
        }
        found[f"{sigma:g}"] = {
            "alpha": [group["alpha"] for group in groups],
            "once": root["once_square_all"],
            "common": root["common_square"],
            "inside": mean["in_distribution"],
            "composition": mean["composition"],
        }
    return found


def fig_figure1(result: Result) -> Picture:
    """The four panels of Figure 1 at the largest noise of a result; bands: one standard deviation, dashes: theory.

    Without noise resolved features have no error, which a logarithmic axis cannot show: only what is left over all
    features is drawn then, hollow.
    """
    alphas = sorted({group["alpha"] for group in result.summary})
    quiet, loud = (pick(group["sigma"] for group in result.summary) for pick in (min, max))
    settings = figure1.Settings(**{k: v for k, v in result.settings.items() if k != "alphas"})
    theory = [expectations(settings, alpha, loud) for alpha in alphas]
    figure, axes = subplots(2, 2, size=(8.2, 6.2), sharex=True)
    (tail, common), (inside, outside) = axes
    panels = (
        (tail, "Tail features seen once", (2e-2, 0.7), (("once_square_all", ONCE), ("once_square", PURPLE))),
        (common, "Common features", (4e-3, 0.2), (("common_square", COMMON),)),
        (inside, "In distribution", (2e-3, 0.7), (("in_distribution", FRESH),)),
        (
            outside,
            "Out of distribution: two tail features",
            (2e-3, 0.7),
            (("composition", COMPOSITION), ("composition_resolved", PURPLE)),
        ),
    )
    expected = {"once_square": 0.5, "common_square": 0.5, "unseen": 1.0, "composition": 1.0}
    for (ax, title, limits, curves), key in zip(panels, expected, strict=True):
        for name, color in curves:
            _curve(ax, result, alphas, loud, name, color)
        if curves[0][0] != "common_square":
            still = [result.one(alpha=alpha, sigma=quiet)[curves[0][0]]["mean"] for alpha in alphas]
            power = 0.5 if "square" in curves[0][0] else 1.0
            ax.plot(alphas, np.power(still, power), "o", ms=6, mfc="none", color=INK, lw=0)
        ax.plot(alphas, [t[key] ** expected[key] for t in theory], color=INK, ls="--", lw=1.2)
        ax.set(title=title, yscale="log", ylim=limits)
        ax.set_yticks([tick for tick in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if limits[0] <= tick <= limits[1]])
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.minorticks_off()
    for ax, words, at, color in (
        (tail, "all", (1.5, 0.23), ONCE),
        (tail, "resolved", (1.3, 0.04), PURPLE),
        (inside, "never seen", (1.9, 0.007), INK),
        (outside, "seen pair", (1.45, 0.09), COMPOSITION),
        (outside, "resolved pair", (1.3, 0.0125), PURPLE),
    ):
        ax.annotate(words, at, color=color, fontsize=9.5)
    for ax, label in ((tail, "rms error"), (common, "rms error"), (inside, "excess loss"), (outside, "excess loss")):
        ax.set(ylabel=label, xlabel=r"tail exponent $\alpha$" if ax in (inside, outside) else "")
    shown = [
        ax.plot([], [], color=INK, marker="o", ms=3, label=rf"$\sigma={loud:g}$")[0],
        ax.plot([], [], "o", color=INK, mfc="none", ms=6, label="no noise")[0],
        ax.plot([], [], color=INK, ls="--", lw=1.2, label="theory")[0],
    ]
    figure.legend(handles=shown, loc="outside upper center", ncols=3)
    return picture(figure, _panels_alt(result, alphas, quiet, loud))


def fig_one_draw(drawn: figure1.Draw, sigma: float) -> Picture:
    """One training set: error by how often a feature was seen, and what the two losses are made of."""
    exposure = by_exposure(drawn, sigma)
    parts = loss_parts(drawn, sigma)
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.2), width_ratios=(1.2, 1))
    x = np.arange(len(exposure))
    for name, color, shift in (("resolved", PURPLE, -0.2), ("unresolved", ONCE, 0.2)):
        height = np.nan_to_num([row[f"{name}_error"] for row in exposure])
        left.bar(x + shift, height, 0.38, color=color, label=name)
        for at, row, top in zip(x + shift, exposure, height, strict=True):
            left.annotate(f"{row[name]:,}", (at, top), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    left.plot(
        x,
        [sigma / np.sqrt(row["low"]) for row in exposure],
        color=GREY,
        ls="--",
        lw=1.2,
        label=r"$\sigma\,/\,\sqrt{m}$, $m$ times seen",
    )
    left.set_xticks(x, [row["seen"] for row in exposure])
    left.set(
        title="Error by times seen (bar labels: features)",
        xlabel="times seen in training",
        ylabel="rms error",
        ylim=(0, 0.62),
    )
    left.legend()
    for at, loss in enumerate(("in_distribution", "composition")):
        start = 0.0
        for name, color in COLOURS.items():
            right.barh(1 - at, parts[loss][name], 0.55, left=start, color=color, label=name if at == 0 else None)
            start += parts[loss][name]
        right.annotate(f"{start:.4f}", (start, 1 - at), (4, 0), textcoords="offset points", va="center", fontsize=9)
    right.set_yticks([1, 0], ["in distribution", "two tail\nfeatures"])
    right.set(title="Where the loss is", xlabel="excess loss", xlim=(0, 0.45))
    right.legend(loc="lower right")
    return picture(figure, _one_alt(drawn, sigma, exposure, parts))


def _curve(ax: Any, result: Result, alphas: list[float], sigma: float, key: str, color: str) -> None:
    """A mean over runs with one standard deviation to each side; squares are shown as their roots."""
    groups = [result.one(alpha=alpha, sigma=sigma)[key] for alpha in alphas]
    mean, sd = (np.array([g[name] for g in groups]) for name in ("mean", "sd"))
    power = 0.5 if "square" in key else 1.0
    low = np.maximum(mean - sd, mean / 10)  # the axis is logarithmic
    band(ax, alphas, mean**power, low**power, (mean + sd) ** power, color=color, marker="o", ms=3)


def _panels_alt(result: Result, alphas: list[float], quiet: float, loud: float) -> str:
    def at(alpha: float, sigma: float, key: str) -> str:
        value = result.one(alpha=alpha, sigma=sigma)[key]["mean"]
        return f"{value**0.5 if 'square' in key else value:.3g}"

    ends = list(dict.fromkeys((alphas[0], min(alphas, key=lambda a: abs(a - 2)), alphas[-1])))
    where = " and ".join(", ".join(f"{a:g}" for a in ends).rsplit(", ", 1))

    def told(key: str, sigma: float) -> str:
        return ", ".join(at(a, sigma, key) for a in ends)

    errors = f"error of resolved tail features seen once {told('once_square', loud)}"
    common = f"of common features {told('common_square', loud)}"
    inside = f"{told('in_distribution', loud)} (without noise {told('in_distribution', quiet)})"
    outside = f"{told('composition', loud)} (without noise {told('composition', quiet)})"
    return (
        f"Four panels against alpha. At alpha {where}, noise {loud:g}: {errors}; "
        f"{common}; in-distribution loss {inside}; loss on two seen tail features {outside}."
    )


def _one_alt(
    drawn: figure1.Draw, sigma: float, exposure: list[dict[str, Any]], parts: dict[str, dict[str, float]]
) -> str:
    once = exposure[0]
    inside, outside = parts["in_distribution"], parts["composition"]
    return (
        f"One training set at alpha {drawn.model.alpha:g}, noise {sigma:g}. Seen once: {once['resolved']} "
        f"features resolved, {once['unresolved']} not. In-distribution loss {sum(inside.values()):.4f}, "
        f"of which {inside['never seen']:.4f} is features never seen; loss on two seen tail features "
        f"{sum(outside.values()):.4f}, of which {outside['seen, not resolved']:.4f} is features seen but "
        "not resolved."
    )
