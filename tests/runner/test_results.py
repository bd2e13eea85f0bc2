"""Stored results: written whole, read back equal, refused when stale."""

import dataclasses
import json
import math
import shlex
import shutil
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import platformdirs
import pytest
from scipy.stats import sem, t

import book
from companion import _files
from companion.__main__ import main
from companion.experiments import experiment
from companion.runner import results
from companion.runner.experiment import Experiment, setting, settings_dict
from companion.runner.run import run
from tests import agreement


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    run(experiment("figure1"), "smoke", out=out, seeds=3)
    return out


def test_result_reads_back(stored):
    result = results.load("figure1", "smoke", root=stored)
    known = experiment("figure1")
    assert result.settings == settings_dict(known.presets["smoke"])
    assert result.seeds == [0, 1, 2]
    assert {row["seed"] for row in result.rows} == {0, 1, 2}
    assert not result.code_changed
    assert result.line().count("\n") == 0
    assert result.command in result.line()
    group = result.summary[0]
    assert result.one(**{k: group[k] for k in result.by}) == group
    with pytest.raises(LookupError, match="0 groups"):
        result.one(**{result.by[0]: "no such value"})


def test_interval_is_students():
    values = [1.0, 2.0, 4.0, math.nan]
    got = results.interval(values)
    mean, half = np.mean(values[:3]), t.ppf(0.975, 2) * np.std(values[:3], ddof=1) / np.sqrt(3)
    assert got["n"] == 3
    np.testing.assert_allclose([got["mean"], got["low"], got["high"]], [mean, mean - half, mean + half])
    assert math.isnan(results.interval([1.0])["low"])
    assert math.isnan(results.interval([])["mean"])


def test_interval_covers_at_its_level():
    """95% intervals of five normal values hold the mean about 95 times in a hundred."""
    draws = np.random.default_rng(0).normal(size=(4000, 5))
    spans = [results.interval(row) for row in draws]
    covered = np.mean([s["low"] < 0 < s["high"] for s in spans])
    assert abs(covered - 0.95) < 0.012


def test_other_settings_are_refused_with_the_command(stored, tmp_path):
    data = json.loads(results.path("figure1", "smoke", stored).read_text())
    key = next(iter(data["settings"]))
    data["settings"][key] = "changed"
    results.path("figure1", "smoke", tmp_path).write_text(json.dumps(data))
    with pytest.raises(results.StaleResult, match=f"{key}: stored 'changed'.*companion run figure1 --preset smoke"):
        results.load("figure1", "smoke", root=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("{}", "cannot be read"),
        ('{"format": 0}', "format must be 1, got 0"),
        ("[1, 2", "cannot be read"),
        ('{"format": 1, "rows": 3}', "cannot be read"),
    ],
)
def test_broken_files_are_named(tmp_path, text, message):
    results.path("figure1", "smoke", tmp_path).write_text(text)
    with pytest.raises(ValueError, match=message):
        results.load("figure1", "smoke", root=tmp_path)


def test_missing_result_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="make it with: companion run figure1 --preset smoke"):
        results.load("figure1", "smoke", root=tmp_path)
    with pytest.raises(ValueError, match="preset of figure1 must be one of"):
        results.load("figure1", "huge", root=tmp_path)


