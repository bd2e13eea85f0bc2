"""How much room the assertions on trained networks have: every one again, from initializations that rounding moved.

    python tests/perturbed.py [--runs 8] [--jobs 2] book/networks/mixing.md tests/neural/test_experiments.py ...

Without paths: every chapter. What is drawn from a Gaussian, initial weights above all, is changed by a factor of
1 ± 1e-6, the size of a rounding error in float32; a trained network then ends somewhere else, as it does on another
make of CPU. The *margin* of an assertion ``a < b`` is b / a (where both are shares, (1 - a) / (1 - b) if that is
larger); of ``a > 0``, one plus the smallest value over its range; of ``approx``, tolerance / difference; always the
smallest of all runs. Printed are the assertions that the change moves by more than one part in a thousand.
Exit code 1: an assertion failed in some run, or has a margin below 1.3.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import multiprocessing
import os
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import jupytext
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
LEAST = 1.3
SMALL = 1e-6
FOUND: dict[str, list[tuple[str, float]]] = {}  # place -> kind and value of each comparison there, in order
FAILED: list[str] = []


def compared(place, ops, *values):
    """The value of a chain of comparisons, its margin noted."""
    answer = True
    for op, left, right in zip(ops, values, values[1:], strict=False):
        low, high = (right, left) if op.startswith(">") else (left, right)
        holds = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}.get(op)
        if op == "==" and hasattr(right, "expected"):
            FOUND.setdefault(place, []).append(("ratio", right.tolerance / max(abs(left - right.expected), 1e-300)))
        elif holds is not None and not isinstance(left, set | frozenset):
            FOUND.setdefault(place, []).append(margin(low, high))
        made = {"==": lambda a, b: a == b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
                ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}[op](left, right)  # fmt: skip
        answer = made if len(ops) == 1 else answer and made
    return answer


def margin(low, high):
    """Kind and size of the room in ``low < high``, the smallest over the elements of arrays."""
    low, high = np.broadcast_arrays(np.asarray(low, dtype=float), np.asarray(high, dtype=float))
    if not low.size:
        return "ratio", np.inf
    if not low.any() or not high.any():
        return "zero", float((high - low).min())
    with np.errstate(all="ignore"):
        room = np.where(low > 0, high / low, np.where(high < 0, low / high, np.inf))
        shares = (low >= 0) & (high <= 1)
        room = np.where(shares, np.fmax(room, (1 - low) / (1 - high)), room)
    return "ratio", float(np.where(low > high, np.fmin(room, high - low), room).min())


def required(place, holds, text):
    """An assertion that notes its failure, so that those behind it are reached."""
    if not holds:
        FAILED.append(f"{place}  {text}")


NAMES = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "=="}


class Margins(ast.NodeTransformer):
    """Assertions noted instead of raised, the comparisons that they require through `compared`."""

    def __init__(self, name):
        self.name = name

    def visit_Assert(self, node):
        place, text = f"{self.name}:{node.lineno}", ast.unparse(node.test)
        call = self._call("required", ast.Constant(place), self._required(node.test), ast.Constant(text))
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(call), node))

    def _required(self, node):
        match node:
            case ast.BoolOp(op=ast.And()):
                node.values = [self._required(value) for value in node.values]
            case ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp() as each]):
                each.elt = self._required(each.elt)
            case ast.Call(func=ast.Attribute(value=ast.Compare() as inner, attr="all"), args=[]):
                node.func.value = self._required(inner)
            case ast.Compare() if all(type(op) in NAMES for op in node.ops):
                place = ast.Constant(f"{self.name}:{node.lineno}  {ast.unparse(node)}")
                ops = ast.Tuple([ast.Constant(NAMES[type(op)]) for op in node.ops], ast.Load())
                return self._call("compared", place, ops, node.left, *node.comparators)
        return node

    @staticmethod
    def _call(name, *arguments):
        return ast.Call(ast.Name(f"__{name}__", ast.Load()), list(arguments), [])


def compiled(source, name, shown=True):
    """The code of `source` with its assertions noted; without the value that a cell shows, its picture or table."""
    tree = Margins(name).visit(ast.parse(source))
    if not shown and isinstance(tree.body[-1], ast.Expr) and "__required__" not in ast.unparse(tree.body[-1]):
        tree.body.pop()
    return compile(tree, str(ROOT / name), "exec")


def perturb(run):
    """From now on, what is drawn from a Gaussian and what a network starts from is moved; nothing in run 0."""
    import torch

    from companion.neural import models

    if not run:
        return

    def moved(x, cos):
        return x * (1 + SMALL * cos(1e5 * run * x + run))  # no state: a draw that is repeated is moved alike

    class Perturbed(np.random.Generator):
        def normal(self, *args, **kwargs):
            return moved(super().normal(*args, **kwargs), np.cos)

        def standard_normal(self, *args, **kwargs):
            return moved(super().standard_normal(*args, **kwargs), np.cos)

    default_rng, build = np.random.default_rng, models.build

    def build_moved(*args, **kwargs):
        model = build(*args, **kwargs)
        with torch.no_grad():
            for weights in model.parameters():
                weights.copy_(moved(weights.double(), torch.cos))
        return model

    np.random.default_rng = lambda seed=None: Perturbed(default_rng(seed).bit_generator)
    models.build = build_moved


def chapter(path):
    """Run the cells of a chapter, one after the other."""
    import matplotlib

    matplotlib.use("Agg")
    text, end = path.read_text(encoding="utf-8"), 0
    scope = {"__name__": "__main__", "__required__": required, "__compared__": compared, "display": print}
    os.chdir(path.parent)
    for cell in jupytext.reads(text, fmt="md:myst").cells:
        if cell.cell_type == "code":
            start = text.index(cell.source, end)
            end = start + len(cell.source)
            lines = "\n" * text.count("\n", 0, start)
            exec(compiled(lines + cell.source, str(path.relative_to(ROOT)), shown=False), scope)


def tests(path):
    """Run a file of tests (or one of them: file::name), its assertions noted."""
    import builtins

    import pytest

    builtins.__required__, builtins.__compared__ = required, compared
    get_code = SourceFileLoader.get_code

    def with_margins(loader, fullname):
        file = Path(loader.get_filename(fullname))
        if not file.is_relative_to(ROOT / "tests"):
            return get_code(loader, fullname)
        return compiled(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))

    SourceFileLoader.get_code = with_margins

    class Failures:
        def pytest_runtest_logreport(self, report):
            if report.failed:
                FAILED.append(f"{report.nodeid}  {str(report.longrepr).splitlines()[-1]}")

    os.chdir(ROOT)
    pytest.main(["--assert=plain", "-q", "-p", "no:cacheprovider", str(path)], plugins=[Failures()])


def once(job):
    """One path in one run: what was noted and what failed."""
    path, run = job
    perturb(run)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        (chapter if path.suffix == ".md" else tests)(path)
    return path, run, FOUND, FAILED


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    from tests.book.pages import CHAPTERS

    paths = [path.resolve() for path in options.paths] or [ROOT / f"{page}.md" for page in CHAPTERS]
    jobs = [(path, run) for path in paths for run in range(options.runs + 1)]
    bad = 0
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=1) as pool:
        results = {}
        for path, run, found, failed in pool.imap(once, jobs):
            results.setdefault(path, {})[run] = found, failed
            if len(results[path]) == options.runs + 1:
                bad += report(path, [results[path][r] for r in range(options.runs + 1)])
    return int(bad > 0)


def report(path, runs):
    """Print what moved or failed, the tightest first; how many are too tight."""
    failures = sorted({text for _, failed in runs for text in failed})
    for text in failures:
        print(f"FAILED in {sum(text in failed for _, failed in runs)} of {len(runs)} runs: {text}")
    rooms = []
    for place in runs[0][0]:
        values = [np.array([value for _, value in found.get(place, [])]) for found, _ in runs]
        kind = runs[0][0][place][0][0]
        if any(v.shape != values[0].shape for v in values):
            rooms.append((0.0, place))
            continue
        table = np.array(values)
        finite = np.isfinite(table).all(axis=0)
        if (np.ptp(table[:, finite], axis=0) > 1e-3 * np.abs(table[0, finite])).any():
            spread = np.ptp(table, axis=0)
            room = table.min() if kind == "ratio" else float((1 + table.min(axis=0) / np.fmax(spread, 1e-300)).min())
            rooms.append((room, place))
    for room, place in sorted(rooms):
        print(f"{room:10.3g}  {place}")
    tight = sum(room < LEAST for room, _ in rooms)
    print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}: "
          f"{len(rooms)} live, {tight} with a margin below {LEAST}, {len(failures)} failed", flush=True)  # fmt: skip
    return tight + len(failures)


if __name__ == "__main__":
    sys.exit(main())
