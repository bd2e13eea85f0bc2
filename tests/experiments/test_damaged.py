"""What a stopped run kept and a bad disk spoilt is set aside, one line says so, and the run ends with its numbers."""

import itertools
from dataclasses import replace

import pytest

from companion import experiments
from companion.runner import results
from companion.runner import run as runner
from companion.runner.repeat import TIMED

pytest.importorskip("torch")

TINY = {
    "epochs": {"triples": 64, "test_triples": 30, "width": 2, "epochs": 4, "every": 2},
    "real-scores": {"n": 60, "n_test": 30, "models": 8, "block": 4, "hidden": (4,), "epochs": 1},
}


def small(name):
    known = experiments.experiment(name)
    settings = replace(known.presets["smoke"], **TINY[name])
    return replace(known, presets={"smoke": settings}, seeds={"smoke": 1})


class Stop(Exception):
    pass


def stopped(known, out, monkeypatch, after):
    """Begin the run and stop it once `after` kept files were renamed into place; returns their folder."""
    from pathlib import Path

    done, real = itertools.count(1), Path.replace

    def renamed(self, target):
        moved = real(self, target)
        if next(done) == after:
            raise Stop
        return moved

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", renamed)
        with pytest.raises(Stop):
            runner.run(known, "smoke", out=out)
    return next(folder for folder in out.glob(".partial/*/*") if folder.is_dir())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return {name: rows(runner.run(small(name), "smoke", out=out)) for name in TINY}


def rows(file):
    return [{key: value for key, value in row.items() if key not in TIMED} for row in results.read(file).rows]


@pytest.mark.parametrize(
    ("experiment", "after", "file", "content"),
    [
        ("epochs", 3, "model.pt", b"PK half"),
        ("epochs", 3, "rows.json", b'[{"epoch": 2'),
        ("epochs", 3, "rows.json", b"[]"),
        ("real-scores", 1, "block-0-0.npz", b"PK half"),
    ],
)
def test_a_damaged_kept_file_is_set_aside(tmp_path, monkeypatch, capsys, whole, experiment, after, file, content):
    known = small(experiment)
    scratch = stopped(known, tmp_path, monkeypatch, after)
    assert (scratch / file).exists()
    (scratch / file).write_bytes(content)
    (scratch / f"{file}.damaged").write_bytes(b"an earlier one")
    moved, real = {}, runner._files.set_aside

    def seen(path):
        aside = real(path)
        moved[path.name] = aside.name, aside.read_bytes(), path.with_name(f"{path.name}.damaged").read_bytes()
        return aside

    monkeypatch.setattr(runner._files, "set_aside", seen)
    capsys.readouterr()
    assert rows(runner.run(known, "smoke", out=tmp_path)) == whole[experiment]
    name, set_aside, earlier = moved[file]
    assert (name, earlier) == (f"{file}.damaged1", b"an earlier one"), "nothing is written over"
    assert set_aside == content or content == b"[]", "these rows can be read: what they lack is seen at the end"
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "companion: " in line]
    assert f"{file} " in said
    assert "set aside as " in said
    assert f"{file}.damaged1" in said


def test_what_fails_again_without_its_files_is_an_error(tmp_path):
    """No endless round: a file is set aside once, and then the error stands."""
    file = tmp_path / "kept"

    def run():
        file.write_text("bad")
        raise ValueError(f"{file} is bad; delete it to start afresh")

    with pytest.raises(ValueError, match="kept is bad; delete it to start afresh"):
        runner._despite_damage(run, tmp_path)
    assert (tmp_path / "kept.damaged").read_text() == "bad"
