"""What a user waits for: the import, and the book."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.clock import wall

pytestmark = pytest.mark.benchmark
ROOT = Path(__file__).parents[2]


def test_import_time(note):
    """`import companion.linear` costs at most 1.5 times numpy and scipy.sparse.linalg."""

    def cost(modules):
        times = []
        for _ in range(7):
            before = os.times()
            subprocess.run([sys.executable, "-c", f"import {modules}"], check=True)
            after = os.times()
            times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        return min(times)

    ours, theirs = cost("companion.linear"), cost("numpy, scipy.sparse.linalg")
    note(
        "package",
        "import companion.linear",
        ours,
        "s",
        against="numpy and scipy.sparse.linalg",
        theirs=theirs,
        ratio=theirs / ours,
        least=round(1 / 1.5, 2),
    )


def test_building_the_book(note, tmp_path):
    """Cold, with every chapter run: under 10 minutes of wall clock. Warm, nothing changed: under one."""
    for part in ("book", "companion"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("_config.yml", "_toc.yml", "pyproject.toml", "requirements.txt", "CITATION.cff"):
        shutil.copy2(ROOT / file, tmp_path / file)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(tmp_path), "-W", "-n", "--keep-going"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}

    def build():
        subprocess.run(command, check=True, capture_output=True, env=environment)

    note("book", "building it cold", wall(build), "s", most=600)
    note("book", "building it warm", wall(build), "s", most=60)
