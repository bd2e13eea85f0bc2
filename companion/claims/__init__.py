"""The ledger: every numbered statement of the book, with a check that measures it and ways to break it.

A check is a function of no arguments that returns a *margin*: above 0 the statement held, at or below 0
it failed. A break is the same check with one hypothesis dropped or one constant moved; its margin has to
be at or below 0, otherwise the check would have passed whatever the statement said.

Each area keeps its entries in a module of this package that exposes ``CLAIMS``, a sequence of `Claim`. Where the
breaks are the check with other arguments, `Entries` writes each entry over its check.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar

__all__ = ["SOURCES", "STATUSES", "Claim", "Entries", "Outcome", "ledger", "run"]

SOURCES = ("paper (as summarised)", "ours", "published elsewhere")
STATUSES = ("proved here", "checked", "reproduced", "differs", "conjecture")
Check = TypeVar("Check", bound=Callable[..., float])
AREAS = (
    *("structure", "recovery", "density", "minimum_norm", "noiseless", "noise", "turning_off"),
    *("composition", "landscape", "dispute", "networks"),
)


@dataclass(frozen=True)
class Claim:
    """One numbered statement.

    Attributes
    ----------
    label: the ``prf`` label in the book (``thm-...``, ``lem-...``), or ``demo-...`` for a demonstration.
    title: one line, as a reader would say it.
    source: one of `SOURCES`.
    status: one of `STATUSES`.
    chapter: path of the chapter without extension, for example ``book/linear/recovery``.
    check: returns the margin; above 0 means that the statement held.
    breaks: what was changed -> the margin then, which has to be at or below 0.
    functions: dotted names of the functions that implement the statement.
    """

    label: str
    title: str
    source: str
    status: str
    chapter: str
    check: Callable[[], float]
    breaks: Mapping[str, Callable[[], float]] = field(default_factory=dict)
    functions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"source of {self.label!r} is {self.source!r}; expected one of {SOURCES}")
        if self.status not in STATUSES:
            raise ValueError(f"status of {self.label!r} is {self.status!r}; expected one of {STATUSES}")
        if not self.breaks:
            raise ValueError(f"claim {self.label!r} has no break: at least one way to make it fail is expected")


class Entries(list[Claim]):
    """The entries of one area, in the order in which its checks are written, which is that of the book."""

    def add(
        self,
        label: str,
        title: str,
        chapter: str,
        *,
        breaks: Mapping[str, Mapping[str, Any]],
        functions: tuple[str, ...] = (),
        source: str = "ours",
        status: str = "proved here",
    ) -> Callable[[Check], Check]:
        """Decorator that enters a check, as a `Claim`; a break is the same check with the arguments given for it."""

        def enter(check: Check) -> Check:
            broken = {name: partial(check, **arguments) for name, arguments in breaks.items()}
            self.append(Claim(label, title, source, status, chapter, check, broken, functions))
            return check

        return enter


class Outcome(NamedTuple):
    """What running one claim gave: margins (above 0 holds) and the seconds it took."""

    claim: Claim
    margin: float
    breaks: dict[str, float]
    seconds: float

    @property
    def holds(self) -> bool:
        """The check passed and every break made it fail (a margin that is NaN counts as neither)."""
        return self.margin > 0 and all(margin <= 0 for margin in self.breaks.values())


def ledger() -> tuple[Claim, ...]:
    """Every claim of every area that is installed, in the order of the book.

    Raises
    ------
    ValueError: two claims share a label.
    """
    claims: list[Claim] = []
    for area in AREAS:
        name = f"{__name__}.{area}"
        if find_spec(name) is not None:
            claims.extend(import_module(name).CLAIMS)
    labels = [claim.label for claim in claims]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ValueError(f"labels used by more than one claim: {', '.join(twice)}")
    return tuple(claims)


def run(claims: Iterable[Claim] | None = None) -> list[Outcome]:
    """Run checks and breaks of the given claims (all of the ledger unless given).

    A check that raises is a defect of the ledger, not a failed statement: the exception is not caught.
    """
    outcomes = []
    for claim in ledger() if claims is None else claims:
        start = time.perf_counter()
        margin = float(claim.check())
        breaks = {name: float(broken()) for name, broken in claim.breaks.items()}
        if math.isnan(margin) or any(math.isnan(value) for value in breaks.values()):
            raise ValueError(f"claim {claim.label!r} returned NaN: a margin has to be a number")
        outcomes.append(Outcome(claim, margin, breaks, time.perf_counter() - start))
    return outcomes
