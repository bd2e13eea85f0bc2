"""Execution: a cache that knows the package's code, filled by two chapters at a time."""

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import create_nb_reader
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

# What a chapter's output depends on besides its own cells.
INPUTS = (
    "companion/**/*.py",
    "book/[a-z]*/*.py",
    "requirements.txt",
    "requirements/*.txt",
    "pyproject.toml",
    "book/results/*.json",
)
OFFLINE = Path(__file__).with_name("companion_offline.py")  # no chapter uses the network


def key_cache(config, root):
    """Put a hash of `INPUTS` in the cache's path: a change in the package runs the chapters again."""
    digest = hashlib.sha256()
    for pattern in INPUTS:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    config.nb_execution_cache_path = str(root / "_build" / ".jupyter_cache" / digest.hexdigest()[:16])


def read_chapter(env, docname):
    """The chapter as the notebook that the cache knows; None for a page without code."""
    path = env.doc2path(docname)
    text = Path(path).read_text(encoding="utf-8")
    reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)
    return None if reader is None else reader.read(text)


def run_stale_chapters(app, env, docnames):
    """Execute the chapters that the cache lacks, several at once, and put them into it.

    Where chapters fail, the others still run and are kept; then the build stops and shows every failure.
    """
    if env.mystnb_config.execution_mode != "cache":
        return
    cache = get_cache(env.mystnb_config.execution_cache_path)
    stale = []
    for docname in docnames:
        notebook = read_chapter(env, docname)
        if notebook is None:
            continue
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            stale.append((Path(env.doc2path(docname)), notebook))
    if not stale:
        return
    workers = min(len(stale), max(2, (os.cpu_count() or 2) // 2), 8)
    logger.info("executing %d chapters, %d at a time", len(stale), workers)
    start, failures = time.monotonic(), []
    with ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(_run, path, notebook, env.mystnb_config): path for path, notebook in stale}
        for done in as_completed(running):
            path, result = running[done], done.result()
            name = path.relative_to(app.srcdir)
            if result.err is None:
                logger.info("%s ran in %.1f s", name, result.time)
                bundle = CacheBundleIn(result.nb, str(path), data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            else:
                logger.info("%s FAILED after %.1f s", name, result.time)
                failures.append(f"{name}\n{result.err}")
    logger.info("executed in %.0f s", time.monotonic() - start)
    if failures and env.mystnb_config.execution_raise_on_error:
        raise ExtensionError("chapters that failed:\n\n" + "\n\n".join(failures))


def _run(path, notebook, config, attempts=3):
    """Execute one chapter. A kernel that dies at its birth is tried again: another program may take a port first."""
    try:
        return single_nb_execution(
            notebook,
            cwd=str(path.parent),
            timeout=config.execution_timeout,
            allow_errors=config.execution_allow_errors,
            extra_arguments=[
                "--IPKernelApp.log_level=ERROR",  # the kernels' own start-up remarks
                f"--IPKernelApp.exec_files={OFFLINE}",
            ],
        )
    except RuntimeError as error:
        if attempts == 1 or "died before replying" not in str(error):
            raise
        logger.info("%s: the kernel did not start (%s); once more", path.name, error)
        return _run(path, notebook, config, attempts - 1)
