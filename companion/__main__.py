"""The command line: `companion list | run | repeat | data | claims`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from companion import __version__
from companion.runner.experiment import PRESETS

_RUN_EPILOG = """\
presets
  smoke   seconds, on data made or shipped with the package; what the tests use
  cpu     minutes to hours on two cores; networks need MNIST and Omniglot (companion data fetch)
  paper   the paper's own size; networks want a CUDA GPU, but run anywhere and go on after a stop

examples
  companion run figure1 --preset paper            the paper's Figure 1 in seconds
  companion run table1 --preset cpu --jobs 2      the paper's Table 1, small, two models at a time
"""


class _Parser(argparse.ArgumentParser):
    """Bad arguments: exit code 2 and one clear line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"companion: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The arguments of every subcommand."""
    top = _Parser(prog="companion", description="Run the experiments and checks behind the book.")
    top.add_argument("--version", action="version", version=f"companion {__version__}")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)

    commands.add_parser("list", help="the experiments, their presets and stored results")

    run = commands.add_parser(
        "run",
        help="run an experiment and store its result",
        description="Run an experiment over its grid and seeds. A stopped run goes on with the same command.",
        epilog=_RUN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("experiment", metavar="EXPERIMENT", help="a name from `companion list`")
    run.add_argument("--preset", default="smoke", metavar="PRESET", help="smoke (default), cpu or paper")
    run.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda; with dask the workers'"
    )
    run.add_argument("--seeds", type=int, metavar="N", help="number of seeds (default: the preset's)")
    run.add_argument("--jobs", type=int, default=1, metavar="J", help="pieces at a time (default 1)")
    run.add_argument("--threads", type=int, default=1, metavar="T", help="threads of each piece (default 1)")
    run.add_argument("--out", type=Path, metavar="DIR", help="result folder (default: the book's)")
    run.add_argument("--root", type=Path, metavar="DIR", help="image data (default: $COMPANION_DATA or the cache)")
    run.add_argument("--backend", default="joblib", metavar="NAME", help="joblib (default, this machine) or dask")
    run.add_argument("--scheduler", metavar="ADDRESS", help="of an existing Dask cluster, e.g. tcp://host:8786")
    run.add_argument("--fresh", action="store_true", help="drop finished pieces and start anew")

    again = commands.add_parser(
        "repeat",
        help="repeat some runs of a stored result and compare every number",
        description="Repeat some runs of a stored result with today's code; exit 1 if a number differs.",
    )
    again.add_argument("experiment", metavar="EXPERIMENT", help="a name from `companion list`")
    again.add_argument("--preset", default="smoke", metavar="PRESET", help="smoke (default), cpu or paper")
    again.add_argument("--pieces", type=int, default=1, metavar="N", help="how many runs to repeat (default 1)")
    again.add_argument("--device", default="cpu", metavar="DEVICE", help="cpu (default), cuda or auto")
    again.add_argument("--out", type=Path, metavar="DIR", help="result folder (default: the book's)")
    again.add_argument("--root", type=Path, metavar="DIR", help="image data (default: $COMPANION_DATA or the cache)")

    data = commands.add_parser("data", help="fetch or verify MNIST and Omniglot")
    data.add_argument("action", choices=("fetch", "verify"), help="fetch: download what is missing; verify: check")
    data.add_argument("--root", type=Path, metavar="DIR", help="folder (default: $COMPANION_DATA or the user's cache)")

    claims = commands.add_parser("claims", help="check every numbered statement of the book, both ways")
    claims.add_argument("--markdown", action="store_true", help="print a Markdown table")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    given = parser().parse_args(argv)
    try:
        act = {"list": _list, "run": _run, "repeat": _repeat, "data": _data, "claims": _claims}[given.command]
        return act(given)
    except (ValueError, TypeError, OSError, ModuleNotFoundError) as error:
        return _fail(2, error)
    except (RuntimeError, ArithmeticError) as error:
        return _fail(1, error)
    except KeyboardInterrupt:
        return _fail(130, "interrupted; finished pieces are kept, the same command goes on")


