"""Stored results: written whole, read back equal, refused when stale."""

import json
import math

import numpy as np
import pytest
from scipy.stats import t

from companion import _files, results
from companion.experiment import settings_dict
from companion.registry import experiment
from companion.run import run


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
        ("", "not a stored result"),
        ("{}", "not a stored result"),
        ('{"format": 0}', "format 0, expected 1"),
        ("[1, 2", "not a stored result"),
        ('{"format": 1, "rows": 3}', "not a stored result"),
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


@pytest.mark.parametrize("file", sorted(results.folder().glob("*-smoke.json")), ids=lambda f: f.stem)
def test_smoke_results_are_remade_equal(file, tmp_path):
    """Running the first seed of a smoke preset now gives the stored rows: the code still makes what is shown.

    Networks trained with another version of torch end elsewhere (sums are rounded in another order, and training
    magnifies it): then only what is no measured number is compared.
    """
    old = results.read(file)
    run(experiment(old.experiment), "smoke", out=tmp_path, seeds=1)
    new = results.read(results.path(old.experiment, "smoke", tmp_path))
    stored = old.select(seed=0)
    assert len(new.rows) == len(stored)
    torch_then, torch_now = (r.provenance["versions"].get("torch") for r in (old, new))
    same_networks = torch_then in (None, torch_now)
    # Measured times differ from run to run; everything else must not.
    timed = {"seconds", "images_per_second", "sampling", "min_norm", "lsmr", "speedup", "peeling"}
    for a, b in zip(stored, new.rows, strict=True):
        assert a.keys() == b.keys()
        for key in a.keys() - timed:
            if isinstance(a[key], float) and same_networks:
                assert a[key] == pytest.approx(b[key], rel=1e-4, abs=1e-9, nan_ok=True), key
            elif isinstance(a[key], float):
                assert isinstance(b[key], float), key
            else:
                assert a[key] == b[key], key