def test_nothing_is_half_written(tmp_path):
    """A write that fails in the middle leaves the old file and no temporary one."""
    file = tmp_path / "a.json"
    file.write_text("old")

    def fail():
        with _files.replacing(file) as temporary:
            temporary.write_text("ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("file", sorted(results.folder().glob("*-*.json")), ids=lambda f: f.stem)
def test_every_stored_result_belongs_to_the_code(file):
    """Each file in book/results has the settings the code now holds, its own name, and rows for every cell and seed."""
    found = results.read(file)
    assert file.name == f"{found.name}.json"
    result = results.load(found.experiment, found.preset)
    known = experiment(found.experiment)
    cells = known.cells(known.presets[found.preset])
    for cell in cells:
        seeds = {row["seed"] for row in result.rows if all(row[k] == v for k, v in cell.items())}
        assert seeds == set(result.seeds), cell
    for said, group in zip(json.loads(file.read_text())["summary"], result.summary, strict=True):
        assert said.keys() == group.keys()
        for key, value in said.items():
            assert results._without_nan(group[key]) == pytest.approx(value), "what the file says of its rows"


@pytest.mark.parametrize("file", sorted(results.folder().glob("*-smoke.json")), ids=lambda f: f.stem)
def test_smoke_results_are_remade_equal(file, tmp_path):
    """Running the first seed of a smoke preset now gives the stored rows: the code still makes what is shown.

    On another make of CPU, or with another torch, networks end elsewhere: then everything that was not trained is
    equal, and what was trained is among what the stored runs gave. Of many cells that train, the first is remade.
    """
    old = results.read(file)
    known = experiment(old.experiment)
    cells = known.cells(known.presets["smoke"])
    cells = cells[:1] if known.trains and len(cells) > 2 else cells
    run(dataclasses.replace(known, cells=lambda _: cells), "smoke", out=tmp_path, seeds=1)
    new = results.read(results.path(old.experiment, "smoke", tmp_path))
    networks = agreement.same_networks(old.provenance, new.provenance)
    agreement.assert_same([row for cell in cells for row in old.select(seed=0, **cell)], new.rows, networks=networks)
    if not networks:
        agreement.assert_alike(old.rows, new.rows, [key for key in old.by if key != "item"])


MADE = {"device": "a", "versions": {"torch": "2"}}


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        (MADE, MADE, True),
        (MADE, {**MADE, "device": "b"}, False),
        (MADE, {**MADE, "versions": {"torch": "3"}}, False),
        ({"device": "a", "versions": {}}, {"device": "b", "versions": {"torch": "2"}}, True),
    ],
    ids=["same", "other device", "other torch", "no torch"],
)
def test_networks_are_the_same_on_the_same_device_with_the_same_torch(then, now, same):
    assert agreement.same_networks(then, now) is same


def test_what_is_no_trained_number_is_compared_on_every_machine():
    row = {"model": "sum", "item": 3, "loss": 2.0, "gap": math.nan, "iterations": 241, "seconds": 1.0}
    other = {**row, "loss": 2.5, "iterations": 238, "seconds": 9.0}
    agreement.assert_same([row], [other], networks=False)
    for changed in (
        {"model": "linear"},
        {"item": 4},
        {"item": 3.0},
        {"loss": 2},
        {"gap": 0.0},
        {"iterations": 300},
        {"extra": 0},
    ):
        with pytest.raises(AssertionError):
            agreement.assert_same([row], [{**other, **changed}], networks=False)
    with pytest.raises(AssertionError):
        agreement.assert_same([row], [other], networks=True)
    with pytest.raises(AssertionError):
        agreement.assert_same([row, row], [other], networks=False)


def test_what_other_networks_count_or_choose_differs_and_keeps_its_kind():
    row = {"kind": "memorized", "rank": 0, "row": 3, "picture": "0f", "halves_strong": math.nan}
    other = {**row, "row": 5, "picture": "f0", "halves_strong": 0.5}
    agreement.assert_same([row], [other], networks=False)
    for changed in ({"row": 5.0}, {"picture": 1}, {"rank": 1}, {"kind": "pair"}, {"halves_strong": 1}):
        with pytest.raises(AssertionError):
            agreement.assert_same([row], [{**other, **changed}], networks=False)
    with pytest.raises(AssertionError):
        agreement.assert_same([row], [other], networks=True)


def test_a_network_that_was_not_trained_is_noticed():
    """The stored runs of `measured` agree with each other, and not with losses ten times as large."""
    old = results.load("measured", "smoke")
    by = [key for key in old.by if key != "item"]
    for seed in old.seeds:
        rest = [row for row in old.rows if row["seed"] != seed]
        agreement.assert_alike(rest, old.select(seed=seed), by)
        worse = [{**row, "square": 10 * row["square"]} for row in old.select(seed=seed)]
        with pytest.raises(AssertionError, match="square"):
            agreement.assert_alike(rest, worse, by)


@dataclasses.dataclass(frozen=True)
class Small:
    grid: tuple[int, ...] = setting((1, 2), "two cells")


ROWS = [
    {"a": 1, "seed": 0, "value": 2.0, "flag": True, "word": "x", "many": (1.0, {"deep": math.nan})},
    {"a": 1, "seed": 1, "value": 4.0, "flag": False, "word": "y", "late": 7},
    {"a": 2, "seed": 0, "value": math.nan, "flag": True, "word": "x"},
]


MADE_BY = {"device": "a box", "versions": {"python": "3"}, "code": "0", "date": "2026-02-03T04:05:06Z", "seconds": 1.5}


