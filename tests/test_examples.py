"""Every public function has an example in its docstring, and every example of the three areas prints what it says."""

import doctest
import inspect
import pkgutil
from importlib import import_module

import pytest

import companion.linear
import companion.memorization
from companion.neural.models import build
from companion.neural.tasks import digit_sums
from companion.neural.train import fit, mse

from .test_argument_names import public

AREAS = ("linear", "memorization", "neural", "runner")
MODULES = [
    module.name
    for area in AREAS
    for module in pkgutil.walk_packages(import_module(f"companion.{area}").__path__, f"companion.{area}.")
] + ["book.dispute.measuring", "book.dispute.four_flaws"]
FUNCTIONS = [build, digit_sums, fit, mse] + [
    member
    for area in (companion.linear, companion.memorization)
    for member in public(area).values()
    if inspect.isfunction(member)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    assert doctest.testmod(import_module(name)).failed == 0


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_a_public_function_has_an_example(function):
    examples = doctest.DocTestParser().get_examples(function.__doc__)
    assert 1 <= len(examples) <= 5
    assert examples[-1].want, "an example shows what comes back"
    assert function.__name__ in "".join(example.source for example in examples)
