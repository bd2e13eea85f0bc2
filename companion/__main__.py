"""The command line: `companion list | run | repeat | data | claims`."""

import argparse
import io
import os
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from companion import __version__
from companion import _validate as check
from companion.runner.experiment import PRESETS, Experiment

_RUN_EPILOG = """\
presets
  smoke   seconds, on data made or shipped with the package; what the tests use
  cpu     minutes to hours on two cores; networks need MNIST and Omniglot (companion data fetch)
  paper   the paper's own size; networks want a CUDA GPU, but run anywhere and go on after a stop

examples
  companion run figure1 --preset paper            the paper's Figure 1 in seconds
  companion run table1 --preset cpu --jobs 2      the paper's Table 1, small, two models at a time
"""

_OUT = "result folder (default: $COMPANION_RESULTS, the checkout you stand in, or your data folder)"


class _Parser(argparse.ArgumentParser):
    """Bad arguments: exit code 2 and one clear line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"companion: {' '.join(message.split())} (see {self.prog} --help)\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        _say("", end="")  # what --help printed may still wait
        super().exit(status, message)


class _Path(argparse.Action):
    """A path, which is refused by the name of its option."""

    def __call__(self, parser: Any, given: argparse.Namespace, value: Any, option: str | None = None) -> None:
        setattr(given, self.dest, check.path(option or self.dest, value))


def parser() -> argparse.ArgumentParser:
    """The arguments of every subcommand."""
    top = _Parser(prog="companion", description="Run the experiments and checks behind the book.")
    top.add_argument("--version", action="version", version=f"companion {__version__}")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)
    folder: Any = {"action": _Path, "metavar": "DIR"}

    listed = commands.add_parser("list", help="the experiments, their presets and stored results")
    listed.set_defaults(act=_list)

    run = commands.add_parser(
        "run",
        help="run an experiment and store its result",
        description="Run an experiment over its grid and seeds. A stopped run goes on with the same command.",
        epilog=_RUN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.set_defaults(act=_run, kept="finished pieces are kept, the same command goes on")
    run.add_argument("--device", default="auto", help="auto (default), cpu or cuda; with dask the workers'")
    run.add_argument("--seeds", type=int, metavar="N", help="number of seeds (default: the preset's)")
    run.add_argument("--jobs", type=int, default=1, metavar="J", help="pieces at a time (default 1)")
    run.add_argument("--threads", type=int, default=1, metavar="T", help="threads of each piece (default 1)")
    run.add_argument("--backend", default="joblib", metavar="NAME", help="joblib (default, this machine) or dask")
    run.add_argument("--scheduler", metavar="ADDRESS", help="of an existing Dask cluster, e.g. tcp://host:8786")
    run.add_argument("--blocks", **folder, help="folder of blocks of networks to take in and add to (real-scores)")
    run.add_argument("--share", metavar="K/M", help="only add the K-th of every M blocks to --blocks; store no result")
    run.add_argument("--fresh", action="store_true", help="replace what is stored: start anew")

    again = commands.add_parser(
        "repeat",
        help="repeat some runs of a stored result and compare every number",
        description="Repeat some runs of a stored result with today's code; exit 1 if a number differs.",
    )
    again.set_defaults(act=_repeat, kept="the stored result is as it was")
    again.add_argument("--pieces", type=int, default=1, metavar="N", help="how many runs to repeat (default 1)")
    again.add_argument("--device", default="cpu", help="cpu (default), cuda or auto")
    for command in (run, again):
        command.add_argument("experiment", metavar="EXPERIMENT", help="a name from `companion list`")
        command.add_argument("--preset", default="smoke", help="smoke (default), cpu or paper")
        command.add_argument("--out", **folder, help=_OUT)
        command.add_argument("--root", **folder, help="image data (default: $COMPANION_DATA or the cache)")

    data = commands.add_parser("data", help="fetch or verify MNIST and Omniglot")
    data.set_defaults(act=_data, kept="whole files are kept, the same command goes on")
    data.add_argument("action", choices=("fetch", "verify"), help="fetch: download what is missing; verify: check")
    data.add_argument("--root", **folder, help="folder (default: $COMPANION_DATA or the user's cache)")

    claims = commands.add_parser("claims", help="check every numbered statement of the book, both ways")
    claims.set_defaults(act=_claims, kept="claims are checked anew each time")
    claims.add_argument("--markdown", action="store_true", help="print a Markdown table")
    told = "write what was found, with statements and sources, as JSON"
    claims.add_argument("--json", action=_Path, metavar="FILE", help=told)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    _open_streams()
    before = signal.signal(signal.SIGTERM, _terminate)
    given = argparse.Namespace(command="companion", kept="")
    try:
        parser().parse_args(argv, given)
        return given.act(given)
    except SystemExit as stop:  # --help, --version, bad arguments, a reader that went away
        return int(stop.code or 0)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "torchvision"):
            return _fail(2, error)
        return _fail(2, f"{given.command} needs {error.name}: pip install 'long-tail-companion[networks]'")
    except (ValueError, TypeError, OSError) as error:
        return _fail(2, error)
    except (RuntimeError, ArithmeticError, MemoryError) as error:
        return _fail(1, str(error) or type(error).__name__)
    except KeyboardInterrupt as stop:
        what = "terminated" if stop.args else "interrupted"
        return _fail(143 if stop.args else 130, f"{what}; {given.kept}" if given.kept else what)
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> NoReturn:
    """SIGTERM ends like an interrupt, so that what is open is closed and what is half-written removed."""
    raise KeyboardInterrupt("terminated")


def _say(text: str, end: str = "\n") -> None:
    """Print. A reader that has seen enough, such as `head`, ends the program without a word, as it does others."""
    try:
        print(text, end=end, flush=True)
    except OSError as error:
        with suppress(OSError, ValueError):  # the interpreter flushes once more when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise SystemExit(141) from None  # as a shell reports a writer that SIGPIPE ended
        raise


def _open_streams() -> None:
    """Closed streams (`2>&-`) become /dev/null, before a file takes their place; what a terminal lacks is escaped."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, open as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fail(code: int, error: object) -> int:
    with suppress(OSError):
        print("companion: " + " ".join(str(error).split()), file=sys.stderr)
    return code


