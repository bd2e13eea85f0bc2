"""Stored measurements: read back as written, with where they come from, as cells and as text."""

import dataclasses
import json

import pytest

from book.reference import performance as benchmarks
from book.reference.performance import Measurement

FAST = Measurement(
    "solver", "n = 1e5", "lsmr", 0.0123456, 1234.5, "s", 99_999.6, "at least 30 times", True, [1e-15, 1e-9, 1e-6]
)
SLOW = Measurement("import", "companion", "", 0.5, None, "s", None, "under 0.4 s", False)
BARE = Measurement("book", "cold build", "", 240.0, None, "s", None, "", True)


@pytest.mark.parametrize(("threads", "said"), [("1", "1 thread"), ("4", "4 threads"), (None, "all threads")])
def test_measurements_read_back_with_their_provenance(tmp_path, monkeypatch, threads, said):
    if threads is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    file = benchmarks.save([FAST, SLOW], tmp_path)
    found = benchmarks.load(tmp_path)
    assert file == tmp_path / "benchmarks.json"
    assert found.measurements == (FAST, SLOW)
    assert f", {said} a process, " in found.line()
    assert found.line().endswith("Again: make bench")
    (run,) = found.runs
    assert run.provenance["device"] in found.line()
    assert f"python {run.provenance['versions']['python']}" in found.line()


def test_a_run_of_some_benchmarks_keeps_the_others(tmp_path):
    benchmarks.save([FAST, SLOW], tmp_path)
    faster = dataclasses.replace(FAST, ours=0.01)
    benchmarks.save([faster, BARE], tmp_path)
    first, second = benchmarks.load(tmp_path).runs
    assert first.measurements == (SLOW,)
    assert second.measurements == (faster, BARE)
    assert "python" in first.line()
    assert ": import. Again" in first.line()
    assert ": book, solver. Again" in second.line()


def test_missing_and_foreign_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="make them with: make bench"):
        benchmarks.load(tmp_path)
    (tmp_path / "benchmarks.json").write_text(json.dumps({"format": 0}))
    with pytest.raises(ValueError, match="format 0, expected 2; make it anew with: make bench"):
        benchmarks.load(tmp_path)


def test_cells_are_short_and_say_whether_the_budget_was_met():
    fast, slow, bare = benchmarks.rows([FAST, SLOW, BARE])
    assert fast == ("solver", "n = 1e5", "lsmr", "0.0123", "1,234", "s", "100,000", "at least 30 times", "yes")
    assert slow[4:] == ("", "s", "", "under 0.4 s", "no")
    assert bare[3] == "240"
    assert bare[-1] == "", "nothing was asked"


def test_text_table_is_aligned():
    lines = benchmarks.text_table([FAST, BARE]).splitlines()
    assert lines[0].split() == list(benchmarks.HEADER)
    assert len({line.index(word) for line, word in zip(lines[1:], ("n = 1e5", "cold build"), strict=True)}) == 1