def _fail(code: int, error: object) -> int:
    print("companion: " + " ".join(str(error).split()), file=sys.stderr)
    return code


def _list(given: argparse.Namespace) -> int:
    from companion import experiments
    from companion.runner import results

    for name in experiments.names():
        stored = [p for p in PRESETS if results.path(name, p).is_file()]
        print(f"{name:<22} {experiments.summary(name)}\n{'':<22} stored: {', '.join(stored) or 'nothing yet'}")
    return 0


def _run(given: argparse.Namespace) -> int:
    from companion.experiments import experiment
    from companion.runner import results
    from companion.runner.run import run

    known = experiment(given.experiment)
    out = (given.out or results.folder()).resolve()
    file = run(
        known,
        given.preset,
        out=out,
        seeds=given.seeds,
        device=_device(given.device, elsewhere=given.backend == "dask"),
        jobs=given.jobs,
        threads=given.threads,
        data=given.root,
        backend=given.backend,
        scheduler=given.scheduler,
        fresh=given.fresh,
        progress=True,
    )
    print(f"{file}\n{results.read(file).line()}")
    return 0


def _repeat(given: argparse.Namespace) -> int:
    from companion.experiments import experiment
    from companion.runner.experiment import Resources
    from companion.runner.repeat import repeat

    known = experiment(given.experiment)
    resources = Resources(_device(given.device), data=given.root, progress=True)
    print(repeat(known, given.preset, pieces=given.pieces, root=given.out, resources=resources).line())
    return 0


def _device(name: str, elsewhere: bool = False) -> str:
    """What `auto` means here; ValueError for a device that is not there.

    `elsewhere`: the pieces are computed on other machines, so that what this one has does not matter: auto is the
    CPU, and cuda is taken at its word.
    """
    if name == "cpu":
        return name
    if name not in ("auto", "cuda"):
        raise ValueError(f"device must be one of auto, cpu, cuda; got {name!r}")
    if elsewhere:
        return "cuda" if name == "cuda" else "cpu"
    if name == "auto" and "torch" not in sys.modules:
        return "cpu"  # an experiment that has not loaded torch has no use for a GPU
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if name == "cuda":
        raise ValueError("device 'cuda' is not available here: torch sees no CUDA GPU; use --device cpu or auto")
    return "cpu"


def _data(given: argparse.Namespace) -> int:
    from companion.neural import images

    act = images.fetch if given.action == "fetch" else images.verify
    print(*act(given.root), sep="\n")
    return 0


def _claims(given: argparse.Namespace) -> int:
    from tqdm.auto import tqdm

    from book.shared import ledger

    outcomes, unable = [], list(ledger.missing().items())
    if unable:
        print(_lacking(unable), file=sys.stderr)
    for entry in tqdm(ledger.ledger(), desc="claims", unit="claim", leave=False, disable=not sys.stderr.isatty()):
        try:
            outcomes.append(entry.run())
        except ModuleNotFoundError as error:
            unable.append((entry.label, str(error.name)))
    print((ledger.markdown if given.markdown else ledger.text)(outcomes))
    failed = [o.claim.label for o in outcomes if not o.holds]
    print(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} claims hold and break as they should")
    if unable:
        print(_lacking(unable), file=sys.stderr)
    if failed:
        return _fail(1, f"not as stated: {', '.join(failed)}")
    return 0


def _lacking(unable: Sequence[tuple[str, str]]) -> str:
    """What was not checked, and the command that brings what it needs."""
    packages = ", ".join(dict.fromkeys(package for _, package in unable))
    what = ", ".join(label for label, _ in unable)
    return f"companion: not checked without {packages} (pip install 'long-tail-companion[networks]'): {what}"


if __name__ == "__main__":
    sys.exit(main())
