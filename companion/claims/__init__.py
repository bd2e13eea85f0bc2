"""Entries that still return a margin; each moves to the room of its chapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from book.shared import ledger
from book.shared.ledger import Found


class Entries(list):
    """Decorator source for checks that return a margin, above 0 where the statement held."""

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
    ) -> Callable:
        def enter(check: Callable[..., float]) -> Callable[..., float]:
            enter_margin(
                label, title, chapter, check, {k: _with(check, v) for k, v in breaks.items()}, functions, source, status
            )
            return check

        return enter


def _with(check: Callable[..., float], arguments: Mapping[str, Any]) -> Callable[[], float]:
    return lambda: check(**arguments)


def enter_margin(
    label: str,
    title: str,
    chapter: str,
    check: Callable[..., float],
    breaks: Mapping[str, Callable[[], float]],
    functions: Sequence[str] = (),
    source: str = "ours",
    status: str = "proved here",
) -> None:
    def margin(of: Callable[..., float]) -> Callable[[], Found]:
        def measured() -> Found:
            return ledger.at_least("margin", of(), 5e-324)

        measured.__module__ = chapter.replace("/", ".").replace("-", "_")
        measured.__name__ = measured.__qualname__ = getattr(check, "__name__", label)
        return measured

    entry = ledger.claim(label, title, source=source, status=status, functions=tuple(functions))(margin(check))
    for what, broken in breaks.items():
        entry.breaks(what)(margin(broken))


class Claim:
    """An entry written as a value; entering it is all it does."""

    def __init__(
        self,
        label: str,
        title: str,
        source: str,
        status: str,
        chapter: str,
        check: Callable[..., float],
        breaks: Mapping[str, Callable[[], float]],
        functions: Sequence[str] = (),
    ) -> None:
        self.label, self.source, self.functions = label, source, functions
        enter_margin(label, title, chapter, check, breaks, functions, source, status)
