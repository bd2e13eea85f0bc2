"""Each function on the API page says which statements it implements and which tests use it, with links."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

from companion_address import source

ITEM = re.compile(r"(\*{0,2}[A-Za-z_]\w*(?:, \*{0,2}[A-Za-z_]\w*)*) : (.+)")
ROOT = Path(__file__).resolve().parents[2]


@cache
def statements():
    """Dotted name of a function -> the entries of the ledger that name it."""
    from book.shared.ledger import ledger

    found = {}
    for claim in ledger():
        for name in claim.functions:
            found.setdefault(name, []).append(claim)
    return found


@cache
def words():
    """Test file -> how often each word occurs in it."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return {p.relative_to(ROOT).as_posix(): Counter(re.findall(r"\w+", p.read_text(encoding="utf-8"))) for p in files}


def used_in(name, most=3):
    """The test files that use `name` most; of a name that modules share, such as `run`, those that name its module."""
    *_, module, own = name.split(".")
    shared = own in ("run", "repeat", "fit", "build", "read", "load", "path")
    found = {file: count[own] for file, count in words().items() if own in count and (not shared or module in count)}
    return sorted(sorted(found), key=found.get, reverse=True)[:most]


def draw_maps(app):
    """Handler of `builder-inited`: templates can draw the map of a page's statements."""
    from book.reference.claims import statement_map
    from book.shared.ledger import ledger

    if app.builder.format == "html":
        app.builder.templates.environment.globals["statement_map"] = lambda page: statement_map(ledger(), page).data


def say_items(app, what, name, obj, options, lines):
    """Handler of `autodoc-process-docstring`, before napoleon: "name : what it is" describes and names no type."""
    for index, line in reversed(list(enumerate(lines))):
        if item := ITEM.match(line):
            lines[index : index + 1] = [item[1], f"    {item[2]}"]


def add_links(app, what, name, obj, options, lines):
    """Handler of `autodoc-process-docstring`; what the docstring says itself is not said again."""
    if what not in ("function", "class"):
        return
    said = "\n".join(lines)
    own = [_reference(claim) for claim in statements().get(name, []) if f"`{claim.label}`" not in said]
    if own:
        lines += ["", "In the ledger: " + ", ".join(dict.fromkeys(own)) + "."]
    if files := used_in(name):
        lines += ["", "Tests: " + ", ".join(f"`{file} <{source(app.config, file)}>`__" for file in files) + "."]


def _reference(claim):
    if claim.label.startswith("demo-"):
        return f":doc:`{claim.label} </{claim.chapter}>`"
    return f":prf:ref:`{claim.label}`"
