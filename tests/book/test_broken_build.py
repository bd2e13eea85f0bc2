"""A chapter's output never outlives the code that made it: break the package, and the build goes red."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.book.pages import HEADER, ROOT

pytestmark = pytest.mark.site

TOC = """format: jb-book
root: book/index
parts:
  - caption: One
    numbered: true
    chapters:
      - file: book/one
"""
CHAPTER = (
    HEADER
    + """
# One

```{code-cell} ipython3
from book.shared.explore import number

assert number(10_000) == "10,000"
print("checked")
```
"""
)


@pytest.fixture
def small(tmp_path):
    """A copy of the repository with a front page and one chapter."""
    for name in (
        "companion",
        "requirements",
        "book/_ext",
        "book/_static",
        "book/_templates",
        "book/shared",
        "book/live",
    ):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (
        "_config.yml",
        "requirements.txt",
        "pyproject.toml",
        "package.json",
        "package-lock.json",
        "book/references.bib",
        "book/__init__.py",
        "book/index.py",
        "book/reference/__init__.py",
        "book/reference/claims.py",
        "book/reference/claims.schema.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "book/results/.partial").mkdir(parents=True)  # of a run that has not ended
    (tmp_path / "_toc.yml").write_text(TOC, encoding="utf-8")
    (tmp_path / "book/index.md").write_text("# Front\n\n{doc}`one`\n", encoding="utf-8")
    (tmp_path / "book/one.md").write_text(CHAPTER, encoding="utf-8")
    return tmp_path


def build(folder):
    program = os.path.join(os.path.dirname(sys.executable), "jupyter-book")
    command = [program, "build", ".", "-n", "-W", "--keep-going"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_a_broken_function_stops_a_build_with_a_warm_cache(small):
    first = build(small)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert "executing 1 chapters" in first.stdout
    assert (small / "_build/html/results").is_dir()
    assert not (small / "_build/html/results/.partial").exists()

    second = build(small)
    assert second.returncode == 0
    assert "executing" not in second.stdout, "nothing changed, yet a chapter ran again"

    module = small / "book/shared/explore.py"
    module.write_text(module.read_text(encoding="utf-8").replace("x:,.0f", "x:.0f"), encoding="utf-8")
    broken = build(small)
    assert broken.returncode != 0
    assert "AssertionError" in broken.stdout + broken.stderr
