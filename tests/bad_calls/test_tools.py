"""Bad calls of what stands around the areas: runner, results, pictures, explorers, tables, demonstrations."""

import json
import math
from pathlib import Path

import pytest

from book.landscape.fit_models import capacity
from book.landscape.harmless_needed_harmful import (
    corrupted,
    exceptions,
    irrelevant,
    overfitting,
    spurious,
    surface,
)
from book.landscape.simple_wins import many_tasks, race, random_functions, shortcut
from book.shared import explore, style
from book.shared import page as book
from book.shared.seeds import repeat
from companion import experiments
from companion.runner import experiment, results
from companion.runner import run as runner

from .cases import assert_refused, bad

nan, X = math.nan, [[0, 1], [1, 0]]


def run(preset="smoke", **options):
    return runner.run(experiments.experiment("figure1"), preset, **{"out": Path.cwd() / "out", **options})


def figure():
    return style.subplots()[0]


def one_value(draw=lambda a: None, **options):
    return explore.explorer(draw, **options)


TOOLS = [
    bad("experiment", lambda: experiments.experiment("fig7"), ValueError, "experiment must be one of", "got 'fig7'"),
    bad("experiment-list", lambda: experiments.experiment(["a"]), ValueError, "experiment must be one of", "got ['a']"),
    bad("origin", lambda: experiment.setting(1, "why", "theirs"), ValueError, "origin must be one of", "got 'theirs'"),
    bad("preset", lambda: run("huge"), ValueError, "preset of figure1 must be one of smoke, paper; got 'huge'"),
    bad("seeds-0", lambda: run(seeds=0), ValueError, "seeds must be at least 1, got 0"),
    bad("seeds-float", lambda: run(seeds=1.5), TypeError, "seeds must be a whole number, got 1.5"),
    bad("jobs", lambda: run(jobs=-1), ValueError, "jobs must be at least 1, got -1"),
    bad("threads", lambda: run(threads=0), ValueError, "threads must be at least 1, got 0"),
    bad("backend", lambda: run(backend="mpi"), ValueError, "backend must be one of joblib, dask; got 'mpi'"),
    bad("scheduler", lambda: run(backend="dask"), ValueError, "scheduler goes with backend dask", "None"),
    bad("device", lambda: run(device="tpu"), ValueError, "device must be one of cpu, cuda; got 'tpu'"),
    bad("out-null", lambda: run(out=Path("/dev/null/x")), NotADirectoryError, "/dev/null"),
    bad("out-proc", lambda: run(out=Path("/proc/nowhere")), FileNotFoundError, "/proc/nowhere"),
    bad("load-unknown", lambda: results.load("figure7"), ValueError, "experiment must be one of", "got 'figure7'"),
    bad("load-preset", lambda: results.load("figure1", "huge"), ValueError, "preset of figure1 must be", "got 'huge'"),
    bad("load-missing", lambda: results.load("figure1"), FileNotFoundError, "figure1-paper.json", "companion run"),
    bad("values", lambda: results.interval(["a"]), TypeError, "values must hold numbers, got 'a'"),
    bad("alt", lambda: style.picture(figure(), ""), ValueError, "alt must say in words", "got ''"),
    bad("alt-None", lambda: style.picture(figure(), None), ValueError, "alt must say in words", "got None"),
    bad("no-figure", lambda: style.picture("me", "a long enough text"), TypeError, "figure must be", "got 'me'"),
    bad("rows", lambda: style.subplots(0), ValueError, "nrows must be at least 1, got 0"),
    bad("size", lambda: style.subplots(size=(0, 1)), ValueError, "size must", "greater than 0, got 0"),
    bad("size-one", lambda: style.subplots(size=(3,)), ValueError, "size must have length 2, got 1"),
    bad(
        "band",
        lambda: style.band(style.subplots()[1], [1, 2], [1, 2], [1], [1, 2], color="red"),
        ValueError,
        "x, mean, low and high must be vectors of one length",
        "(1,)",
    ),
    bad("no-parameter", one_value, ValueError, "explorer needs a parameter", "got none"),
    bad("draw", lambda: one_value(3, a=[1]), TypeError, "draw must be a function", "got 3 of type int"),
    bad("no-list", lambda: one_value(a=3), TypeError, "a must be a list of values, got 3 of type int"),
    bad("no-values", lambda: one_value(a=[]), ValueError, "a must hold at least one value"),
    bad("same-values", lambda: one_value(a=[1, 1.0]), ValueError, "a must hold values that read differently"),
    bad("start", lambda: one_value(a=[1], start={"a": 7}), ValueError, "start['a'] must be one of [1]; got 7"),
    bad("states", lambda: one_value(a=range(8), b=range(8)), ValueError, "at most 60 states; got 8 x 8 = 64"),
    bad("title", lambda: one_value(a=[1], title=3), TypeError, "title must be a string, got 3 of type int"),
    bad("labels", lambda: one_value(a=[1], labels=(1, 2)), TypeError, "labels must map parameters", "got (1, 2)"),
    bad("label", lambda: one_value(a=[1], labels={"a": 3}), TypeError, "labels['a'] must be a string, got 3"),
    bad("label-of", lambda: one_value(a=[1], labels={"b": "b"}), ValueError, "labels names 'b'", "['a']"),
    bad("start-real", lambda: one_value(a=[1], start=0.3), TypeError, "start must map parameters", "got 0.3"),
    bad("glue-name", lambda: book.glue(3, 1), TypeError, "name must be a string, got 3"),
    bad("glue-None", lambda: book.glue("x", None), TypeError, "value must be a number or a string, got None"),
    bad("glue-format", lambda: book.glue("x", 1, "zz"), ValueError, "fmt must be a format that fits 1, got 'zz'"),
    bad("table-row", lambda: book.table(("a", "b"), [(1,)]), ValueError, "every row must have 2 cells", "['1']"),
    bad(
        "table-cell", lambda: book.table(("a",), [([1],)]), TypeError, "value must be a number", "got [1] of type list"
    ),
]

