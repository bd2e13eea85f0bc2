"""The ledger: every numbered statement of the book, with a check that measures it and ways to break it.

A check is a function that returns what it *found*: the statement's own quantities, each with the limits between which
the statement puts it. A break is the same check with one hypothesis dropped or one constant moved; what it finds has to
leave the limits, otherwise the check would have passed whatever the statement said.

Checks stand in the room of their chapter, ``book/<part>/<chapter>.py``, in the order of the page::

    @claim("thm-any-interpolator", "Every interpolator is right on the closure", functions=("companion.linear.peel",))
    def any_interpolator(alpha=2.0, sigma=0.0):
        ...
        return at_most("largest error over three interpolators", error, 1e-7)


    any_interpolator.breaks("noisy labels", sigma=0.05)


    @any_interpolator.breaks("all seen features instead of the closure")
    def all_seen(): ...

Every quantity of a check needs teeth: some break takes it out of its limits, or it does so when its limits are drawn in
by a factor that the claim states (``teeth``), or the claim says why neither can be (``blunt``). A factor is between a
half and two: a bound that could be three times as large and still pass says nothing of its size.

On the page, ``chapter.any_interpolator.checked()`` runs both and shows what was found, and the source.
"""

from __future__ import annotations

import ast
import functools
import html
import inspect
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from book.shared import evidence, proofs
from book.shared.page import signed

SOURCES = ("paper (as summarised)", "ours", "published elsewhere")
STATUSES = ("proved here", "checked", "reproduced", "differs", "conjecture")
HOME = Path(__file__).resolve().parents[1]


class Found(NamedTuple):
    """A quantity that a check found, and where the statement says that it lies."""

    what: str
    value: float
    low: float = -math.inf
    high: float = math.inf

    @property
    def holds(self) -> bool:
        """Whether the value is within its limits; NaN never is."""
        return self.low <= self.value <= self.high

    def drawn_in(self, factor: float) -> Found:
        """The same value with its upper limit times `factor` and its lower one divided by it."""
        return self._replace(low=self.low / factor, high=self.high * factor)

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.what}: {self.value:.4g} (must be {self.low:.4g})"
        limits = [f"at least {self.low:.3g}"] * (self.low > -math.inf) + [f"at most {self.high:.3g}"] * (
            self.high < math.inf
        )
        return f"{self.what}: {self.value:.3g} ({', '.join(limits)})"


def at_most(what: str, value: float, limit: float) -> Found:
    """`value` of `what`, which the statement bounds from above."""
    return Found(what, float(value), high=float(limit))


def at_least(what: str, value: float, limit: float) -> Found:
    """`value` of `what`, which the statement bounds from below."""
    return Found(what, float(value), low=float(limit))


def between(what: str, value: float, low: float, high: float) -> Found:
    """`value` of `what`, which the statement bounds from both sides."""
    return Found(what, float(value), float(low), float(high))


def exactly(what: str, value: float, expected: float) -> Found:
    """A count, or another number without rounding, which the statement says exactly."""
    return Found(what, float(value), float(expected), float(expected))


Check = Callable[..., "Found | Sequence[Found]"]
AnyCheck = TypeVar("AnyCheck", bound=Check)


@dataclass(eq=False)
class Claim:
    """One numbered statement with its check; called like the check itself.

    Attributes
    ----------
    label: the ``prf`` label in the book (``thm-...``, ``lem-...``), or ``demo-...`` for a demonstration.
    title: one line, as a reader would say it.
    check: returns what was found, one `Found` or several, all of which must hold.
    source: one of `SOURCES`.
    status: one of `STATUSES`.
    functions: dotted names of the functions that implement the statement.
    teeth: words of a quantity -> the factor by which its limits can be drawn in, so that it leaves them.
    blunt: words of a quantity -> why no break takes it out of its limits.
    broken: what was changed -> the check so changed, which has to find something outside its limits.
    """

    label: str
    title: str
    check: Check
    source: str = "ours"
    status: str = "proved here"
    functions: tuple[str, ...] = ()
    teeth: dict[str, float] = field(default_factory=dict)
    blunt: dict[str, str] = field(default_factory=dict)
    broken: dict[str, Check] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"source of {self.label!r} is {self.source!r}; expected one of {SOURCES}")
        if self.status not in STATUSES:
            raise ValueError(f"status of {self.label!r} is {self.status!r}; expected one of {STATUSES}")
        if not all(0.5 <= factor < 1 for factor in self.teeth.values()):
            raise ValueError(f"teeth of {self.label!r} are {self.teeth}; expected factors from 0.5 to below 1")
        functools.update_wrapper(self, self.check)

    def __call__(self, *args: Any, **changed: Any) -> Any:
        return self.check(*args, **changed)

    def breaks(self, what: str, **changed: Any) -> Callable[[AnyCheck], AnyCheck]:
        """Enter a way to break the statement: the check with the arguments `changed`, or, without any, a decorator."""

        def enter(check: AnyCheck) -> AnyCheck:
            self.broken[what] = check
            return check

        if changed:
            enter(functools.partial(self.check, **changed))
        return enter

    @property
    def chapter(self) -> str:
        """The page that states it, without extension: ``book/linear/recovery``."""
        return self.check.__module__.replace(".", "/").replace("_", "-")

    def run(self) -> Outcome:
        """Run the check and everything that breaks it.

        An exception is a defect of the check, not a failed statement, and is not caught.
        """
        if not self.broken:
            raise ValueError(f"claim {self.label!r} has no break: at least one way to make it fail is expected")
        start = time.perf_counter()
        found = _several(self.check())
        broken = {what: _several(check()) for what, check in self.broken.items()}
        for quantity in (*found, *(q for several in broken.values() for q in several)):
            if math.isnan(quantity.value):
                raise ValueError(f"claim {self.label!r} found NaN for {quantity.what!r}: it has to be a number")
        return Outcome(self, found, broken, time.perf_counter() - start)

    def checked(self) -> Outcome:
        """Run it for a page, where the outcome shows itself; AssertionError if the statement or a break fails."""
        outcome = self.run()
        assert outcome.holds, f"{self.label} is not as stated: {outcome!r}"
        return outcome


