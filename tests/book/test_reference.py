"""What the reference pages say is derived from code and stored results, and says "differs" when it should."""

import copy
import importlib
import math
import re
from pathlib import Path

import pytest

from book.reference import against, running
from book.reference import claims as pages
from book.shared.ledger import SOURCES, STATUSES, Claim, at_least, ledger
from book.shared.page import carried, interval, table
from book.shared.stored import stored_results
from companion.experiments import experiment
from companion.runner import results
from tests.book.pages import listed, source
from tests.pictures import made


def claim(label, chapter="book/x", **fields):
    def check(slope=1.0):
        return at_least("slope", slope, 0)

    check.__module__ = chapter.replace("/", ".")
    entry = Claim(label, "2 * b_i > 1", check, functions=("companion.linear.min_norm",), **fields)
    entry.breaks("without it", slope=-1.0)
    return entry


def test_the_ledger_lists_every_claim_once_under_its_chapter():
    claims = [claim("thm-a"), claim("thm-b"), claim("demo-c", chapter="book/y")]
    text = pages.claims_list(claims)
    heads = [line.split(": ")[0] for line in text.splitlines() if line.startswith("- ")]
    told = ["thm-a", "thm-b", "demo-c"]
    assert [re.search(r'id="check-([\w-]+)"', head)[1] for head in heads] == told, "where the badges lead"
    assert [head.partition("</span>")[2] for head in heads] == ["{prf:ref}`thm-a`", "{prf:ref}`thm-b`", "`demo-c`"]
    assert text.index("/book/x") < text.index("thm-b") < text.index("/book/y") < text.index("demo-c")
    assert "{prf:ref}`thm-a`" in text
    assert "`demo-c`: " in text


def chapters(claims):
    """The chapters under which the ledger's page lists these claims, in its order."""
    return [line.split("`/")[1].split("`")[0] for line in pages.claims_list(claims).splitlines() if "{doc}" in line]


def test_the_ledger_is_listed_in_reading_order():
    """Every chapter that states something, once, in the order of the table of contents."""
    stated = {claim.chapter for claim in ledger()}
    assert len(stated) > 15
    assert chapters(ledger()) == [page for page in listed() if page in stated]


@pytest.mark.parametrize(
    ("stats", "options", "shown"),
    [
        ((0.5, 0.25, 0.75), {}, "0.5 (0.25 to 0.75)"),
        ((0.1, -0.3, 0.5), {}, "0.1 (0 to 0.5)"),
        ((0.1, -0.3, 0.5), {"least": -math.inf, "fmt": "+.1f"}, "+0.1 (-0.3 to +0.5)"),
        ((2.0, math.nan, math.nan), {"fmt": ".2f"}, "2.00"),
    ],
    ids=["inside", "a loss is not negative", "a difference may be", "one run"],
)
def test_intervals_end_where_the_metric_does(stats, options, shown):
    assert interval(dict(zip(("mean", "low", "high"), stats, strict=True)), **options) == shown


def test_a_block_without_a_number_is_named_all_the_same():
    assert "{prf:ref}`Theorem <thm-paper-noisy>`: " in pages.claims_list([claim("thm-paper-noisy")])


def test_titles_are_shown_as_they_are():
    assert r"2 \* b\_i \> 1" in pages.claims_list([claim("thm-a")])


def test_counts_add_up():
    rows = pages.claims_count([claim("thm-a"), claim("thm-b", source=SOURCES[2], status=STATUSES[1])])
    assert rows[-1] == ("all", 1, 1, *(0 for _ in STATUSES[2:]))
    assert sum(sum(row[1:]) for row in rows[:-1]) == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [([1.0, 1.1, 1.2], "more"), ([-1.0, -1.1, -1.2], "less"), ([-1.0, 0.1, 1.2], "open"), ([1.0], "open")],
)
def test_a_sentence_follows_its_interval(values, said):
    assert carried(results.interval(values), above="more", below="less", open="open") == said


@pytest.mark.parametrize(
    ("mean", "low", "high", "status"),
    [
        (0.2, 0.15, 0.25, "reproduced"),  # near
        (0.3, 0.05, 0.55, "reproduced"),  # inside an interval that says something
        (1.2, -1.2, 3.6, "undecided"),
        (1.2, 0.9, 1.5, "differs"),
    ],
)
def test_a_wide_interval_proves_nothing(mean, low, high, status):
    assert against.compared(0.13, mean, low, high) == status


@pytest.fixture
def figure1(monkeypatch):
    """The stored Figure 1, which a test may change without touching the file."""
    stored = copy.deepcopy(results.load("figure1"))
    monkeypatch.setattr(results, "load", lambda name, preset="paper": stored)
    return stored


