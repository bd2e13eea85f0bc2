"""Settings, code hashes and the list of experiments."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from book.shared.page import setting_rows, settings_of
from companion.experiments import experiment, names
from companion.runner import experiment as ex


@dataclasses.dataclass(frozen=True)
class Toy:
    sizes: tuple[int, ...] = ex.setting((1, 2), "two is enough")
    sigma: float = ex.setting(0.05, "Figure 1", "paper")


def test_settings_are_json_and_say_where_they_come_from():
    assert json.loads(json.dumps(ex.settings_dict(Toy()))) == {"sizes": [1, 2], "sigma": 0.05}
    assert [(f.name, f.metadata["origin"]) for f in dataclasses.fields(Toy)] == [("sizes", "ours"), ("sigma", "paper")]
    with pytest.raises(ValueError, match="origin must be one of paper, ours; got 'theirs'"):
        ex.setting(1, "why", "theirs")


@pytest.mark.parametrize("name", names())
def test_every_registered_experiment_loads_and_knows_its_name(name):
    known = experiment(name)
    assert known.name == name
    assert "smoke" in known.presets
    assert known.seeds.keys() == known.presets.keys() <= set(ex.PRESETS)
    for settings in known.presets.values():
        assert dataclasses.is_dataclass(settings)
        assert settings.__dataclass_params__.frozen
        assert all(f.metadata.get("why") for f in dataclasses.fields(settings)), "every setting has a reason"
        cells = known.cells(settings)
        assert cells
        assert json.loads(json.dumps(cells)) == cells, "cells are plain JSON"


def test_unknown_experiment_lists_the_known_ones():
    with pytest.raises(ValueError, match="experiment must be one of .*composition-removal, .*; got 'figure7'"):
        experiment("figure7")


def test_imports_stay_light():
    """Reading the package, any of its folders or what lies in `linear` never costs torch, a plot library or jupyter."""
    heavy = {"torch", "matplotlib", "IPython", "ipywidgets", "sklearn"}
    root = Path(ex.__file__).parents[2]
    folders = [file.parent for file in (root / "companion").rglob("__init__.py") if file.parent.name != "figures"]
    modules = [".".join(path.relative_to(root).with_suffix("").parts) for path in folders]
    modules += [f"companion.linear.{file.stem}" for file in (root / "companion/linear").glob("[!_]*.py")]
    code = f"import sys, {', '.join(sorted(modules))}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(modules) > 10
    assert done.stdout.strip() == "[]"


def test_imports_go_one_way(capsys, monkeypatch):
    """The contract of pyproject.toml is kept, and names every module and folder that lies directly in the package."""
    from importlinter.cli import lint_imports

    root = Path(ex.__file__).parents[2]
    monkeypatch.syspath_prepend(root)
    code = lint_imports(config_filename=str(root / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out
    contract = (root / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.importlinter]")[2]
    there = {file.stem for file in (root / "companion").glob("*.py")} - {"__init__"}
    there |= {file.parent.name for file in (root / "companion").glob("*/__init__.py")}
    assert not {name for name in there if not re.search(rf"companion\.{name}\b", contract)}


@dataclasses.dataclass(frozen=True)
class Given:
    triples: int = ex.setting(32_000, "how many", "paper")
    runs: tuple = ex.setting((("sum", 0.0), ("sum", 0.5)), "which", "paper")
    shared: bool = ex.setting(True, "one encoder")


def test_settings_are_shown_with_whose_choice_they_are():
    presets = {"cpu": Given(triples=400, shared=False), "paper": Given()}
    known = ex.Experiment("toy", presets, {"cpu": 1, "paper": 1}, lambda s: [{}], lambda *_: [{}])
    assert setting_rows(known, "paper") == [
        ("training triples", "32,000", "paper", "how many (`triples`)"),
        ("runs", "sum 0, sum 0.5", "paper", "which"),
        ("shared encoder", "yes", "ours", "one encoder (`shared`)"),
    ]
    assert setting_rows(known)[0] == ("training triples", "400", "ours (paper: 32,000)", "how many (`triples`)")
    assert setting_rows(known)[2] == ("shared encoder", "no", "ours", "one encoder (`shared`)")
    assert "ours (paper: 32,000)" in str(settings_of(known))
    with pytest.raises(ValueError, match="preset of toy must be one of cpu, paper; got 'smoke'"):
        settings_of(known, "smoke")