def small(by=()):
    return Experiment("small", {"smoke": Small()}, {"smoke": 2}, lambda s: [{"a": a} for a in s.grid], len, by=by)


@pytest.fixture
def written(tmp_path):
    return results.save(small(), "smoke", range(2), ROWS, MADE_BY, tmp_path / "new")


def test_what_is_saved_is_what_is_read(written):
    """NaN survives at any depth, tuples come back as lists, and nothing else changes."""
    found = results.read(written)
    assert written.name == "small-smoke.json"
    assert (found.experiment, found.preset, found.name) == ("small", "smoke", "small-smoke")
    assert found.settings == {"grid": [1, 2]}
    assert found.seeds == [0, 1]
    assert found.by == ("a",), "the cell's keys, when the experiment names none"
    assert found.provenance == MADE_BY
    np.testing.assert_equal(found.rows, [{**ROWS[0], "many": [1.0, {"deep": math.nan}]}, *ROWS[1:]])
    np.testing.assert_equal(found.summary, results.summarise(ROWS, ("a",)))


def test_a_result_file_has_one_row_a_line(written):
    """A renewed result then gives a difference that can be read."""
    lines = written.read_text(encoding="utf-8").splitlines()
    as_rows = [line.rstrip(",") for line in lines if '"seed": ' in line]
    assert [json.loads(line)["word"] for line in as_rows] == ["x", "y", "x"]
    assert "NaN" not in written.read_text(encoding="utf-8"), "plain JSON"


def test_an_experiment_may_name_its_groups(tmp_path):
    found = results.read(results.save(small(by=("word",)), "smoke", [0, 1], ROWS, MADE_BY, tmp_path))
    assert found.by == ("word",)
    assert found.one(word="x")["value"]["n"] == 1
    assert [row["a"] for row in found.select(word="x")] == [1, 2]
    assert found.select(word="x", a=2) == [found.rows[2]]
    assert found.where(word="z") == []
    with pytest.raises(LookupError, match=r"2 groups of small-smoke match {}; there are .*'word', 'x'.*'word', 'y'"):
        found.one()


def test_groups_of_mixed_kinds_are_listed_too(tmp_path):
    """Keys that cannot be compared with each other (a word, a number, nothing) do not spoil the message."""
    rows = [{"word": word, "seed": 0, "value": 1.0} for word in ("x", 2, None)]
    found = results.read(results.save(small(by=("word",)), "smoke", [0], rows, MADE_BY, tmp_path))
    with pytest.raises(LookupError, match="0 groups of small-smoke"):
        found.one(word="y")


def test_intervals_are_of_numbers():
    with pytest.raises(TypeError, match="got 'a' of type str"):
        results.interval([1.0, "a"])
    with pytest.raises(ValueError, match="finite numbers or NaN"):
        results._json({"value": math.inf})


def test_summaries_hold_the_measured_fields_of_each_group():
    """Numbers are summarised, flags, words, seeds and the group's own keys are not; a row may lack a field."""
    one, two = results.summarise(ROWS, ["a"])
    assert list(one) == ["a", "value", "late"]
    assert one["a"] == 1
    np.testing.assert_equal(one["value"], results.interval([2.0, 4.0]))
    np.testing.assert_equal(one["late"], results.interval([7]))
    assert list(two) == ["a", "value"]
    assert two["value"]["n"] == 0


@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0], [3.0, -1.0], [1e6, 1e6 + 1, 1e6 + 3, 1e6]])
def test_interval_is_scipys(values):
    got = results.interval(values)
    low, high = t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=sem(values))
    np.testing.assert_allclose([got["low"], got["high"]], [low, high])
    np.testing.assert_allclose(got["sd"], np.std(values, ddof=1))


