"""The built notebooks as a reader runs them: an empty folder, an environment with the package's dependencies alone.

The environment is made once, by pip, from this checkout. Where a notebook trains networks, torch is lent to it from
the environment of the tests, as Colab lends its own: five gigabytes are not installed twice.
"""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.book.pages import CHAPTERS, PAGES, ROOT, has_code

pytestmark = pytest.mark.notebooks
NOTEBOOKS = sorted({*CHAPTERS, *(page for page in PAGES if has_code(page))})


@pytest.fixture(scope="session")
def fresh(tmp_path_factory, worker_id):
    """Folder with `plain`, an environment that holds `pip install .` and a kernel, and `lent`, links to torch."""
    from filelock import FileLock

    shared = tmp_path_factory.getbasetemp()
    folder = (shared if worker_id == "master" else shared.parent) / "fresh"
    with FileLock(f"{folder}.lock"):
        if not (folder / "ready").is_file():
            plain = folder / "plain"
            call([sys.executable, "-m", "venv", str(plain)])
            pip = [str(plain / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            call([*pip, str(ROOT), "ipykernel"])
            lend(folder / "lent", "torch", "torchvision")
            (folder / "ready").touch()
    return folder


def call(command):
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd="/")
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout.strip()


def environment(**more):
    """This process's variables without those that would lead to the checkout."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COMPANION_") and k != "PYTHONPATH"}
    return {**kept, "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1", **more}


def lend(folder, *names):
    """Links in `folder` to the installed files of `names` and of all that they require."""
    from packaging.requirements import Requirement

    folder.mkdir()
    wanted, linked = list(names), set()
    while wanted:
        installed = metadata.distribution(wanted.pop())
        if installed.name in linked:
            continue
        linked.add(installed.name)
        for required in map(Requirement, installed.requires or []):
            if required.marker is None or required.marker.evaluate({"extra": ""}):
                wanted.append(required.name)
        for top in {file.parts[0] for file in installed.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            link(Path(str(installed.locate_file(top))), folder / top)


def link(source, target):
    """A link; where two packages share a folder (a namespace), a folder of links to the parts of both."""
    if target.is_symlink() and source.is_dir() and target.resolve() != source.resolve():
        first = target.resolve()
        target.unlink()
        target.mkdir()
        for part in first.iterdir():
            link(part, target / part.name)
    if target.is_dir() and not target.is_symlink():
        for part in source.iterdir():
            link(part, target / part.name)
    elif not target.exists():
        target.symlink_to(source)


def test_the_fresh_environment_holds_the_package_and_no_more(fresh):
    ask = (
        "import companion, importlib.util as u; print(companion.__file__, u.find_spec('torch'), u.find_spec('sphinx'))"
    )
    said = call([str(fresh / "plain" / "bin" / "python"), "-c", ask])
    assert said.startswith(str(fresh)), said
    assert said.endswith(" None None")


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_notebook_runs_from_an_empty_folder(fresh, html, tmp_path, page):
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    notebook = nbformat.read(html / "notebooks" / f"{page}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    more = {"COMPANION_DATA": str(tmp_path / "no-data")}
    if '"torch"' in code[0].source:
        more["PYTHONPATH"] = str(fresh / "lent")

    specs = tmp_path / "specs" / "fresh"
    specs.mkdir(parents=True)
    python = str(fresh / "plain" / "bin" / "python")
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=ERROR"]
    spec = {"argv": argv, "display_name": "fresh", "language": "python"}
    (specs / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    found = KernelSpecManager(kernel_dirs=[str(tmp_path / "specs")], ensure_native_kernel=False)
    kernel = AsyncKernelManager(kernel_name="fresh", kernel_spec_manager=found)

    empty = tmp_path / "empty"
    empty.mkdir()
    client = NotebookClient(notebook, km=kernel, timeout=900, resources={"metadata": {"path": str(empty)}})
    client.execute(env=environment(**more))

    complaints = [out.text for cell in code for out in cell.outputs if out.get("name") == "stderr"]
    assert complaints == []
    assert "pip" not in "".join(out.get("text", "") for out in code[0].outputs)
    assert list(empty.iterdir()) == [], "a notebook leaves files behind"
