"""What the reference pages show: the ledger, the paper's numbers beside ours, times. Made from code and results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from companion import results
from companion.book import Markdown, Text
from companion.claims import Claim
from companion.registry import EXPERIMENTS
from companion.results import Result


def claims_table(claims: Iterable[Claim]) -> Markdown:
    """The ledger as a table of a book page: statements and functions link to where they are."""
    lines = [
        "| statement | says | source | status | breaks when | functions |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for claim in claims:
        chapter = f"/{claim.chapter}"
        demo = claim.label.startswith("demo-")
        link = f"{{doc}}`{_short(claim.label)} <{chapter}>`" if demo else f"{{prf:ref}}`{claim.label}`"
        functions = ", ".join(f"{{py:obj}}`~{name}`" for name in claim.functions)
        cells = (link, claim.title, claim.source, claim.status, "; ".join(claim.breaks), functions)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return Markdown("\n".join(lines))


def _short(label: str) -> str:
    return label.removeprefix("demo-").replace("-", " ")


def against_figure1() -> list[tuple[str, str, str]]:
    """What the paper says of Figure 1 (as summarised), what the stored result says, and whether they agree."""
    stored = results.load("figure1")
    alphas = sorted({row["alpha"] for row in stored.summary})
    low, high = alphas[0], alphas[-1]

    def mean(alpha: float, key: str, sigma: float = 0.05) -> float:
        return stored.one(alpha=alpha, sigma=sigma)[key]["mean"]

    def root(alpha: float, key: str, sigma: float = 0.05) -> float:
        return math.sqrt(mean(alpha, key, sigma))

    proportional = all(
        root(a, "once_square", 0.0) < 1e-5 and 1 <= root(a, "once_square") / 0.05 < 1.5 for a in alphas if a > 1
    )
    overlap = max(mean(a, "in_distribution") / mean(a, "in_distribution", 0.0) for a in alphas)
    degrade = all(mean(low, key) > 3 * mean(2.0, key) for key in ("in_distribution", "composition", "common_square"))
    return [
        (
            "error of tail features seen once is about proportional to the noise, slightly above it",
            f"resolved ones: {root(2.0, 'once_square'):.4f} at α = 2 for σ = 0.05, exact for σ = 0",
            _status(proportional),
        ),
        (
            "common features are learned well unless α is small",
            f"rms error {root(low, 'common_square'):.3f} at α = {low:g}, {root(2.0, 'common_square'):.4f} at 2",
            _status(root(low, "common_square") > 3 * root(2.0, "common_square")),
        ),
        (
            "in- and out-of-distribution loss are both small for large α",
            f"at α = {high:g}: {_interval(stored, high, 'in_distribution')} and "
            f"{_interval(stored, high, 'composition')}",
            _status(max(mean(high, "in_distribution"), mean(high, "composition")) < 0.02),
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


def _interval(stored: Result, alpha: float, key: str, sigma: float = 0.05) -> str:
    value = stored.one(alpha=alpha, sigma=sigma)[key]
    return f"{value['mean']:.4f} ({value['low']:.4f} to {value['high']:.4f})"


def _status(holds: bool) -> str:
    return "reproduced" if holds else "differs"


def stored_results() -> Iterator[Result]:
    """Every stored result, in the order of the registry."""
    folder = results.folder()
    found = {path.stem: path for path in sorted(folder.glob("*.json"))}
    for name in EXPERIMENTS:
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