def test_one_value_has_a_mean_and_no_spread():
    np.testing.assert_equal(
        results.interval([2.0]), {"mean": 2.0, "sd": math.nan, "n": 1, "low": math.nan, "high": math.nan}
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "under 1 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2.0 h"), (9e6, "2500.0 h")],
)
@pytest.mark.parametrize("changed", [False, True])
def test_a_result_says_in_one_line_where_it_comes_from(monkeypatch, seconds, said, changed):
    monkeypatch.setattr(results, "experiment", lambda name: small())
    monkeypatch.setattr(Experiment, "code", "new" if changed else "old")
    provenance = {
        "device": "a box",
        "versions": {"python": "3.12", "numpy": "2.0"},
        "code": "old",
        "date": "2026-02-03T04:05:06Z",
        "seconds": seconds,
    }
    found = results.Result("small", "smoke", {}, [0], ("a",), ROWS, [], provenance)
    assert found.code_changed is changed
    assert found.line() == (
        f"Stored result small-smoke: 1 seed, 3 rows, {said} of computing on a box, 2026-02-03, python 3.12, numpy 2.0, "
        "code old. Renew with: companion run small --preset smoke --seeds 1 --fresh"
        + (" The code has changed since; the settings have not." if changed else "")
    )
    usual = dataclasses.replace(found, seeds=[0, 1]).line()
    assert ": 2 seeds, " in usual
    assert " companion run small --preset smoke --fresh" in usual


def test_a_repetition_counts_only_with_the_code_of_today(monkeypatch):
    monkeypatch.setattr(results, "experiment", lambda name: small())
    monkeypatch.setattr(Experiment, "code", "new")
    note = {"code": "new", "runs": 2, "of": 6, "date": "2026-02-03T04:05:06Z"}
    found = results.Result("small", "smoke", {}, [0], ("a",), ROWS, [], {**MADE_BY, "repeated": note})
    said = " 2 of the 6 runs, repeated with today's code on 2026-02-03, gave the same numbers."
    assert found.line().endswith(said)
    assert found.stands
    for other in ({**MADE_BY, "repeated": {**note, "code": "old"}}, MADE_BY):
        changed = dataclasses.replace(found, provenance=other)
        assert changed.line().endswith(" The code has changed since; the settings have not.")
        assert not changed.stands


def test_versions_are_of_what_was_imported(monkeypatch):
    import sklearn

    assert results.versions()["scikit-learn"] == sklearn.__version__
    monkeypatch.delitem(sys.modules, "sklearn")
    assert "scikit-learn" not in results.versions()