def test_figure1_reproduces_as_stored():
    """Over all features seen once the error does not follow the noise, nor do the curves of our test overlap."""
    statuses = [row[-1] for row in against.against_figure1()]
    assert [statuses.pop(i) for i in (6, 2, 1)] == ["differs", "differs", "undecided"]
    assert set(statuses) == {"reproduced"}


def test_each_theorem_with_two_readings_has_one_that_holds():
    """Noise as a part of the loss, recovery as a mass; read as the whole loss and as a count they differ."""
    statuses = [row[-1] for row in against.against_theorems()]
    assert statuses[:4] == ["reproduced", "reproduced", "reproduced", "differs"]
    assert statuses[4:] == ["reproduced", "differs", "differs", "differs"], "the fraction bounds a mass; it is no order"


@pytest.mark.parametrize(
    ("row", "alpha", "sigma", "key", "value"),
    [
        (0, 2.0, 0.0, "once_square", 0.01),
        (3, 2.0, 0.05, "common_square", 1.0),
        (4, 3.0, 0.05, "composition", 0.5),
        (5, 2.0, 0.05, "in_distribution", 1.0),
        (7, 1.0, 0.05, "composition", 1e-4),
    ],
)
def test_figure1_differs_when_the_numbers_do(figure1, row, alpha, sigma, key, value):
    figure1.one(alpha=alpha, sigma=sigma)[key].update(mean=value, low=value, high=value)
    for of_seed in figure1.select(alpha=alpha, sigma=sigma):
        of_seed[key] = value
    assert against.against_figure1()[row][-1] == "differs"


def test_what_is_not_stored_is_said_to_be_not_run(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPANION_RESULTS", str(tmp_path))
    rows = [*against.against_table1(), *against.against_networks(), *against.against_readings()]
    rows += against.against_fullsize()
    assert {row[-1] for row in rows} == {"not run"}
    assert running.times() == []
    assert against.provenance_lines("figure1") == []


def test_runs_at_the_papers_size_are_compared_after_their_last_epoch(monkeypatch):
    """One seed has no interval, so nothing is reproduced: the status says how near it is."""
    by = ("model", "weight_decay", "epoch")
    last = experiment("fullsize").presets["cpu"].epochs
    rows = [
        {**dict(zip(by, (model, decay, epoch), strict=True)), "seed": 0, "composition": loss, "train": 0.1}
        for model, decay, end in (("sum", 0.0, 1.0), ("sum", 0.5, 3.0), ("cross-channel", 0.0, 20.0))
        for epoch, loss in ((2, 40.0), (last, end))
    ]
    stored = made("fullsize", by, rows)
    monkeypatch.setattr(against, "largest", {"fullsize": stored}.get)
    found = against.against_fullsize()
    assert [row[4:] for row in found if row[2] == "pairs"] == [
        ("1.0000", "one seed, not within a factor of two"),
        ("3.0000", "one seed, within a factor of two"),
        ("20.0000", "one seed, within a factor of two"),
    ]
    assert {row[4] for row in found if row[2] == "training"} == {"0.1000"}


def test_a_reading_composes_where_its_losses_are_low(monkeypatch):
    """Three encoders compose in the channels of training only: one cell of four differs."""
    by = ("model", "encoders")
    rows = [
        {
            **dict(zip(by, (model, encoders), strict=True)),
            "weight_decay": decay,
            "seed": seed,
            "composition": 2.0 + 50 * decay,
            "composition_moved": 2.0 if encoders == "shared" else 20.0,
            "baseline_reads_digit_best": 15.0,
        }
        for model in ("sum", "linear")
        for encoders in ("shared", "separate")
        for decay in (0.0, 0.5)
        for seed in (0, 1)
    ]
    stored = {
        "slots": made("slots", by, [r for r in rows if r["encoders"] == "separate" and not r["weight_decay"]]),
        "table1": made("table1", ("model", "weight_decay"), [r for r in rows if r["encoders"] == "shared"]),
    }
    monkeypatch.setattr(results, "load", lambda name, preset: stored[name])
    found = against.against_readings()
    assert [composes for *_, composes, _ in found] == ["yes", "yes", "yes", "no"]
    assert {status for *_, status in found} == {"differs"}, "2 is no 0.17: who composes has not the paper's numbers yet"
    assert "sum 2.00 (2.00 to 2.00)" in found[0][1]


def test_pages_say_of_the_readings_what_the_intervals_say():
    """One function for the table of *Paper against ours* and for the section on the readings."""
    assert against.together(["yes", "yes"]) == "yes"
    assert against.together(["no", "not resolved"]) == "no"
    assert against.together(["yes", "no"]) == against.together(["yes", "not resolved"]) == "not resolved"
    assert "composing(" in source("book/networks/one-shots")
    rows = [
        {"model": "sum", "encoders": "shared", "seed": s, "composition": loss, "baseline_reads_digit_best": 10.0}
        for s, loss in enumerate((2.0, 3.0, 2.5))
    ]
    for scale, word in ((1, "yes"), (4, "not resolved"), (10, "no")):
        scaled = made(
            "slots", ("model", "encoders"), [{**row, "composition": scale * row["composition"]} for row in rows]
        )
        assert against.composing(scaled, "shared", "composition") == {"sum": word}


def test_each_stored_result_has_a_row_of_times():
    assert len(running.times()) == len(list(stored_results())) > 0


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "under 1 s"), (59.6, "60 s"), (600, "10 min"), (9000, "2.5 h")])
def test_durations(seconds, said):
    assert results.duration(seconds) == said


