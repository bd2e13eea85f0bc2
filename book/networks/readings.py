"""The room of *Which reading*: what shared weights compose, what a slot makes of strangers, and the figure."""

from __future__ import annotations

import itertools

import numpy as np

from book.shared import kernels
from book.shared.ledger import Found, at_least, at_most, claim, exactly
from book.shared.networks import COLOURS, NAMES
from book.shared.style import GREY, INK, Picture, picture, subplots
from companion.runner.results import Result


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


def losses(result: Result, model: str, reading: tuple[str, str]) -> np.ndarray:
    """(seeds,) losses on pairs of glyphs of one model under one reading, in the order of the stored seeds."""
    encoders, key = reading
    return np.array([row[key] for row in result.select(model=model, encoders=encoders)])


def lines(result: Result) -> dict[str, float]:
    """The two predictors without a network, means over seeds."""
    keys = {"best constant": "baseline_best_constant", "reads the digit": "baseline_reads_digit_best"}
    return {words: float(np.mean([row[key] for row in result.rows])) for words, key in keys.items()}


def fig_readings(result: Result, paper: dict[str, float]) -> Picture:
    """Loss on pairs of glyphs under the four readings; `paper`: the paper's printed loss of each model."""
    models = [m for m in NAMES if result.where(model=m)]
    figure, axes = subplots(1, 4, size=(8.6, 3.3), sharey=True)
    for ax, (reading, words) in zip(axes, READINGS.items(), strict=True):
        for x, model in enumerate(models):
            values = losses(result, model, reading)
            ax.plot(np.full(len(values), x), values, "o", color=COLOURS[model], ms=5, alpha=0.8)
            ax.plot([x - 0.25, x + 0.25], [values.mean()] * 2, color=COLOURS[model], lw=1.8)
            if model in paper:
                ax.plot([x - 0.25, x + 0.25], [paper[model]] * 2, color=INK, lw=1.4, ls=":")
        for height in lines(result).values():
            ax.axhline(height, color=GREY, lw=1, ls="--")
        ax.set(title=words, yscale="log", xlim=(-0.6, len(models) - 0.4))
        ax.set_xticks(range(len(models)), [NAMES[m] for m in models], rotation=30, ha="right")
    for words, height in lines(result).items():
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
        + ", ".join(f"{NAMES[m]} {losses(result, m, reading).mean():.2f}" for m in models)
        for reading, words in READINGS.items()
    )
    flat = ", ".join(f"{words} {height:.1f}" for words, height in lines(result).items())
    return picture(
        figure,
        f"Loss on pairs of glyphs under four readings, each seed a mark, bars at the mean, logarithmic axis. {told}. "
        f"Dashed: {flat}. Dotted: the paper's, {', '.join(f'{NAMES[m]} {v:.2f}' for m, v in paper.items())}.",
    )
