"""Docstrings as the API page shows them: what describes an argument is not taken for its type."""

import importlib
import inspect
import sys

import pytest

from tests.book.pages import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
ledger = pytest.importorskip("companion_ledger")
napoleon = pytest.importorskip("sphinx.ext.napoleon")


@pytest.mark.parametrize(
    "name",
    ["neural.train.fit", "neural.tasks.digit_sums", "neural.models.build", "linear.min_norm", "linear.LongTailModel"],
)
def test_a_description_is_whole_and_upright(name):
    module, _, own = f"companion.{name}".rpartition(".")
    text = inspect.getdoc(getattr(importlib.import_module(module), own))
    lines = text.splitlines()
    ledger.say_items(None, "function", name, None, None, lines)
    config = napoleon.Config(napoleon_use_param=False, napoleon_use_ivar=True)
    shown = str(napoleon.NumpyDocstring("\n".join(lines), config))
    items = ledger.ITEM.findall(text.split("Parameters\n", 1)[-1] if "Parameters\n" in text else text)
    assert items
    for names, what in items:
        words = what.split("`")[0].strip()
        assert words in shown.replace("\\", "")
        assert f"({words}" not in shown, f"{names} is shown as if it had the type {words!r}"
