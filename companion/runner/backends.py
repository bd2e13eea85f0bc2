"""Where the pieces of a run are computed: here, in several processes here, or on a Dask cluster.

Each backend is an iterator that takes tasks (functions of no arguments with a name) and yields
`(index, value)` as they finish, in any order. A task is the same function of the same arguments wherever it runs, so
that no backend changes a number beyond rounding: linear algebra adds in an order that hangs on the processor and on the
threads (4e-15 between one and two). joblib's processes get `threads` threads each; this process and Dask's workers have
what their environment gives them (OMP_NUM_THREADS).
"""

import logging
import os
import socket
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from typing import Any

Task = Callable[[], Any]
PATIENCE = 5.0  # seconds in which a scheduler must answer


def serial(tasks: Sequence[Task]) -> Generator[tuple[int, Any]]:
    """One after another, in this process."""
    for i, task in enumerate(tasks):
        yield i, task()


def processes(tasks: Sequence[Task], jobs: int, threads: int) -> Generator[tuple[int, Any]]:
    """`jobs` at a time in processes of this machine, each with `threads` threads (joblib).

    If this process dies, even by `kill -9`, the others end within a second or two: none goes on writing checkpoints
    that a new run of the same experiment has taken over.
    """
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=threads):
        calls = (delayed(_owned)(os.getpid(), i, task) for i, task in enumerate(tasks))
        finished = Parallel(n_jobs=jobs, return_as="generator_unordered")(calls)
        try:
            yield from finished
        finally:
            with warnings.catch_warnings():  # that a run was stopped is said once, by the command
                warnings.simplefilter("ignore")
                finished.close()


def cluster(tasks: Sequence[Task], scheduler: str, tell: Callable[[str], None]) -> Generator[tuple[int, Any]]:
    """On the workers of the Dask cluster whose scheduler listens at `scheduler`, e.g. "tcp://host:8786".

    A task whose worker dies is given to another one. However this ends, tasks that wait are taken back; one that runs
    cannot be stopped, and its rows go nowhere. `tell` is told that there is no worker yet. Raises RuntimeError, in one
    line, if the scheduler cannot be reached or goes away; what was yielded before is not lost.
    """
    try:
        from distributed import Client, as_completed
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker
    except ModuleNotFoundError:
        raise ModuleNotFoundError("backend dask needs the package distributed: pip install distributed") from None
    with ExitStack() as ending:
        ending.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)  # what happened is said in one line, by an exception
        try:
            _knock(scheduler)
            client = Client(scheduler, timeout=f"{PATIENCE:g}s", set_as_default=False)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise RuntimeError(f"no Dask scheduler answers at {scheduler!r} ({reason})") from None
        ending.callback(client.close, timeout=PATIENCE)
        index: dict[Any, int] = {}
        try:
            # pure=False: equal arguments of two runs must not share a key, or one run would cancel the other's work.
            index = {client.submit(task, pure=False, retries=2): i for i, task in enumerate(tasks)}
            if not client.scheduler_info()["workers"]:
                tell(f"the Dask cluster at {scheduler} has no workers yet; waiting for the first")
            for future in as_completed(index, loop=client.loop):
                yield index[future], future.result()
        except KilledWorker as error:
            raise RuntimeError(f"a piece brought down every Dask worker that tried it: {error}") from None
        except (FutureCancelledError, CommClosedError, TimeoutError):
            raise RuntimeError(
                f"the Dask scheduler at {scheduler} is gone; finished pieces are kept, the same command goes on"
            ) from None
        finally:
            with suppress(CommClosedError, TimeoutError, OSError, FutureCancelledError):
                client.cancel(list(index), force=True)


def _knock(scheduler: str) -> None:
    """An error unless what listens at a TCP address speaks at once and shortly, as a Dask scheduler does.

    A client would wait for minutes for a server that is silent, and take the greeting of another kind of server for
    the length of a message of exbibytes.
    """
    from distributed.comm.addressing import get_address_host_port, parse_address

    if parse_address(scheduler)[0] != "tcp":
        return
    with socket.create_connection(get_address_host_port(scheduler, strict=True), timeout=PATIENCE) as line:
        greeting = line.makefile("rb").read(8)
    if len(greeting) < 8 or int.from_bytes(greeting, "little") > 2**20:
        raise OSError("another kind of server listens there")


def _owned(owner: int, index: int, task: Task) -> tuple[int, Any]:
    _end_with(owner)
    return index, task()


@cache
def _end_with(owner: int) -> None:
    """Let this worker process end when its parent, `owner`, is gone (joblib's would first finish their task)."""

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(1.0)
        os._exit(1)

    if os.getppid() == owner:  # else: no child of the owner, so this cannot be told
        threading.Thread(target=watch, daemon=True, name="end-with-owner").start()