_ENTERED: dict[str, Claim] = {}


def claim(
    label: str,
    title: str,
    *,
    source: str = "ours",
    status: str = "proved here",
    functions: tuple[str, ...] = (),
    teeth: dict[str, float] | None = None,
    blunt: dict[str, str] | None = None,
) -> Callable[[Check], Claim]:
    """Decorator that enters a check into the ledger (see `Claim` for the arguments).

    ValueError: another check has this label already.
    """

    def enter(check: Check) -> Claim:
        before = _ENTERED.get(label)
        if before is not None and (before.chapter, before.check.__name__) != (_page(check), check.__name__):
            raise ValueError(f"label {label!r} is used by {before.chapter} and by {_page(check)}")
        _ENTERED[label] = Claim(label, title, check, source, status, functions, teeth or {}, blunt or {})
        return _ENTERED[label]

    return enter


def _page(check: Check) -> str:
    return check.__module__.replace(".", "/").replace("_", "-")


def _several(found: Found | Sequence[Found]) -> tuple[Found, ...]:
    return (found,) if isinstance(found, Found) else tuple(found)


class Outcome(NamedTuple):
    """What running one claim found, with its check and with each break, and the seconds that took."""

    claim: Claim
    found: tuple[Found, ...]
    broken: dict[str, tuple[Found, ...]]
    seconds: float

    @property
    def holds(self) -> bool:
        """The statement held and every break made it fail."""
        return all(q.holds for q in self.found) and not any(all(q.holds for q in b) for b in self.broken.values())

    @property
    def toothless(self) -> list[str]:
        """Quantities that no break and no stated factor takes out of their limits, and no reason excuses."""
        claim = self.claim
        aligned = [found for found in self.broken.values() if len(found) == len(self.found)]
        red = {quantity.what for found in self.broken.values() for quantity in found if not quantity.holds}
        return [
            quantity.what
            for i, quantity in enumerate(self.found)
            if quantity.what not in red
            and all(found[i].holds for found in aligned)
            and all(quantity.drawn_in(factor).holds for words, factor in claim.teeth.items() if words in quantity.what)
            and not any(words in quantity.what for words in claim.blunt)
        ]

    def __repr__(self) -> str:
        lines = [f"{self.claim.label}: {'; '.join(map(str, self.found))}"]
        return "\n".join([*lines, *(f"  broken by {what}: {_worst(found)}" for what, found in self.broken.items())])

    @property
    def quantities(self) -> list[dict[str, Any]]:
        """What was found, as data: each quantity with its limits, None where there is none."""
        return [
            {"what": q.what, "value": q.value, **{k: v if math.isfinite(v) else None for k, v in limits.items()}}
            for q in self.found
            for limits in ({"low": q.low, "high": q.high},)
        ]

    def _repr_html_(self) -> str:
        """What was found, behind a badge that leads to the ledger; the check and its breaks folded below."""
        found, *more = (f"<p>{_shown(str(quantity))}</p>" for quantity in self.found)
        rest = (
            f"<details><summary>And {len(more)} more</summary>{''.join(more)}</details>"
            if len(more) > 2
            else "".join(more)
        )
        breaks = "".join(
            f"<p>{_shown(_sentence(what))}: {_shown(_worst(quantities))}. The check fails, as it should.</p>"
            + _code(source(self.claim.broken[what]))
            for what, quantities in self.broken.items()
        )
        breaks += "".join(
            f"<p>{_shown(_sentence(words))}, limits drawn in by {factor:g}: the check fails, as it should.</p>"
            for words, factor in self.claim.teeth.items()
        ) + "".join(
            f"<p>{_shown(_sentence(words))} is not broken: {_shown(why)}.</p>"
            for words, why in self.claim.blunt.items()
        )
        return (
            f'<div class="companion-checked" data-found="{html.escape(json.dumps(self.quantities))}">'
            f'<a class="badge" href="../reference/claims.html#check-{self.claim.label}">checked</a>{found}{rest}'
            f"<details><summary>How this is checked</summary>{_code(source(self.claim.check))}</details>"
            f"<details><summary>Break it</summary>{breaks}</details>"
            f"{_by_machine(self.claim.label)}{_certified(self.claim.label)}{_nearest(self.claim.label)}</div>"
        )


