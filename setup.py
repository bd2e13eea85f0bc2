"""All metadata is in pyproject.toml; this puts the stored results, which live with the book, into the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithResults(build_py):
    """Copy book/results/*.json to companion/_results, where an installed `companion.runner.results` looks."""

    def run(self):
        super().run()
        if not self.editable_mode:  # a checkout reads book/results itself
            target = Path(self.build_lib) / "companion" / "_results"
            target.mkdir(parents=True, exist_ok=True)
            for result in Path("book/results").glob("*.json"):
                shutil.copy2(result, target)


setup(cmdclass={"build_py": WithResults})
