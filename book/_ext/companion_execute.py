"""Execution: a cache that knows the package's code, filled by several chapters at a time."""

import hashlib
import logging
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from myst_nb.core.read import create_nb_reader
from sphinx.errors import ExtensionError

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

# What a chapter's output depends on besides its own cells.
INPUTS = ("companion/**/*.py", "book/[a-z]*/*.py", "book/results/*.json", "requirements/*.txt", "pyproject.toml")


def key_cache(config, root):
    """Put a hash of `INPUTS` in the cache's path: a change in the package runs the chapters again."""
    digest = hashlib.sha256()
    for pattern in INPUTS:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    config.nb_execution_cache_path = str(root / "_build" / ".jupyter_cache" / digest.hexdigest()[:16])


def run_stale_chapters(app, env, docnames):
    """Handler of `env-before-read-docs`: execute the chapters that the cache lacks, one on each core.

    Where chapters fail, the others still run and are kept; then the build stops and shows every failure. A chapter
    whose kernel did not start, because another program took its port first, runs when its page is read.
    """
    settings = env.mystnb_config
    if settings.execution_mode != "cache":
        return
    cache, chapters = get_cache(settings.execution_cache_path), []
    for path in map(env.doc2path, docnames):
        reader = create_nb_reader(path, env.myst_config, settings, Path(path).read_text(encoding="utf-8"))
        if reader is not None:
            chapters.append(cache.add_nb_to_project(path, read_data=reader.read_fmt).uri)
    if stale := cache.list_unexecuted(chapters):
        print(f"executing {len(stale)} chapters, one on each core")
        executor = load_executor("local-parallel", cache, logger)
        ran = executor.run_and_cache(filter_uris=chapters, timeout=settings.execution_timeout)
        if ran.excepted and settings.execution_raise_on_error:
            failures = [f"{path}\n{cache.get_project_record(path).traceback}" for path in ran.excepted]
            raise ExtensionError("chapters that failed:\n\n" + "\n\n".join(failures))
