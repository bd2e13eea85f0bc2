"""What a chapter's cell needs beside the package: numbers for the prose, tables for the page."""

from __future__ import annotations

import dataclasses
import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from companion.runner.experiment import Experiment


class Text(str):
    """A string that a notebook shows as it is, without quotation marks."""

    def __repr__(self) -> str:
        return str(self)


class Markdown(str):
    """MyST that a page renders (a cell with `mystnb: {markdown_format: myst}`), roles and all."""

    def _repr_markdown_(self) -> str:
        return str(self)


def glue(name: str, value: Any, fmt: str | None = None) -> None:
    """Keep `value` under `name` for the sentence that says it: ``{glue:text}`name` `` in a chapter.

    Parameters
    ----------
    name
        Unique in its chapter.
    value
        A number or a string.
    fmt
        A format such as `".3f"`, `".0%"` or `","`; without one, numbers are shown to three digits.

    Outside the book (no `myst_nb`) this shows nothing and keeps nothing.

    Raises
    ------
    TypeError
        `name` is no string, or `value` neither a number nor a string.
    ValueError
        `fmt` does not fit the value.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {name!r} of type {type(name).__name__}")
    text = _short(value)
    try:
        text = format(value, fmt) if fmt else text
    except ValueError:
        raise ValueError(f"fmt must be a format that fits {value!r}, got {fmt!r}") from None
    try:
        from myst_nb import glue as keep
    except ImportError:
        return
    # a plain string: the page evaluates what is unquoted, and would read 1,980 as a pair
    keep(name, signed(text), display=False)


def interval(stats: Mapping[str, float], fmt: str = ".3g", *, least: float = 0.0) -> str:
    """A summary's "mean (low to high)", as tables and sentences show it; the mean alone where there is no interval.

    `stats`: the `mean`, `low` and `high` of a metric of a stored result. `least`: what the metric cannot be below, and
    the interval of its mean then is not shown to reach (0 for losses; -inf for differences).
    """
    mean, low, high = (stats[key] for key in ("mean", "low", "high"))
    if math.isnan(low):
        return f"{mean:{fmt}}"
    return f"{mean:{fmt}} ({max(low, least):{fmt}} to {high:{fmt}})"


def carried(stats: Mapping[str, float], *, above: str, below: str, open: str) -> str:
    """The words that the interval of a difference carries: `above` or `below` zero, `open` where it holds zero.

    A sentence so derived stays true when a longer run decides what a short one left open. `stats`: the `low` and `high`
    of a summary; `open` also where there is no interval (one run).

    >>> carried({"low": -0.4, "high": 2.1}, above="a rise", below="a fall", open="no change that 3 seeds show")
    'no change that 3 seeds show'
    """
    return above if stats["low"] > 0 else below if stats["high"] < 0 else open


# What a reader calls a setting whose name in the code is short or says something else in English.
SAID = {
    "alphas": "tail exponents α",
    "batch": "batch size",
    "beta_exponent": "decay exponent of the coefficients",
    "cases": "faults of the data",
    "common": "least n p_i of a common feature",
    "d": "features d",
    "decays": "weight decays",
    "every": "epochs between measurements",
    "first_draw": "first draw",
    "glyph": "faulty glyph",
    "hidden": "hidden units",
    "images": "images a triple",
    "judged": "worlds with scores",
    "keep": "glyphs kept",
    "lr": "peak learning rate",
    "models": "architectures",
    "n": "rows n",
    "nines": "probabilities of '9'",
    "other": "glyph beside the faulty one",
    "others": "runs with one dial elsewhere",
    "pool": "pool of images",
    "rounds": "times left out",
    "s": "features a row s",
    "shared": "shared encoder",
    "shares": "shares of the riddle",
    "sigmas": "noise levels σ",
    "source": "images",
    "starts": "initializations of a draw",
    "stem": "first layers of the ResNet",
    "sum_decays": "weight decays, world of prices",
    "task_seed": "seed of the data",
    "test_triples": "test triples in each set",
    "triples": "training triples",
    "watched": "epochs with scores",
    "wide": "wide network",
    "zipf_exponent": "exponent of the digits' Zipf law",
}


def settings_of(known: Experiment, preset: str = "cpu", caption: str = "") -> Table:
    """The settings of a preset as a table: value, whose choice it is, and why (see `setting_rows`)."""
    return table(("setting", "value", "from", "what"), setting_rows(known, preset), caption)


def setting_rows(known: Experiment, preset: str = "cpu") -> list[tuple[str, str, str, str]]:
    """(words, value, origin, reason) of each setting; where a preset leaves the paper's value, that is named too.

    The reason ends in the setting's name in the code, where that is not its words.

    ValueError for a preset that the experiment has not.
    """
    chosen = known.settings(preset)
    paper = known.presets.get("paper", chosen)
    rows = []
    for field in dataclasses.fields(chosen):
        value, papers = getattr(chosen, field.name), getattr(paper, field.name)
        origin, why = field.metadata.get("origin", "ours"), field.metadata.get("why", "")
        moved = origin == "paper" and value != papers
        words = SAID.get(field.name, field.name.replace("_", " "))
        what = why if words == field.name else f"{why} (`{field.name}`)"
        rows.append((words, _in_words(value), f"ours (paper: {_in_words(papers)})" if moved else origin, what))
    return rows


def _in_words(value: Any) -> str:
    """A setting as a reader writes it: `yes`, `32,000`, `0, 0.5`, `sum 0, sum 0.5`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(" ".join(map(_in_words, v)) if isinstance(v, tuple) else _in_words(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _short(value: Any) -> str:
    if isinstance(value, bool | int | str):
        return f"{value:,}" if type(value) is int else str(value)
    try:
        large = abs(float(value)) >= 1000
    except (TypeError, ValueError):
        shown = f"{value!r} of type {type(value).__name__}"
        raise TypeError(f"value must be a number or a string, got {shown}") from None
    return f"{value:,.0f}" if large else f"{value:.3g}"


class Table:
    """Rows under a header, shown as HTML in a page and as aligned text in a terminal."""

    def __init__(self, header: Sequence[Any], rows: Iterable[Sequence[Any]], caption: str = "") -> None:
        self.header = [_cell(name) for name in header]
        self.rows = [[_cell(value) for value in row] for row in rows]
        self.caption = caption
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"every row must have {len(self.header)} cells, one a column; got {row}")

    def _repr_html_(self) -> str:
        # The caption stands outside what scrolls, so that a phone shows all of it.
        caption = f'<p class="companion-caption">{html.escape(self.caption)}</p>' if self.caption else ""
        columns = list(zip(*self.rows, strict=True)) if self.rows else [()] * len(self.header)
        numbers = [all(map(_numeric, cells)) for cells in columns]  # a column has one alignment
        head = "".join(map(_th, self.header, numbers))
        # five columns or more do not fit a phone, where each cell then says what it is and stands on its own line
        names = self.header if len(self.header) >= 5 else [""] * len(self.header)
        cells = (map(_td, row, numbers, names) for row in self.rows)
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
        name = html.escape(self.caption or "Table")
        return (
            f'{caption}<div class="companion-table" role="region" tabindex="0" aria-label="{name}">'
            f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )

    def __repr__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.header))]
        padded = ([cell.ljust(w) for cell, w in zip(line, widths, strict=True)] for line in lines)
        return "\n".join("  ".join(line).rstrip() for line in padded)


