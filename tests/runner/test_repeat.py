"""A stored result repeated in part: agreement is noted in it, a difference is named and nothing is written."""

import dataclasses
import json
import shutil

import pytest

from companion.__main__ import main
from companion.experiments import experiment
from companion.runner import repeat, results
from companion.runner import run as runner


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return runner.run(experiment("figure1"), "smoke", out=tmp_path_factory.mktemp("made"))


@pytest.fixture
def stored(made, tmp_path):
    shutil.copy(made, tmp_path)
    return tmp_path


def edit(folder, change):
    file = results.path("figure1", "smoke", folder)
    data = json.loads(file.read_text())
    change(data)
    data["digest"] = results.digest(data["rows"])  # else an edited row is seen at once
    file.write_text(json.dumps(data))
    return file


def test_agreement_is_noted_with_the_code_of_today(stored):
    file = edit(stored, lambda data: data["provenance"].update(code="0" * 16))
    before = results.read(file)
    assert before.line().endswith("the settings have not.")
    noted = repeat.repeat(experiment("figure1"), "smoke", pieces=3, root=stored)
    after = results.read(file)
    assert (after.rows, after.summary, after.provenance["code"]) == (before.rows, before.summary, "0" * 16)
    assert "3 of the 9 runs, repeated with today's code" in after.line() == noted.line()


def test_a_note_made_with_other_code_is_not_shown(stored):
    file = edit(stored, lambda data: data["provenance"].update(code="0" * 16))
    repeat.repeat(experiment("figure1"), "smoke", root=stored)
    edit(stored, lambda data: data["provenance"]["repeated"].update(code="1" * 16))
    assert "repeated" not in results.read(file).line()


def test_seeds_can_be_added_to_a_result_that_was_repeated(stored, monkeypatch):
    known = experiment("figure1")
    older = edit(stored, lambda data: data["provenance"].update(code="0" * 16))
    before = results.read(older)
    repeat.repeat(known, "smoke", root=stored)
    made = []
    monkeypatch.setattr(type(known), "code", known.code)
    counted = dataclasses.replace(known, run=lambda *given: made.append(given[2]) or known.run(*given))
    more = results.read(runner.run(counted, "smoke", out=stored, seeds=4))
    assert set(made) == {3}
    assert [r for r in more.rows if r["seed"] < 3] == before.rows
    assert "first 3 seeds were made by code 0000000000000000; 1 of the 9 runs, repeated with the later" in more.line()
    assert not more.code_changed
    runner.run(counted, "smoke", out=stored, seeds=5)
    assert "first 3 seeds were made by code 0000000000000000" in results.load("figure1", "smoke", root=stored).line()


@pytest.mark.parametrize("more_first", [False, True])
def test_fewer_seeds_than_stored_drop_none(stored, more_first):
    """Nor the note that speaks of them."""
    edit(stored, lambda data: data["provenance"].update(code="0" * 16))
    repeat.repeat(experiment("figure1"), "smoke", root=stored)
    if more_first:
        runner.run(experiment("figure1"), "smoke", out=stored, seeds=4)
    before = results.path("figure1", "smoke", stored).read_bytes()
    runner.run(experiment("figure1"), "smoke", out=stored, seeds=2)
    assert results.path("figure1", "smoke", stored).read_bytes() == before


def test_seeds_are_not_added_to_a_result_of_other_code(stored):
    edit(stored, lambda data: data["provenance"].update(code="0" * 16))
    with pytest.raises(ValueError, match="was made by other code; compare it"):
        runner.run(experiment("figure1"), "smoke", out=stored, seeds=4)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (1.8e-30, 3.0e-30, True),  # a squared error on two makes of CPU: zero but for rounding
        (0.0, 3e-30, True),
        (1.8e-18, 3.0e-18, False),
        (0.0, 1e-18, False),
        (float("nan"), float("nan"), True),
        (float("nan"), 0.0, False),
    ],
)
def test_only_what_is_zero_to_rounding_may_differ(old, new, same):
    assert repeat._same(old, new) == same


def test_the_clock_and_rounding_are_no_difference():
    made = [{"a": 1, "seed": 0, "optimality": 4.1e-17, "seconds": 1.0, "value": 2.0}]
    found = results.Result("toy", "smoke", {}, [0], ("a",), made, [], {})
    assert repeat._difference(found, {"a": 1}, 0, [{**made[0], "optimality": 4.4e-17, "seconds": 3.0}]) is None
    for change in ({"optimality": 1e-6}, {"value": 2.0 + 1e-7}):
        told = repeat._difference(found, {"a": 1}, 0, [{**made[0], **change}])
        assert told.startswith(f"toy-smoke, a 1, seed 0: {next(iter(change))} is stored as")


@pytest.mark.parametrize("factor", [1 + 1e-6, -1.0])
def test_a_difference_is_named_and_nothing_is_written(stored, factor, capsys):
    def change(data):
        for row in data["rows"]:
            row["composition_resolved"] *= factor

    file = edit(stored, change)
    before = file.read_bytes()
    with pytest.raises(RuntimeError, match=r"figure1-smoke, alpha .* seed \d: composition_resolved is stored as"):
        repeat.repeat(experiment("figure1"), "smoke", root=stored)
    assert main(["repeat", "figure1", "--out", str(stored)]) == 1
    assert "composition_resolved is stored as" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_difference_from_another_device_says_so(stored):
    """Rounding differs from one make of CPU to the next: whoever sees a difference must know that it may be that."""

    def change(data):
        data["provenance"].update(device="another make of CPU")
        for row in data["rows"]:
            row["composition_resolved"] *= 2

    edit(stored, change)
    with pytest.raises(RuntimeError) as told:
        repeat.repeat(experiment("figure1"), "smoke", root=stored)
    here = runner.device_name("cpu")
    assert f"made on another make of CPU, this is {here}" in str(told.value)
    assert f"renew it here with: companion run figure1 --preset smoke --out {stored} --fresh" in str(told.value)


def test_a_difference_on_the_same_device_blames_nothing_else(stored):
    edit(stored, lambda data: data.update(rows=data["rows"][::2]))
    with pytest.raises(RuntimeError) as told:
        repeat.repeat(experiment("figure1"), "smoke", root=stored)
    assert "made on" not in str(told.value)


def test_missing_rows_are_a_difference(stored):
    edit(stored, lambda data: data.update(rows=data["rows"][::2]))
    with pytest.raises(RuntimeError, match="1 rows are stored, today's code gives 2"):
        repeat.repeat(experiment("figure1"), "smoke", root=stored)


@pytest.mark.parametrize("pieces", [0, 10])
def test_the_number_of_pieces_is_checked(stored, pieces):
    with pytest.raises(ValueError, match="pieces"):
        repeat.repeat(experiment("figure1"), "smoke", pieces=pieces, root=stored)
