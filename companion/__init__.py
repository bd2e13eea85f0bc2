"""The code behind *Memorize, then compose*: an executable companion to Zhou, Ma and Ge (ICLR 2026).

Areas, each importable on its own: `companion.linear` (exact solvers for the sparse linear model),
`companion.neural` (digit-sum networks), `companion.memorization` (scores). Importing `companion` loads none of them.
`companion.experiments` holds one module for each stored result, `companion.runner` what runs and keeps them;
`companion.results` is `companion.runner.results`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from companion.runner import results as results

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "results":
        return importlib.import_module("companion.runner.results")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
