"""The ledger as a table: what `companion claims` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from companion.claims import Outcome

HEADER = ("label", "statement", "source", "status", "margin", "breaks", "seconds", "holds")


def rows(outcomes: Iterable[Outcome]) -> list[tuple[str, ...]]:
    """One row a claim: the margin of its check (above 0 holds) and the largest margin among its breaks."""
    return [
        (
            o.claim.label,
            o.claim.title,
            o.claim.source,
            o.claim.status,
            f"{o.margin:.3g}",
            f"{len(o.breaks)}, at most {max(o.breaks.values()):.3g}",
            f"{o.seconds:.1f}",
            "yes" if o.holds else "NO",
        )
        for o in outcomes
    ]


def markdown(outcomes: Iterable[Outcome]) -> str:
    """A Markdown table of `rows`."""
    lines = [HEADER, tuple("---" for _ in HEADER), *rows(outcomes)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def text(outcomes: Iterable[Outcome]) -> str:
    """Aligned columns for a terminal."""
    lines: Sequence[tuple[str, ...]] = [HEADER, *rows(outcomes)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)