DEMONSTRATIONS = [
    bad("demo-seed", lambda: capacity(seed=-1), ValueError, "seed must be at least 0, got -1"),
    bad("demo-seed-None", lambda: overfitting(seed=None), TypeError, "seed must be a whole number, got None"),
    bad("demo-n", lambda: capacity(seed=0, n=0), ValueError, "n must be at least 1, got 0"),
    bad("demo-noise", lambda: capacity(seed=0, noise=-1.0), ValueError, "noise must", "at least 0, got -1.0"),
    bad("demo-shape", lambda: overfitting(seed=0, shape="flat"), ValueError, "shape must be one of", "got 'flat'"),
    bad("demo-lr", lambda: spurious(seed=0, lr=nan), ValueError, "lr must be finite", "got nan"),
    bad("demo-share", lambda: irrelevant(seed=0, kept=(2.0,)), ValueError, "kept must", "[0, 1], got 2.0"),
    bad("demo-contexts", lambda: race(seed=0, contexts=99), ValueError, "contexts must be in [1, ", "got 99"),
    bad(
        "demo-width",
        lambda: shortcut(seed=0, width=2.5),
        TypeError,
        "width must be a whole number, got 2.5",
    ),
    bad(
        "demo-seeds",
        lambda: repeat(capacity, 0),
        ValueError,
        "seeds must name at least one seed, got none",
    ),
    bad(
        "demo-seeds-real",
        lambda: repeat(capacity, 2.5),
        TypeError,
        "seeds must be a whole number, got 2.5",
    ),
    bad("demo-seeds-words", lambda: repeat(capacity, "ab"), TypeError, "seeds must be", "got 'ab'"),
    bad(
        "demo-seeds-one",
        lambda: repeat(capacity, (0, -1)),
        ValueError,
        "seeds must be at least 0, got -1",
    ),
    bad("demo-function", lambda: repeat(None, 1), TypeError, "demo must be a demonstration", "got None"),
    bad("demo-counts", lambda: capacity(seed=0, counts=()), ValueError, "counts must hold at least one number"),
    bad("demo-counts-one", lambda: capacity(seed=0, counts=4), TypeError, "counts must be a sequence", "got 4"),
    bad("demo-shares", lambda: irrelevant(seed=0, kept=0.5), TypeError, "kept must be a sequence", "got 0.5"),
    bad(
        "demo-slots",
        lambda: exceptions(seed=0, slot_counts=[]),
        ValueError,
        "slot_counts must hold at least one",
    ),
    bad("demo-d", lambda: exceptions(seed=0, n=5, d=20), ValueError, "d must be in [1, 5], got 20"),
    bad("demo-n-word", lambda: exceptions(seed=0, n="a"), TypeError, "n must be a whole number, got 'a'"),
    bad("demo-p", lambda: corrupted(seed=0, p=1), ValueError, "p must be at least 2, got 1"),
    bad("demo-size", lambda: many_tasks(seed=0, size="a"), TypeError, "size must be a whole number", "'a'"),
    bad(
        "demo-bandwidth", lambda: surface(seed=0, bandwidth=0), ValueError, "bandwidth must be", "greater than 0, got 0"
    ),
    bad("demo-power", lambda: surface(seed=0, power=3.0), ValueError, "power must be", "(0, 2], got 3.0"),
    bad(
        "cloud-count",
        lambda: random_functions(seed=0, count=0),
        ValueError,
        "count must be at least 1, got 0",
    ),
    bad(
        "cloud-width",
        lambda: random_functions(seed=0, width=0),
        ValueError,
        "width must be at least 1, got 0",
    ),
    bad(
        "cloud-activation",
        lambda: random_functions(seed=0, activation="sine"),
        ValueError,
        "activation must be one of relu, tanh, coin; got 'sine'",
    ),
]