def table(header: Sequence[Any], rows: Iterable[Sequence[Any]], caption: str = "") -> Table:
    """A small table for a page: numbers to three digits and set right, strings as given.

    ValueError when a row has not one cell for each name in `header`; TypeError for a cell that is neither a number
    nor a string nor None.
    """
    return Table(header, rows, caption)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    return signed(_short(value))


def signed(text: str) -> str:
    """A minus as a minus, not as a hyphen, none before a zero; powers of ten as such. Code is left alone."""
    if "`" in text:
        return text
    text = re.sub(r"(?<![\w.])(\d(?:\.\d+)?)e([+-]\d+)(?!\w)", _power, text)
    text = re.sub(r"(?<![\w.)-])-(?=0(?:\.0+)?(?![\d.]))", "", text)
    return re.sub(r"(?<![\w.)-])-(?=\.?\d)", "−", text)


def _power(found: re.Match[str]) -> str:
    """1.2e-05 as 1.2·10⁻⁵."""
    power = "10" + str(int(found[2])).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if float(found[1]) == 1 else f"{found[1]}·{power}"


def _inline(text: str) -> str:
    """`code` between backquotes, all else escaped."""
    parts = html.escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _numeric(text: str) -> bool:
    return bool(re.fullmatch(r"–|(under )?[+−-]?\d[\d.,]*(·10[⁻⁰¹²³⁴-⁹]+|[⁻⁰¹²³⁴-⁹]+)?( ?%)?([ ,;±(\[].*)?", text))


def _th(name: str, number: bool) -> str:
    kinds = ["number"] * number + ["long"] * (len(name) > 14)
    return '<th scope="col"' + (f' class="{" ".join(kinds)}"' if kinds else "") + f">{_inline(name)}</th>"


def _td(text: str, number: bool, name: str = "") -> str:
    if name:
        return _td(text, number).replace("<td", f'<td data-label="{html.escape(name.replace("`", ""))}"', 1)
    if number:
        value, mark, rest = html.escape(text).partition(" (")
        # an interval may go below its number, so that a table of intervals fits the page
        return f'<td class="number">{value} <span>({rest}</span></td>' if mark else f'<td class="number">{value}</td>'
    width = ' class="long"' if len(text) > 28 else ' class="short"' if len(text) <= 20 else ""
    return f"<td{width}>{_inline(text)}</td>"
