"""What the reference pages show: the ledger, the paper's numbers beside ours, times. Made from code and results."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from book.shared.ledger import SOURCES, STATUSES, Claim
from book.shared.page import Markdown, Text, interval
from companion.experiments import names
from companion.runner import results
from companion.runner.results import Result

PROVED = ("thm-", "lem-", "prop-", "cor-", "conj-")  # labels of blocks in a chapter; the others name demonstrations


def claims_list(claims: Iterable[Claim]) -> Markdown:
    """The ledger for a book page: chapter by chapter, each statement and function linked to where it is."""
    lines: list[str] = []
    for chapter, entries in groupby(_in_reading_order(claims), key=lambda claim: claim.chapter):
        lines += [f"**{{doc}}`/{chapter}`**", ""]
        for claim in entries:
            code = ", ".join(f"{{py:obj}}`~{name}`" for name in claim.functions)
            parts = [f"*{claim.source}, {claim.status}*", f"breaks with: {_literal('; '.join(claim.broken))}"]
            parts += [f"code: {code}"] if code else []
            parts += [f"test: `{claim.label}`"] if claim.label.startswith(PROVED) else []
            lines += [f"- {_name(claim)}: {_literal(claim.title)}.", "", f"  {' · '.join(parts)}", ""]
        lines.append("")
    return Markdown("\n".join(lines))


def claims_count(claims: Iterable[Claim]) -> list[tuple[str | int, ...]]:
    """How many statements there are of each status, a row a source and a last row with the sums."""
    count = Counter((claim.source, claim.status) for claim in claims)
    sums = {status: sum(count[source, status] for source in SOURCES) for status in STATUSES}
    rows: list[tuple[str | int, ...]] = [(s, *(count[s, status] for status in STATUSES)) for s in SOURCES]
    return [*rows, ("all", *sums.values())]


def reading_order() -> list[str]:
    """The pages of the book as they are read, without extension; none where its table of contents is not there."""
    toc = Path(__file__).resolve().parents[2] / "_toc.yml"
    return re.findall(r"^\s*-\s*file:\s*(\S+)", toc.read_text(encoding="utf-8"), re.M) if toc.is_file() else []


def _in_reading_order(claims: Iterable[Claim]) -> list[Claim]:
    """By chapter as the book is read; chapters that it does not list come last, as the claims come."""
    claims = list(claims)
    order = list(dict.fromkeys([*reading_order(), *(claim.chapter for claim in claims)]))
    return sorted(claims, key=lambda claim: order.index(claim.chapter))


def _literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([*_<>\[\]$\\])", r"\\\1", text)


def _name(claim: Claim) -> str:
    if claim.label.startswith("thm-paper-"):  # these blocks have no number
        return f"{{prf:ref}}`Theorem <{claim.label}>`"
    if claim.label.startswith(PROVED):
        return f"{{prf:ref}}`{claim.label}`"
    return f"`{claim.label}`"


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
        return "undecided" if high - low > 2 * mean else "reproduced"
    return "differs"


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
        decayed = {model: pairs(model, 0.5) / pairs(model, 0.0) for model in apart}
        fell = min(decayed.values())
        shown = ", ".join(f"{model} {ratio:.1f}" for model, ratio in decayed.items())
        rows += [
            (f"at least {gap:.1f} times the loss of any other model", _status(gap > 2)),
            (f"loss on pairs, WD 0.5 over WD 0: {shown}", _status(fell > 1)),
        ]
    else:
        rows += [nothing, nothing]
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
        "Table 1: weight decay raises the loss on pairs of the three other models",
        "Figure 2: on unseen '9's the cross-channel model is clearly worse than the three others",
        "Figure 2: the three others do well on unseen '9's although '9' is rare",
    )
    return [(said, *row) for said, row in zip(says, rows, strict=True)]


def against_readings() -> list[tuple[str, str, str]]:
    """The four readings of Table 1: which, the losses of the split models on pairs, and whether they compose.

    They do if the loss is below half of what reading the digit and guessing the pair costs; the paper's are.
    """
    stored = largest("slots")
    columns = {"composition": "the glyphs in their own channels", "composition_moved": "the glyphs in other channels"}
    rows = []
    for encoders, words in (("shared", "one encoder"), ("separate", "an encoder for each channel")):
        for key, where in columns.items():
            ours, status = "not stored", "not run"
            if stored is not None:
                got = {group["model"]: group[key] for group in stored.where(encoders=encoders)}
                shown = (f"{model} {interval(loss, '.2f')}" for model, loss in got.items())
                digit = math.fsum(row["baseline_reads_digit_best"] for row in stored.rows) / len(stored.rows)
                ours, status = ", ".join(shown), _status(max(v["mean"] for v in got.values()) < digit / 2)
            rows.append((f"{words}, {where}", ours, status))
    return rows


def _status(holds: bool) -> str:
    return "reproduced" if holds else "differs"


def stored_results() -> Iterator[Result]:
    """Every stored result, in the order of their names."""
    folder = results.folder()
    found = {path.stem: path for path in sorted(folder.glob("*.json"))}
    for name in names():
        for preset in ("smoke", "cpu", "paper"):
            if path := found.get(f"{name}-{preset}"):
                yield results.read(path)


def times() -> list[tuple[str, str, str, str, str, str]]:
    """One row a stored result: experiment, preset, device, seeds, computing time, date."""
    return [
        (
            f"`{result.experiment}`",
            result.preset,
            str(result.provenance["device"]),
            Text(len(result.seeds)),
            duration(result.provenance["seconds"]),
            result.provenance["date"][:10],
        )
        for result in stored_results()
    ]


def duration(seconds: float) -> str:
    """Seconds as a reader says them."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def provenance_lines(*names: str) -> list[str]:
    """The line of each stored result of these experiments, the smoke ones left out."""
    return [r.line() for r in stored_results() if r.experiment in names and r.preset != "smoke"]