def _worst(found: Sequence[Found]) -> str:
    """The quantities that left their limits; all of them where none did."""
    return "; ".join(str(q) for q in [q for q in found if not q.holds] or found)


def _shown(text: str) -> str:
    """A line for a page: powers of ten and minus signs set as such, markup escaped."""
    return html.escape(signed(text))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def source(check: Check) -> str:
    """The source of a check; of a break by arguments, the call."""
    if isinstance(check, functools.partial):
        changed = ", ".join(f"{name}={_given(value)}" for name, value in check.keywords.items())
        return f"{check.func.__name__}({changed})"
    text = inspect.getsource(check)
    return text[text.find("def ") :] if text.startswith("@") else text


def _given(value: Any) -> str:
    """An argument as code has it: a function by its name, or, where it has none, by its expression."""
    if not inspect.isfunction(value):
        return repr(value)
    if value.__name__ != "<lambda>":
        return value.__name__
    tree, line = ast.parse(inspect.getsource(sys.modules[value.__module__])), value.__code__.co_firstlineno
    return next(ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Lambda) and n.lineno == line)


def _by_machine(label: str) -> str:
    """The theorems of a proof assistant that are of the statement, folded; nothing where there are none."""
    shown = "".join(
        f"<p>{html.escape(proof.words)}</p>{_code(proof.statement + proof.proof, 'coq')}" for proof in proofs.of(label)
    )
    return shown and f"<details><summary>Proved by a machine, in Coq</summary>{shown}</details>"


def _certified(label: str) -> str:
    """The page's numbers that are certified, folded; nothing where there are none."""
    shown = "".join(f"<p>{_shown(_sentence(words))}.</p>" for words in map(evidence.words, evidence.certified(label)))
    return shown and f"<details><summary>Certified numbers</summary>{shown}</details>"


def _nearest(label: str) -> str:
    """The world that came closest to refuting the statement, folded; nothing where it was not hunted."""
    found = evidence.nearest(label)
    if found is None:
        return ""
    world = "\n".join(f"{name} = {value}" for name, value in found["world"].items())
    lines = (f"{_sentence(evidence.margin_words(found))}.", evidence.change_words(found))
    said = "".join(f"<p>{_shown(line)}</p>" for line in lines)
    return f"<details><summary>The nearest counterexample</summary>{said}{_code(world)}</details>"


def _code(source: str, language: str = "python") -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    return highlight(source, get_lexer_by_name(language), HtmlFormatter(cssclass="highlight"))


def rooms() -> list[str]:
    """The rooms of the book, as module names: ``book.linear.recovery``. Each stands beside its page."""
    files = sorted(HOME.glob("[a-z]*/[a-z]*.py"))
    return [f"book.{file.parent.name}.{file.stem}" for file in files if file.with_name(_md(file)).exists()]


def _md(file: Path) -> str:
    return file.stem.replace("_", "-") + ".md"


def ledger() -> tuple[Claim, ...]:
    """Every claim of every room, in the order of the contents where there are some, else of the folders.

    A room that needs a package that is not installed is left out, and `missing` names it.
    """
    missing()
    contents = HOME.parent / "_toc.yml"
    order = contents.read_text(encoding="utf-8").split() if contents.is_file() else []
    place = {page: i for i, page in enumerate(order)}
    return tuple(sorted(_ENTERED.values(), key=lambda entry: place.get(entry.chapter, len(place))))


@functools.cache
def missing() -> dict[str, str]:
    """Rooms that cannot be imported here -> the package that they lack."""
    lacking = {}
    for room in rooms():
        try:
            import_module(room)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] in ("book", "companion"):
                raise
            lacking[room] = error.name
    return lacking


def run(claims: Iterable[Claim] | None = None) -> list[Outcome]:
    """Run checks and breaks of the given claims (all of the ledger unless given)."""
    return [entry.run() for entry in (ledger() if claims is None else claims)]


HEADER = ("label", "statement", "source", "status", "machine", "certified", "found", "breaks", "seconds", "holds")


def rows(outcomes: Iterable[Outcome]) -> list[tuple[str, ...]]:
    """One row a claim, for a table: what its check found, and how many breaks there are."""
    return [
        (
            o.claim.label,
            o.claim.title,
            o.claim.source,
            o.claim.status,
            "Coq" if proofs.of(o.claim.label) else "",
            str(len(evidence.certified(o.claim.label)) or ""),
            "; ".join(map(str, o.found)),
            str(len(o.broken)),
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
    """For a terminal: a line of columns a claim, and what was found below it."""
    table = rows(outcomes)
    widths = [max((len(row[i]) for row in table), default=0) for i in range(len(HEADER))]
    lines = []
    for row in table:
        head = "  ".join(row[i].ljust(widths[i]) for i in (0, 1, 2, 3, 4, 5, 7, 8, 9)).rstrip()
        lines += [head, f"    {row[6]}"]
    return "\n".join(lines)
