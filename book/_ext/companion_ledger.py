"""What the site says of the ledger: links from functions to statements and tests, maps, and files for machines."""

import html
import json
import re
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

from companion_address import source

from book.index import draw_card
from book.reference.claims import for_machines, statement_map
from book.shared.crate import CRATE, crate
from book.shared.ledger import HOME, ledger

ITEM = re.compile(r"(\*{0,2}[A-Za-z_]\w*(?:, \*{0,2}[A-Za-z_]\w*)*) : (.+)")
FOUND = re.compile(
    r'class="companion-checked" data-found="([^"]*)">\s*<a class="badge" href="[^"]*#check-([a-z0-9-]+)"'
)
TESTS = HOME.parent / "tests"


def draw_maps(app):
    """Handler of `builder-inited`: templates can draw the map of a page's statements."""
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
    own = [claim for claim in ledger() if name in claim.functions and f"`{claim.label}`" not in said]
    if own:
        lines += ["", "In the ledger: " + ", ".join(dict.fromkeys(map(_reference, own))) + "."]
    if files := used_in(name):
        lines += ["", "Tests: " + ", ".join(f"`{file} <{source(app.config, file)}>`__" for file in files) + "."]


def _reference(claim):
    if claim.label.startswith("demo-"):
        return f":doc:`{claim.label} </{claim.chapter}>`"
    return f":prf:ref:`{claim.label}`"


@cache
def words():
    """Test file -> how often each word occurs in it."""
    return {
        path.relative_to(TESTS.parent).as_posix(): Counter(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        for path in sorted(TESTS.rglob("test_*.py"))
    }


def used_in(name, most=3):
    """The test files that use `name` most; of a name that modules share, such as `run`, those that name its module."""
    *_, module, own = name.split(".")
    shared = own in ("run", "repeat", "fit", "build", "read", "load", "path")
    found = {file: count[own] for file, count in words().items() if own in count and (not shared or module in count)}
    return sorted(found, key=found.get, reverse=True)[:most]


def write(app, error):
    """Handler of `build-finished`: claims.json with what checks found, stored results, an RO-Crate, the card."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = [path.read_text(encoding="utf-8") for path in sorted((out / "book").rglob("*.html"))]
    found = {label: json.loads(html.unescape(said)) for page in pages for said, label in FOUND.findall(page)}
    (out / "claims.json").write_text(json.dumps(for_machines(ledger(), found), indent=1), encoding="utf-8")
    ignored = shutil.ignore_patterns(".*", "*.damaged*")  # a run that has not ended, and what was set aside
    shutil.copytree(HOME / "results", out / "results", ignore=ignored, dirs_exist_ok=True)
    results, repository = sorted((HOME / "results").glob("*.json")), app.config.html_theme_options["repository_url"]
    described = crate(results, ledger(), repository=repository)
    (out / CRATE).write_text(json.dumps(described, indent=1), encoding="utf-8")
    draw_card(out / "_static" / "card.png", app.config.project, size=(1200, 630))  # as _templates/layout.html says
