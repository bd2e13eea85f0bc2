"""The room of *One-shots under the microscope*: glyphs one by one, pairs from glyphs, and glyphs out of place."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from book.shared import kernels
from book.shared.ledger import Found, at_least, at_most, claim, exactly
from book.shared.networks import COLOURS, NAMES, factor, switched
from book.shared.style import BLUE, GREY, INK, ONCE, RED, Picture, picture, subplots
from companion.neural.tasks import ONE_SHOTS
from companion.runner import results
from companion.runner.results import Result, interval

if TYPE_CHECKING:
    from companion.neural.tasks import Task

Row = Mapping[str, Any]


def errors(row: Row, key: str) -> np.ndarray:
    """(10,) signed errors of the glyphs in a row of the experiment `table1`; `key` is "fit" or "new"."""
    return np.array([row[f"{key}_{g}"] for g in range(ONE_SHOTS)], float)


def pair_map(row: Row) -> np.ndarray:
    """(10, 10) loss on each new pair, symmetric; NaN on the diagonal and where two glyphs share a channel."""
    losses = np.full((ONE_SHOTS, ONE_SHOTS), np.nan)
    for a in range(ONE_SHOTS):
        for b in range(a + 1, ONE_SHOTS):
            losses[a, b] = losses[b, a] = row[f"pair_{a}_{b}"]
    return losses


def predicted_map(row: Row) -> np.ndarray:
    """(10, 10) what the ten errors beside new digits make of each pair: ``(e_a + e_b)^2``."""
    e = errors(row, "new")
    out: np.ndarray = (e[:, None] + e) ** 2
    return out


def fig_training_triples(task: Task, readings: Mapping[str, Row]) -> Picture:
    """The only training triple of each glyph, and what trained models make of it and of the glyph beside new digits.

    `readings`: model -> row of `companion.experiments.table1`, trained on this very task.
    """
    from matplotlib.patches import Rectangle

    first = len(task.bank) - ONE_SHOTS
    order = np.argsort(task.train.index[task.one_shot_rows].max(axis=1))
    rows = task.one_shot_rows[order]
    figure, axes = subplots(3, ONE_SHOTS, size=(8.6, 3.2 + 0.32 * len(readings)))
    for g, row in enumerate(rows):
        for channel in range(3):
            ax = axes[channel, g]
            ax.imshow(task.bank[task.train.index[row, channel]], cmap="gray", interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            for spine in ax.spines.values():
                spine.set_visible(False)
            if task.train.index[row, channel] >= first:
                ax.add_patch(Rectangle((-0.5, -0.5), 28, 28, fill=False, ec=ONCE, lw=3))
        axes[0, g].set_title(f"{g}", loc="center")
        lines = [f"= {task.train.target[row]:g}"]
        lines += [f"{task.train.target[row] + reading[f'fit_{g}']:.1f}" for reading in readings.values()]
        lines += [f"{g + reading[f'new_{g}']:.1f}" for reading in readings.values()]
        axes[2, g].set_xlabel("\n".join(lines), linespacing=1.5)
    names = ["sum", *[f"{NAMES[m]}" for m in readings], *[f"{NAMES[m]}, read as" for m in readings]]
    axes[2, 0].annotate(
        "\n".join(names),
        (-0.35, -0.125),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=9.2,
        linespacing=1.62,
        annotation_clip=False,
    )
    axes[0, 0].annotate("label", (-0.35, 1.09), xycoords="axes fraction", ha="right", fontsize=9.2)
    words = "; ".join(
        f"{NAMES[m]} misses their sums by {size(errors(r, 'fit')):.1f} and reads the glyphs beside new digits as "
        + ", ".join(f"{g + r[f'new_{g}']:.1f}" for g in range(ONE_SHOTS))
        for m, r in readings.items()
    )
    return picture(
        figure,
        f"The only training triple of each of the ten glyphs, labelled 0 to 9, the glyph framed. Root mean square "
        f"errors and readings: {words}.",
    )


def fig_seen_and_used(result: Result, decay: float = 0.0) -> Picture:
    """Error of a glyph beside new digits against its error on its own training triple: one panel a model."""
    models = [m for m in NAMES if result.where(model=m)]
    figure, axes = subplots(1, len(models), size=(8.6, 2.9), sharex=True, sharey=True)
    words = []
    for ax, model in zip(axes, models, strict=True):
        rows = result.select(model=model, weight_decay=decay)
        fit, new = (np.concatenate([errors(row, key) for row in rows]) for key in ("fit", "new"))
        ax.axline((0, 0), slope=1, color=INK, lw=1, ls="--")
        ax.axhline(0, color=GREY, lw=0.6)
        ax.plot(fit, new, "o", color=COLOURS[model], ms=4, alpha=0.75)
        ax.set(title=NAMES[model], xlabel="on its training triple")
        words.append(f"{NAMES[model]} {size(fit):.2f} there, {size(new):.2f} beside new digits")
    axes[0].set_ylabel("error beside new digits")
    return picture(
        figure,
        "Signed error of every glyph and seed beside new digits against that on its own training triple; dashed, the "
        "two are equal. For the split models the marks lie on the line, for Cross-channel they are spread up and down "
        f"from a short stretch. Root mean squares: {'; '.join(words)}.",
    )


def fig_which_pairs(result: Result, models: tuple[str, ...] = ("sum", "cross-channel"), decay: float = 0.0) -> Picture:
    """Maps of root mean squared errors on pairs, a column a seed: measured above the diagonal, predicted below."""
    seeds = result.seeds[:3]
    figure, axes = subplots(len(models), len(seeds), size=(8.2, 2.75 * len(models)), squeeze=False)
    upper = np.triu(np.ones((ONE_SHOTS, ONE_SHOTS), bool), 1)
    words = []
    for line, model in zip(axes, models, strict=True):
        for ax, seed in zip(line, seeds, strict=True):
            (row,) = result.select(model=model, weight_decay=decay, seed=seed)
            measured, predicted = pair_map(row), predicted_map(row)
            shown = np.where(upper, measured, np.where(np.isnan(measured), np.nan, predicted))
            mesh = ax.pcolormesh(np.sqrt(shown), cmap="viridis", vmin=0, vmax=8, edgecolors="none")
            ax.plot([0, ONE_SHOTS], [0, ONE_SHOTS], color=INK, lw=0.8)
            ax.set(aspect="equal", ylim=(ONE_SHOTS, 0), title=f"{NAMES[model]}, seed {seed}")
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_ticks(np.arange(0, ONE_SHOTS, 3) + 0.5, [str(g) for g in range(0, ONE_SHOTS, 3)])
            ax.grid(False)
            failed = int(np.nansum(measured[upper] > 1))
            pairs = int(np.sum(~np.isnan(measured[upper])))
            words.append(f"{NAMES[model]} seed {seed} {failed} of {pairs} pairs off by more than 1")
    bar = figure.colorbar(mesh, ax=axes, shrink=0.6, extend="max")
    bar.set_label("root mean squared error on the pair")
    return picture(
        figure,
        "Maps of ten by ten glyphs: measured error on each new pair above the diagonal, what the glyphs' own errors "
        "predict below it, empty where two glyphs share a channel. The maps of Sum are dark but for whole rows and "
        f"columns and alike on both sides. {'; '.join(words)}.",
    )


def explained_by_glyphs(result: Result, model: str, decay: float) -> tuple[np.ndarray, np.ndarray]:
    """Measured and predicted loss of every pair that was tested, over all seeds."""
    measured, predicted = [], []
    for row in result.select(model=model, weight_decay=decay):
        upper = np.triu_indices(ONE_SHOTS, 1)
        there, by_glyphs = pair_map(row)[upper], predicted_map(row)[upper]
        measured.append(there[~np.isnan(there)])
        predicted.append(by_glyphs[~np.isnan(there)])
    return np.concatenate(measured), np.concatenate(predicted)


#: what can be measured of a glyph before training -> the number that `misread` ranks glyphs by
KNOWN = {
    "ink": lambda row, g: row[f"ink_{g}"],
    "distance to the nearest training digit": lambda row, g: row[f"digit_{g}"],
    "how far that digit's label is off": lambda row, g: abs(row[f"label_{g}"]),
    "distance to the nearest other glyph": lambda row, g: row[f"glyph_{g}"],
    "its own label": lambda row, g: g,
}


def misread(result: Result, decay: float) -> dict[str, dict[str, float]]:
    """How what is known of a glyph before training goes with its error beside new digits, for Sum.

    The rank correlation over the ten glyphs of a draw, averaged over draws with its 95% interval: the draw is the unit,
    as its glyphs share a network. `result`: of the experiment `surrogate`.
    """
    from scipy.stats import spearmanr

    rows = result.select(model="sum", weight_decay=decay)
    found = {}
    for words, known in KNOWN.items():
        each = [
            spearmanr([known(row, g) for g in range(ONE_SHOTS)], np.abs(errors(row, "new"))).statistic for row in rows
        ]
        found[words] = interval(each)
    return found


def size(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def slope(result: Result, model: str, decay: float) -> float:
    """Least-squares slope of a glyph's signed error beside new digits on its label, over glyphs and seeds.

    0: every label is read; -1: all glyphs are taken for the same digit.
    """
    labels, errors = labels_and_errors(result, model, decay)
    return float(np.polyfit(labels, errors, 1)[0])


def fig_one_shots(result: Result) -> Picture:
    """Left: signed error of each glyph beside new digits. Right: its square against the loss of its new pairs (Sum)."""
    from companion.neural.tasks import zipf

    decays = switched(result)
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.5))
    for model, shift in (("sum", -0.12), ("2-layer", 0.0), ("cross-channel", 0.12)):
        labels, errors = labels_and_errors(result, model, decays[0])
        left.plot(labels + shift, errors, "o", color=COLOURS[model], alpha=0.75, label=NAMES[model])
    digits = np.arange(10)
    average = float(zipf(result.settings["zipf_exponent"]) @ digits)
    left.plot(digits, average - digits, color=INK, lw=1, ls="--")
    left.annotate("taken for an\naverage digit", (7.2, -4.8), (4.2, -6.9), fontsize=8)
    left.set(xlabel="label of the glyph", ylabel="mean signed error beside new digits", title="No decay")
    left.set_xticks(digits)
    left.legend(loc="upper right")

    words = []
    for decay, color in zip(decays, (BLUE, RED), strict=False):
        rows = result.select(model="sum", weight_decay=decay)
        own = np.array([[row[f"new_{g}"] ** 2 for g in range(10)] for row in rows])
        pairs = np.array([[row[f"pairs_{g}"] for g in range(10)] for row in rows])
        right.plot(own.ravel(), pairs.ravel(), "o", color=color, alpha=0.7, label=f"decay {decay:g}")
        words.append(f"{np.corrcoef(own.ravel(), pairs.ravel())[0, 1]:.2f} at decay {decay:g}")
    top = max(line.get_xdata().max() for line in right.lines)
    right.plot([0, top], [0, top], color=INK, lw=1, ls="--")
    right.set(xlabel="square of that error", ylabel="loss on the glyph's new pairs", title="Sum")
    right.legend()
    return picture(
        figure,
        "Left: signed errors of the ten glyphs, one mark for each glyph and seed, against their labels; the slope is "
        f"{slope(result, 'sum', decays[0]):.2f} for Sum, {slope(result, '2-layer', decays[0]):.2f} for 2-layer and "
        f"{slope(result, 'cross-channel', decays[0]):.2f} for Cross-channel, where -1 is taking all glyphs for one "
        f"digit. Right: for Sum, the loss on a glyph's pairs rises with its squared error, correlation "
        f"{', '.join(words)}.",
    )


def labels_and_errors(result: Result, model: str, decay: float) -> tuple[np.ndarray, np.ndarray]:
    rows = result.select(model=model, weight_decay=decay)
    errors = np.array([[row[f"new_{g}"] for g in range(10)] for row in rows])
    return np.tile(np.arange(10.0), len(rows)), errors.ravel()


def counts(x: np.ndarray, symbols: int) -> np.ndarray:
    """(n, symbols): how often each symbol occurs in a tuple, in whatever slot."""
    counted: np.ndarray = kernels.one_hot(x, symbols).reshape(len(x), -1, symbols).sum(axis=1)
    return counted


@claim(
    "prop-shared-code",
    "With shared weights the counts of the symbols decide what composes, and no slot matters",
    functions=("book.shared.kernels.composable", "book.shared.kernels.interpolate"),
    blunt={
        "where it is not": "that it is not 0 is all that is stated, and rounding is far below",
        "that separate weights compose": "one row space holds the other, with no constant to move",
    },
)
def shared_code(shared: bool = True, rho: float = 0.3) -> list[Found]:
    """Errors where composition is promised and where it is not, over six random training sets.

    Promised: tuples whose counts are in the row space of the training counts, and all their rearrangements.
    """
    symbols, slots, worst, missed, lost = 5, 3, 0.0, np.inf, 0
    every = np.array(list(itertools.product(range(symbols), repeat=slots)))
    for seed in range(6):
        rng = np.random.default_rng(seed)
        train = np.unique(rng.integers(0, symbols, (3 + seed, slots)), axis=0)  # few rows do not promise everything
        value = rng.normal(size=symbols)
        truth = value[every].sum(axis=1)
        code, new = counts(train, symbols), counts(every, symbols)
        basis = np.linalg.svd(code, full_matrices=False)[2][: np.linalg.matrix_rank(code)]
        promised = np.linalg.norm(new - new @ basis.T @ basis, axis=1) < 1e-9
        lost += int((~promised[kernels.composable(train, every)]).sum())
        if shared:
            gram = rho * slots**2 + (1 - rho) * code @ code.T
            weights = np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ value[train].sum(axis=1)
            made = (rho * slots**2 + (1 - rho) * new @ code.T) @ weights
        else:
            made = kernels.interpolate(train, value[train].sum(axis=1), every, kernel="additive", rho=rho)
        worst = max(worst, float(np.abs(made - truth)[promised].max()))
        if not promised.all():
            missed = min(missed, float(np.abs(made - truth)[~promised].max()))
        for order in itertools.permutations(range(slots)):
            place = every[:, order] @ symbols ** np.arange(slots - 1, -1, -1)
            worst = max(worst, float(np.abs(made[place] - made).max()))
    return [
        at_most("largest error where composition is promised, and in other orders of the slots", worst, 1e-6),
        at_least("smallest of the largest errors where it is not", missed, 0.05),
        exactly("tuples that separate weights compose and sharing loses", lost, 0),
    ]


shared_code.breaks("weights of its own for each slot", shared=False)


@claim(
    "prop-strangers",
    "With weights of its own for each slot, symbols that a slot never showed are all read alike there",
    functions=("book.shared.kernels.interpolate",),
)
def strangers(shared: bool = False, rho: float = 0.3) -> list[Found]:
    """Predictions over five symbols that a slot never showed, and their loss against the variance of the truth."""
    symbols, rng = 8, np.random.default_rng(0)
    train = np.unique(np.column_stack([rng.integers(0, 3, (12, 2)), rng.integers(3, symbols, 12)]), axis=0)
    value = rng.normal(size=symbols)
    new = np.array([[a, 0, 3] for a in range(3, symbols)])  # slot 0 has met symbols 0 to 2 only
    y = value[train].sum(axis=1)
    if shared:
        gram, cross = (rho * 9 + (1 - rho) * counts(x, symbols) @ counts(train, symbols).T for x in (train, new))
        made = cross @ np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ y
    else:
        made = kernels.interpolate(train, y, new, kernel="additive", rho=rho)
    truth = value[new].sum(axis=1)
    loss = float(np.mean((made - truth) ** 2))
    return [
        at_most("spread of the predictions over strangers", float(np.ptp(made)), 1e-6),
        at_least(f"their loss less the variance of the truth, {truth.var():.3f}", loss - truth.var(), -1e-6),
    ]


strangers.breaks("weights shared by the slots", shared=True)


#: (encoders, key of the loss) -> what the reading says, in the order of the columns
READINGS = {
    ("shared", "composition"): "one encoder,\nown channels",
    ("shared", "composition_moved"): "one encoder,\nother channels",
    ("separate", "composition"): "three encoders,\nown channels",
    ("separate", "composition_moved"): "three encoders,\nother channels",
}


def both_encoders(three: Result, one: Result) -> Result:
    """The runs with three encoders, and of those with one (Table 1's) the same models and draws, as one result."""
    shared = [
        row | {"encoders": "shared"}
        for row in one.select(weight_decay=0.0)
        if row["model"] in three.settings["models"] and row["seed"] in three.seeds
    ]
    rows = shared + three.rows
    return replace(three, rows=rows, summary=results.summarise(rows, three.by))


def under(result: Result, model: str, reading: tuple[str, str]) -> np.ndarray:
    """(seeds,) losses on pairs of glyphs of one model under one reading, in the order of the stored seeds."""
    encoders, key = reading
    return np.array([row[key] for row in result.select(model=model, encoders=encoders)])


def no_network(result: Result) -> dict[str, float]:
    """The two predictors without a network, means over seeds."""
    keys = {"best constant": "baseline_best_constant", "reads the digit": "baseline_reads_digit_best"}
    return {words: float(np.mean([row[key] for row in result.rows])) for words, key in keys.items()}


def fig_readings(result: Result, paper: dict[str, float]) -> Picture:
    """Loss on pairs of glyphs under the four readings; `paper`: the paper's printed loss of each model."""
    models = [m for m in NAMES if result.where(model=m)]
    figure, axes = subplots(1, 4, size=(8.6, 3.3), sharey=True)
    for ax, (reading, words) in zip(axes, READINGS.items(), strict=True):
        for x, model in enumerate(models):
            values = under(result, model, reading)
            ax.plot(np.full(len(values), x), values, "o", color=COLOURS[model], ms=5, alpha=0.8)
            ax.plot([x - 0.25, x + 0.25], [factor(values)["mean"]] * 2, color=COLOURS[model], lw=1.8)
            if model in paper:
                ax.plot([x - 0.25, x + 0.25], [paper[model]] * 2, color=INK, lw=1.4, ls=":")
        for height in no_network(result).values():
            ax.axhline(height, color=GREY, lw=1, ls="--")
        ax.set(title=words, yscale="log", xlim=(-0.6, len(models) - 0.4))
        ax.set_xticks(range(len(models)), [NAMES[m] for m in models], rotation=30, ha="right")
    for words, height in no_network(result).items():
        above = words == "best constant"
        place = (1.02, height)
        axes[-1].annotate(
            words.replace(" ", "\n", 1),
            place,
            xycoords=("axes fraction", "data"),
            va="bottom" if above else "top",
            fontsize=8,
        )
    axes[0].set_ylabel("mean squared error, two glyphs")
    axes[0].yaxis.set_major_formatter("{x:g}")
    if paper:
        axes[0].annotate("paper", (len(models) - 1, paper[models[-1]]), (0, 3), textcoords="offset points", fontsize=8)
    told = "; ".join(
        f"{words.replace(chr(10), ' ')}: "
        + ", ".join(f"{NAMES[m]} {factor(under(result, m, reading))['mean']:.2f}" for m in models)
        for reading, words in READINGS.items()
    )
    flat = ", ".join(f"{words} {height:.1f}" for words, height in no_network(result).items())
    return picture(
        figure,
        f"Loss on pairs of glyphs under four readings, each seed a mark, bars at the geometric mean, log axis. {told}. "
        f"Dashed: {flat}. Dotted: the paper's, {', '.join(f'{NAMES[m]} {v:.2f}' for m, v in paper.items())}.",
    )