def test_results_are_in_the_named_folder_else_with_the_book(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPANION_RESULTS", str(tmp_path))
    assert results.folder() == tmp_path
    assert results.path("a", "b") == tmp_path / "a-b.json"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COMPANION_RESULTS", "~/mine")
    assert results.folder() == results.own_folder() == tmp_path / "mine"
    monkeypatch.setenv("COMPANION_RESULTS", "~nobody-of-this-name/mine")
    with pytest.raises(ValueError, match="COMPANION_RESULTS must be a path.*got '~nobody-of-this-name/mine'"):
        results.folder()
    monkeypatch.setenv("COMPANION_RESULTS", "")
    assert results.folder() == Path(book.__file__).parent / "results"


def test_results_are_written_where_one_stands_or_to_the_users_data_never_to_the_package(monkeypatch, tmp_path):
    monkeypatch.delenv("COMPANION_RESULTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(Path(book.__file__).parents[1] / "tests")
    assert results.own_folder() == Path(book.__file__).parent / "results", "in a checkout, however deep"
    (tmp_path / "book" / "results").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert results.own_folder() == Path(platformdirs.user_data_dir("companion")) / "results"
    (tmp_path / "companion" / "runner").mkdir(parents=True)
    assert results.own_folder() == tmp_path / "book" / "results", "another checkout"


def test_the_preset_asked_for_by_default_is_the_papers(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no stored result figure1-paper\.json in "):
        results.load("figure1", root=tmp_path)


def test_every_differing_setting_is_told(stored, tmp_path):
    """Also one that the code no longer knows, or that the file does not."""
    data = json.loads(results.path("figure1", "smoke", stored).read_text())
    gone = min(data["settings"])
    kept = data["settings"].pop(gone)
    data["settings"]["zzz"] = 1
    results.path("figure1", "smoke", tmp_path).write_text(json.dumps(data))
    with pytest.raises(results.StaleResult) as told:
        results.load("figure1", "smoke", root=tmp_path)
    assert f"({gone}: stored None, code {kept!r}; zzz: stored 1, code None)" in str(told.value)


def test_kept_seeds_are_named_in_the_line(stored, tmp_path):
    """Seeds that older code made, and the runs that newer code repeated, word for word."""
    file = Path(shutil.copy(results.path("figure1", "smoke", stored), tmp_path))
    data = json.loads(file.read_text())
    repeated = {"runs": 2, "of": 9, "code": "1" * 16, "date": "2026-01-01"}
    data["provenance"]["kept"] = {"seeds": 3, "code": "0" * 16, "repeated": repeated}
    file.write_text(json.dumps(data))
    assert (
        results.read(file)
        .line()
        .endswith(
            f" The first 3 seeds were made by code {'0' * 16}; 2 of the 9 runs, repeated with the later code, gave the "
            "same numbers."
        )
    )


BAD = "<img src=x onerror=alert(1)>&\"'"


@dataclasses.dataclass(frozen=True)
class Spoken:
    named: str = setting(BAD, BAD)
    several: tuple = setting(((BAD, BAD), BAD), BAD, "paper")


def doors_of_a_page():
    """Every way from a string of a result or a chapter to a page, with markup in it: (door, HTML)."""
    from book.shared import ledger, page
    from book.shared.explore import explorer
    from book.shared.style import Picture

    pytest.importorskip("IPython.display")
    presets = {"smoke": Spoken(several=(BAD,)), "paper": Spoken()}
    known = dataclasses.replace(small(), presets=presets, seeds=dict.fromkeys(presets, 1))
    found = dataclasses.replace(results.load("figure1", "smoke"), preset=BAD)
    found.provenance.update(dict.fromkeys(("device", "code", "date"), BAD), versions={BAD: BAD})
    claim = ledger.Claim("demo-x", BAD, len, broken={BAD: len})
    holds, breaks = (ledger.Found(BAD, value, 0.0, 2.0) for value in (1.0, 3.0))
    outcome = ledger.Outcome(claim, (holds,), {BAD: (breaks,)}, 1.0)
    with mock.patch.object(ledger, "source", return_value=BAD):
        yield "outcome", outcome._repr_html_()
    yield "line", found.line()._repr_html_()
    yield "table", page.table([BAD, "b"], [(BAD, 1.0), (f"`{BAD}`", BAD)], BAD)._repr_html_()
    yield "settings", page.settings_of(known, "smoke", BAD)._repr_html_()
    given = {"title": BAD, "a": [BAD, "b"], "labels": {"a": BAD}}
    frame = explorer(lambda a: Picture("<svg></svg>", f"{BAD} {a}"), **given)
    head, controls, shown = frame.children
    assert not controls.children[0].description_allow_html, "the browser shows labels as text"
    yield "title", head.value
    yield "words", shown.value
    with mock.patch.dict("os.environ", COMPANION_BOOK_BUILD="1"):
        yield "built", explorer(lambda a: Picture("<svg></svg>", f"{BAD} {a}"), **given)._repr_html_()


def test_what_a_file_says_is_never_markup():
    for door, html in doors_of_a_page():
        assert "<img" not in html, door
        assert "&lt;img src=x" in html, door
    line = results.load("figure1", "smoke").line()
    assert "<code>companion run figure1 --preset" in line._repr_html_()


@pytest.mark.parametrize("fmt", [None, "s"])
def test_what_is_glued_is_text(monkeypatch, fmt):
    """A line of a result shows itself as HTML; in a sentence it is a string, which the page escapes."""
    from book.shared import page

    kept = []
    monkeypatch.setattr("myst_nb.glue", lambda name, value, display: kept.append(value))
    line = results.load("figure1", "smoke").line()
    assert line._repr_html_()
    page.glue("x", line, fmt)
    assert [(type(value), value) for value in kept] == [(str, str(line))]


def test_the_command_that_renews_a_result_names_what_was_given(tmp_path, monkeypatch):
    """Pasted into a shell it makes the same file with the same seeds, whatever the folder is called."""
    out = tmp_path / "my results"
    made = results.read(run(experiment("figure1"), "smoke", out=out, seeds=1))
    words = ["companion", "run", "figure1", "--preset", "smoke", "--out", str(out), "--seeds", "1", "--fresh"]
    assert shlex.split(made.command) == words
    assert f"Renew with: {made.command}" in made.line()
    monkeypatch.setenv("COMPANION_RESULTS", str(out))
    usual = results.read(run(experiment("figure1"), "smoke", out=out, seeds=experiment("figure1").seeds["smoke"]))
    assert usual.command == "companion run figure1 --preset smoke --fresh"
    with pytest.raises(
        FileNotFoundError, match=f"make it with: companion run figure1 --preset paper --out '?{tmp_path}"
    ):
        results.load("figure1", "paper", root=tmp_path)


DAMAGES = {
    "rows must be a list": lambda d: d.update(rows={}),
    "rows[1] must be an object, got 'a'": lambda d: d["rows"].__setitem__(1, "a"),
    "rows are not those that were stored": lambda d: d["rows"][0].update(value=2.5),
    "rows are not those that were stored ": lambda d: d["rows"][0].pop("seed"),
    "rows are not those that were stored  ": lambda d: d.update(rows=d["rows"][1:2]),
    "digest is missing": lambda d: d.pop("digest"),
    "settings must be an object, got []": lambda d: d.update(settings=[]),
    "seeds must be a list, got '01'": lambda d: d.update(seeds="01"),
    "seeds[0] must be a whole number, got True": lambda d: d.update(seeds=[True]),
    "seeds must be those of its rows, each once, got [0, 1, 1]": lambda d: d.update(seeds=[0, 1, 1]),
    "seeds must be those of its rows, each once, got [0]": lambda d: d.update(seeds=[0]),
    "seeds must be those of its rows, each once, got [0, 1, 2]": lambda d: d.update(seeds=[0, 1, 2]),
    "by must name keys of every row, got 'many'": lambda d: d.update(by=["a", "many"]),
    "by[0] must be a string, got 1": lambda d: d.update(by=[1]),
    "provenance is missing": lambda d: d.pop("provenance"),
    "provenance must be an object": lambda d: d.update(provenance=3),
    "provenance.versions.python must be a string": lambda d: d["provenance"].update(versions={"python": 3}),
    "provenance.seconds must be a finite number, got nan": lambda d: d["provenance"].update(seconds=math.nan),
    "provenance.repeated.code is missing": lambda d: d["provenance"].update(repeated={}),
    "provenance.kept.repeated is missing": lambda d: d["provenance"].update(kept={"seeds": 1, "code": "0"}),
    **{f"provenance.{k} is missing": lambda d, k=k: d["provenance"].pop(k) for k in MADE_BY},
    "experiment must be a string, got None": lambda d: d.update(experiment=None),
    "format must be 1, got 7": lambda d: d.update(format=7),
}


@pytest.mark.parametrize("told", DAMAGES)
def test_a_damaged_result_is_refused_by_file_and_field(written, told):
    data = json.loads(written.read_text())
    DAMAGES[told](data)
    written.write_text(json.dumps(data))
    with pytest.raises(ValueError) as refused:
        results.read(written)
    assert told.strip() in str(refused.value)
    assert str(written) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("depth", [300, 900, 100_000])
def test_a_result_nested_too_deeply_is_refused(written, depth):
    text = written.read_text().replace('"value": 2.0', '"value": ' + "[" * depth + "1" + "]" * depth)
    written.write_text(text)
    with pytest.raises(ValueError, match="cannot be read: .*(recursion|not those that were stored)"):
        results.read(written)


def test_a_damaged_result_is_one_line_on_the_command_line(capsys, tmp_path, stored):
    whole = json.loads(results.path("figure1", "smoke", stored).read_text())
    for change in ({"rows": {}}, {"rows": whole["rows"][1:]}, {"provenance": {}}, {"settings": []}):
        results.path("figure1", "smoke", tmp_path).write_text(json.dumps({**whole, **change}))
        for command in ("run", "repeat"):
            assert main([command, "figure1", "--out", str(tmp_path)]) == 2
            said = capsys.readouterr().err
            assert said.count("\n") == 1
            assert "figure1-smoke.json cannot be read: " in said
            assert "renew it with: companion run figure1 --preset smoke --out" in said


def test_no_field_of_a_result_is_markup_on_a_page(monkeypatch):
    """Markup in every string of the file comes out as text."""
    monkeypatch.setattr(results, "experiment", lambda name: small())
    bad = "<b>&\"'"
    note = {"code": bad, "runs": 1, "of": 2, "date": bad}
    made = {**dict.fromkeys(("device", "code", "date", "command"), bad), "versions": {bad: bad}, "seconds": 1.0}
    monkeypatch.setattr(Experiment, "code", bad)
    kept = {"seeds": 1, "code": bad, "repeated": note}
    found = results.Result(bad, bad, {}, [0], (bad,), [], [], {**made, "repeated": note, "kept": kept})
    shown = found.line()._repr_html_()
    assert "<b>" not in shown
    assert "&lt;b&gt;&amp;" in shown
