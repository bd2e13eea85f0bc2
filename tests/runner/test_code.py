"""The hash of the code behind a number: it changes with what can change the number, and with nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from companion.experiments import experiment, names
from companion.runner import code

TOP = '''"""Top."""
import numpy as np
from companion.area import deep
from companion.area._validate import integer

UNUSED = 1


def run(settings, cell, seed, resources):
    """What it does."""
    n: int = integer("n", cell["n"], low=1)
    if n > 7:
        raise ValueError(f"n must be at most 7, got {n}")
    try:
        return [{"value": deep.twice(np.sqrt(n)), "word": f"{n:>{seed}} of {settings}"}]
    except ArithmeticError:
        raise RuntimeError("no") from None
'''
DEEP = '''"""Deep."""
from companion.area.other import FACTOR as BY


class Unused:
    pass


def twice(x: float) -> float:
    return BY * x
'''
FIXED = "e6288be6a85bee2e"
FILES = {
    "top": TOP,
    "deep": DEEP,
    "other": "FACTOR = 2\n",
    "_validate": "def integer(name, value, low):\n    return value\n",
}


def forget():
    """A module is read once; here its text changes."""
    code._module.cache_clear()
    code._definition.cache_clear()


@pytest.fixture
def hashed(tmp_path, monkeypatch):
    """The hash of the little package, with `old` replaced by `new` in its module `name`."""
    area = tmp_path / "companion" / "area"
    area.mkdir(parents=True)
    monkeypatch.setattr(code, "__file__", str(tmp_path / "companion" / "runner" / "code.py"))

    def hashed(name="top", old="", new=""):
        assert old in FILES[name]
        for module, text in FILES.items():
            (area / f"{module}.py").write_text(text.replace(old, new) if module == name else text)
        forget()
        return code.code_hash("companion.area.top")

    yield hashed
    forget()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("top", '"""What it does."""', '"""Other words."""  # and a comment'),
        ("top", "UNUSED = 1", "UNUSED = 2"),
        ("top", "n: int =", "n ="),
        ("top", "low=1", "low=2, high=9"),
        ("top", "n must be at most 7", "n may not be more than 7"),
        ("top", "if n > 7", "if n > 8"),
        ("top", '    n: int = integer("n", cell["n"], low=1)', '    n = cell["n"]\n    integer("n", n, low=1)'),
        ("top", '"no"', '"still no"'),
        ("top", "from companion.area import deep\n", "import companion.area.deep as deep\n"),
        ("deep", "class Unused:\n    pass", "class Unused:\n    x = 1"),
        ("deep", "x: float) -> float", "x: int) -> int"),
        ("deep", "FACTOR as BY", "FACTOR as BY, FACTOR as TWO"),
        ("_validate", "return value", "assert value >= low\n    return value"),
    ],
)
def test_what_cannot_change_a_number_does_not_count(hashed, name, old, new):
    before = hashed()
    assert hashed(name, old, new) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("top", "sqrt", "exp"),
        ("top", 'cell["n"]', 'cell["m"]'),
        ("top", "RuntimeError", "KeyError"),
        ("top", "np.sqrt(n)", "np.sqrt(n + 1)"),
        ("top", "{n:>{seed}} of", "{n:>{seed}}of"),
        ("top", "import numpy as np", "import cupy as np"),
        ("deep", "BY * x", "x * BY"),
        ("deep", "twice(x: float)", "twice(x: float = 1)"),
        ("other", "2", "2.0"),
        ("other", "FACTOR = 2", "FACTOR = 2\nFACTOR += 1"),
        ("other", "FACTOR = 2", "FACTOR = 2\nprint.x = 1"),
    ],
)
def test_what_can_change_a_number_counts_however_deep(hashed, name, old, new):
    assert hashed(name, old, new) != hashed()


def test_a_definition_counts_wherever_it_lives(hashed):
    before = hashed()
    moved = hashed("top", "from companion.area import deep", "from companion.area import deeper as deep")
    assert moved != before, "there is no such module"
    area = Path(code.__file__).parents[1] / "area"
    (area / "deeper.py").write_text(DEEP)
    forget()
    assert code.code_hash("companion.area.top") == before


def test_the_same_hash_on_every_python(hashed, tmp_path):
    """A fixed value, and whatever other Pythons are here agree with this one on every experiment."""
    assert hashed() == FIXED
    others = {shutil.which(f"python3.{minor}") for minor in (11, 12, 13)} - {None}
    root = Path(__file__).resolve().parents[2]
    runs = [(k.run.__module__, k.run.__name__) for k in map(experiment, names())]
    ask = f"import sys; sys.path[:0] = [{str(root)!r}]\nfrom companion.runner.code import code_hash\n"
    ask += f"print([code_hash(*run) for run in {runs}])"
    said = {subprocess.run([p, "-c", ask], capture_output=True, text=True).stdout for p in (*others, sys.executable)}
    assert len(said - {""}) == 1


def test_an_unknown_function_has_no_hash():
    with pytest.raises(ValueError, match=r"module companion\.linear\.model defines no walk"):
        code.code_hash("companion.linear.model", "walk")


def test_every_experiment_reaches_the_library_and_not_what_stores_it(monkeypatch):
    reached = {}

    def noted(module, name, real=code._definition.__wrapped__):
        text, used = real(module, name)
        reached[module, name] = text
        return text, used

    monkeypatch.setattr(code, "_definition", noted)
    for name in names():
        reached.clear()
        assert len(experiment(name).code) == 16
        full = {module for (module, _), text in reached.items() if text}
        assert any(m.startswith(("companion.linear.", "companion.memorization.", "companion.neural.")) for m in full)
        assert not any(m.startswith(("companion.runner", "companion._files")) for m in full)
