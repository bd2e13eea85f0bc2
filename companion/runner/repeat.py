"""A stored result, repeated in part: a few of its runs with today's code, compared number by number.

Code behind a long result changes (an error message, a check of an argument) without changing a number. Repeating some
of its runs shows that it did, for a fraction of the time; the result then says how many were repeated, and when.
"""

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from companion._validate import integer
from companion.runner import results
from companion.runner.experiment import Experiment, Resources
from companion.runner.run import device_name

#: relative; a repetition on the same machine is exact, linear algebra on another one may round differently
TOLERANCE = 1e-9
#: what the clock says, and where: different at every run
TIMED = frozenset({"seconds", "devices", "images_per_second", "sampling", "min_norm", "lsmr", "speedup", "peeling"})
#: what is nothing but rounding: below its bound one is as good as another
ROUNDING = {"optimality": 1e-12, "difference": 1e-7}
#: absolute; below it a squared error is 0 but for rounding, and nothing that is measured is as small
ZERO = 1e-24

_HERE = Resources()


def repeat(
    known: Experiment, preset: str, *, pieces: int = 1, root: Path | None = None, resources: Resources = _HERE
) -> results.Result:
    """Repeat `pieces` runs (a cell and a seed each) of a stored result and note in its file that they agree.

    Which ones is drawn from the name of the result, so that it is nobody's choice. Trained networks and the iteration
    counts of solvers repeat on the device that made them only: another one rounds differently, and training magnifies
    that.

    Raises
    ------
    ValueError
        `pieces` is not between 1 and the number of runs.
    FileNotFoundError, companion.runner.results.StaleResult
        There is no such result, or it was made with other settings.
    RuntimeError
        A number differs; the message names the run, the number, both values, and the device that made the stored one
        if it is not this one. The file stays as it was.
    """
    own = results.own_folder() if root is None else root
    if root is None and results.path(known.name, preset, own).is_file():
        root = own
    stored = results.load(known, preset, root=root)
    settings = known.settings(preset)
    everything = [(cell, seed) for seed in stored.seeds for cell in known.cells(settings)]
    pieces = integer("pieces", pieces, low=1, high=len(everything))
    for cell, seed in random.Random(stored.name).sample(everything, pieces):
        made = known.run(settings, cell, seed, resources)
        if told := _difference(stored, cell, seed, [{**cell, "seed": seed, **row} for row in made]):
            there, here = stored.provenance["device"], device_name(resources.device)
            if there != here:
                told += (
                    f"; it was made on {there}, this is {here}: rounding differs between them and training magnifies "
                    f"it, so repeat it there, or renew it here with: {stored.command}"
                )
            raise RuntimeError(told)
    note = {"code": known.code, "runs": pieces, "of": len(everything), "date": results.now()}
    noted = replace(stored, provenance={**stored.provenance, "repeated": note})
    results.save(known, preset, noted.seeds, noted.rows, noted.provenance, own)
    return noted


def _difference(stored: results.Result, cell: dict[str, Any], seed: int, made: list[results.Row]) -> str | None:
    """Where the rows of one run differ from the stored ones, None if they agree."""
    where = f"{stored.name}, {', '.join(f'{k} {v}' for k, v in cell.items())}, seed {seed}"
    before = stored.select(**cell, seed=seed)
    if len(before) != len(made):
        return f"{where}: {len(before)} rows are stored, today's code gives {len(made)}"
    for old, new in zip(before, made, strict=True):
        for key in {**old, **new}.keys() - TIMED:
            if not _same(old.get(key), new.get(key), ROUNDING.get(key, ZERO)):
                return f"{where}: {key} is stored as {old.get(key)!r}, today's code gives {new.get(key)!r}"
    return None


def _same(old: Any, new: Any, zero: float = ZERO) -> bool:
    if isinstance(old, float) and isinstance(new, (int, float)):
        return math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=zero) or (math.isnan(old) and math.isnan(new))
    return bool(old == new)