def test_tables_set_numbers_right_and_escape_the_rest():
    rows = [["x & y", 1234.5], ["3 of 5", "0.1 ± 0.2"], [10, 10_000], ["z", None]]
    page = table(["a < b", "`code`"], rows, caption="C")
    html = page._repr_html_()
    assert '<th scope="col">a &lt; b</th>' in html
    assert "<code>code</code>" in html
    for cell in ("x &amp; y", "3 of 5", "10", "z"):  # with a word in a column, and its numbers stand with it
        assert f'<td class="short">{cell}</td>' in html
    assert html.index('<p class="companion-caption">C</p>') < html.index('<div class="companion-table"')
    for cell in ("1,234", "0.1 ± 0.2", "10,000", "–"):
        assert f'<td class="number">{cell}</td>' in html
    assert repr(page).splitlines()[0].split() == ["a", "<", "b", "`code`"]


def test_a_wide_table_can_be_read_line_by_line():
    """From five columns on each cell carries the name of its column, which a phone shows beside it."""
    wide = table(["α", "`n`", "c", "d", "e & f"], [(1, 2, 3, 4, "x")])._repr_html_()
    assert re.findall(r'data-label="([^"]*)"', wide) == ["α", "n", "c", "d", "e &amp; f"]
    assert "data-label" not in table(["a", "b"], [(1, 2)])._repr_html_()


def test_a_header_may_hold_numbers_and_stands_over_them():
    html = table(["n", 10_000], [["loss", 0.5]])._repr_html_()
    assert '<th scope="col">n</th><th scope="col" class="number">10,000</th>' in html


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("-7.1", "−7.1"),
        ("-0.0 [-1.5, +1.4]", "0.0 [−1.5, +1.4]"),
        (-0.25, "−0.25"),
        ("2026-11-21", "2026-11-21"),
        (1e-9, "10⁻⁹"),
        ("1.2e+05 (7.0e-08)", "1.2·10⁵ (7.0·10⁻⁸)"),
        ("code 63482e48", "code 63482e48"),
        ("`--seeds -1`", "`--seeds -1`"),
    ],
)
def test_a_minus_is_no_hyphen(given, shown):
    assert table(["value"], [[given]]).rows == [[shown]]


def test_a_ragged_table_is_refused():
    with pytest.raises(ValueError, match="must have 2 cells"):
        table(["a", "b"], [["only one"]])


def test_functions_of_the_ledger_are_on_the_api_page():
    """The ledger's page links to them; a link to nowhere would stop the build."""
    page = (Path(__file__).resolve().parents[2] / "book/reference/api.md").read_text(encoding="utf-8")
    modules = re.findall(r"automodule:: (\S+)", page)
    for claim in ledger():
        for name in claim.functions:
            module, _, function = name.rpartition(".")
            assert module in modules, f"{name}, named by {claim.label}, is not on the API page"
            assert hasattr(importlib.import_module(module), function), name


def test_the_front_page_counts_the_verdicts_of_the_tables():
    """Every number of *What reproduces* is glued, and the counts add up to the rows of the tables."""
    rows = [("a", "1", "reproduced"), ("b", "2", "differs")]
    assert against.tally(rows, rows[:1]) == {"reproduced": 2, "differs": 1}
    numbers = against.tally(against.against_table1())
    assert set(numbers) <= {"reproduced", "differs", "undecided", "not run"}
    front = source("book/index").partition("**What reproduces.**")[2].partition("```")[0]
    assert front.count("{glue:text}") >= 8
    # figure and table names aside
    assert re.findall(r"\d", re.sub(r"\{[^`]*`[^`]*`|Figure 1|Table 1", "", front)) == []