@pytest.mark.parametrize("case", TOOLS + DEMONSTRATIONS)
def test_a_bad_call_is_refused_and_named(case):
    assert_refused(case)


RESULT = {
    "format": 1,
    "experiment": "figure1",
    "preset": "smoke",
    "settings": {},
    "seeds": [0],
    "by": ["alpha"],
    "rows": [{"alpha": 1.0, "seed": 0}],
    "summary": [{"alpha": 1.0}],
    "digest": results.digest([{"alpha": 1.0, "seed": 0}]),
    "provenance": {"device": "a box", "versions": {}, "code": "0", "date": "2026-02-03", "seconds": 1},
}


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        pytest.param("", ValueError, ["cannot be read"], id="empty"),
        pytest.param('{"format": 1, "rows": [1, 2', ValueError, ["cannot be read"], id="truncated"),
        pytest.param("\0\1\2", ValueError, ["cannot be read"], id="bytes"),
        pytest.param("[]", ValueError, ["cannot be read"], id="list"),
        pytest.param('"figure1"', ValueError, ["cannot be read"], id="string"),
        pytest.param('{"format": 1}', ValueError, ["cannot be read", "experiment"], id="no-rows"),
        pytest.param(json.dumps({**RESULT, "rows": 3}), ValueError, ["cannot be read"], id="rows-number"),
        pytest.param(json.dumps({**RESULT, "format": 2}), ValueError, ["format must be 1, got 2"], id="newer-format"),
        pytest.param(
            json.dumps(RESULT), results.StaleResult, ["other settings", "companion run figure1"], id="settings"
        ),
    ],
)
def test_a_wrong_result_file_is_named_and_left_as_it_is(tmp_path, text, error, told):
    file = tmp_path / "figure1-smoke.json"
    file.write_text(text)
    with pytest.raises(error) as caught:
        results.load("figure1", "smoke", root=tmp_path)
    assert all(words in str(caught.value) for words in ["figure1-smoke.json", *told])
    assert "\n" not in str(caught.value)
    assert file.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == [file.name]


def test_an_infinite_number_is_no_result(tmp_path):
    known = experiments.experiment("figure1")
    with pytest.raises(ValueError, match=r"rows must hold finite numbers or NaN, got an infinite one in .*'mean': inf"):
        results.save(known, "smoke", [0], [{"alpha": 1.0, "sigma": 0.0, "seed": 0, "value": math.inf}], {}, tmp_path)
    assert list(tmp_path.iterdir()) == []