def _list(given: argparse.Namespace) -> int:
    from companion import experiments
    from companion.runner import results

    for name in experiments.names():
        folders = (results.folder(), results.own_folder())
        stored = [p for p in PRESETS if any(results.path(name, p, place).is_file() for place in folders)]
        _say(f"{name:<22} {experiments.summary(name)}\n{'':<22} stored: {', '.join(stored) or 'nothing yet'}")
    return 0


def _run(given: argparse.Namespace) -> int:
    from companion.experiments import experiment
    from companion.runner import results
    from companion.runner.run import run

    known = experiment(given.experiment)
    share = None
    if given.share is not None:
        if not (told := re.fullmatch(r"(\d+)/(\d+)", given.share)):
            raise ValueError(f"share must be K/M, such as 1/2, got {given.share!r}")
        share = int(told[1]), int(told[2])
    file = run(
        known,
        given.preset,
        out=(given.out or results.own_folder()).resolve(),
        seeds=given.seeds,
        device=_device(given.device, known, elsewhere=given.backend == "dask"),
        jobs=given.jobs,
        threads=given.threads,
        data=given.root,
        backend=given.backend,
        scheduler=given.scheduler,
        blocks=given.blocks and given.blocks.resolve(),
        share=share,
        fresh=given.fresh,
        progress=True,
    )
    _say(f"{file}\n" + (f"share {given.share} is there; no result was stored" if share else results.read(file).line()))
    return 0


def _repeat(given: argparse.Namespace) -> int:
    from companion.experiments import experiment
    from companion.runner.experiment import Resources
    from companion.runner.repeat import repeat

    known = experiment(given.experiment)
    resources = Resources(_device(given.device, known), data=given.root, progress=sys.stderr.isatty())
    _say(repeat(known, given.preset, pieces=given.pieces, root=given.out, resources=resources).line())
    return 0


def _device(name: str, known: Experiment, elsewhere: bool = False) -> str:
    """What `name` means for `known`: auto is a GPU where there is one and networks are trained, else the CPU.

    `elsewhere`: the pieces are computed on other machines, so that what this one has does not matter: auto is the
    CPU, and cuda is taken at its word. ValueError for a device that is not there or of no use.
    """
    kind, colon, card = name.partition(":")
    asked = check.one_of("device", kind, ("auto", "cpu", "cuda")) + colon + card
    if kind == "cuda" and not known.trains:
        raise ValueError(f"device must be auto or cpu for {known.name}, which trains no networks; got {asked!r}")
    if elsewhere or not known.trains:
        return asked if kind == "cuda" else "cpu"
    return str(check.device(asked))


def _data(given: argparse.Namespace) -> int:
    from companion.neural import images

    act = images.fetch if given.action == "fetch" else images.verify
    _say("\n".join(act(given.root)))
    return 0


def _claims(given: argparse.Namespace) -> int:
    from book.reference.claims import check_all

    file = given.json
    if file and (file.is_dir() or not file.absolute().parent.is_dir()):
        raise ValueError(f"--json must be a file that can be written, in a folder that exists; got {str(file)!r}")
    failed = check_all(_say, markdown=given.markdown, file=file)
    return _fail(1, f"not as stated: {', '.join(failed)}") if failed else 0


if __name__ == "__main__":
    sys.exit(main())
