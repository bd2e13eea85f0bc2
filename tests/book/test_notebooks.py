"""From a built page to a plain notebook: quotes, links to the site, no markup left; a first cell that installs."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from tests.book.pages import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
companion_notebooks = pytest.importorskip("companion_notebooks")
companion_address = pytest.importorskip("companion_address")

SETTINGS = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
MACROS = SETTINGS["sphinx"]["config"]["mathjax3_config"]["tex"]["macros"]
NETWORKS = (ROOT / "requirements" / "networks.txt").read_text(encoding="utf-8").split()
ARCHIVE = "long-tail-companion @ https://there/own/repo/archive/refs/heads/trunk.zip"
CONFIG = SimpleNamespace(
    html_theme_options={"repository_url": "https://there/own/repo", "repository_branch": "trunk"}, site_branch="built"
)


def plain(html):
    return companion_notebooks.Plain(macros=MACROS).convert(html).strip()


# The page as Markdown


def test_statements_become_quotes_and_macros_are_written_out():
    html = (
        '<div class="proof theorem admonition" id="thm-a"><p class="admonition-title"><span class="caption-number">'
        'Theorem 2.1 </span> (Ridge)</p><section><p>Let <span class="math notranslate">\\(X\\in\\R^n_*\\)</span>.</p>'
        "</section></div>"
    )
    assert plain(html).splitlines() == ["> **Theorem 2.1 (Ridge)**", ">", r"> Let $X\in\mathbb{R}^n_*$."]


def test_proofs_inside_folds_stay_folded():
    html = (
        '<details class="sd-dropdown"><summary class="sd-card-header"><span>Proof</span></summary>'
        '<div><div class="proof admonition"><p>Proof. Clear.</p></div></div></details>'
    )
    assert plain(html).split("\n\n") == ["<details><summary>Proof</summary>", "> Proof. Clear.", "</details>"]


def test_equations_keep_their_number_wherever_they_stand():
    equation = '<div class="math" id="equation-a"><span class="eqno">(2.3)</span>\\[a &lt; b_i\n+ c\\]</div>'
    html = f"<ul><li><p>So</p>{equation}</li></ul>"
    assert plain(html).splitlines() == ["* So", "", "  $$", "  a < b_i", r"  + c \tag{2.3}", "  $$"]


def test_what_markdown_would_take_for_markup_is_escaped():
    html = "<p>2 * 3, a_b, [x], &lt;b&gt;, `c`, $5</p><pre>a_b * $c</pre><p><code>d_e</code></p>"
    first, code, last = plain(html).split("\n\n")
    assert first == r"2 \* 3, a\_b, \[x\], \<b>, \`c\`, \$5"
    assert code == "```\na_b * $c\n```"
    assert last == "`d_e`"


def test_a_bar_in_a_formula_does_not_cut_a_table():
    cell = "<td><span class='math'>\\(|x|\\)</span></td>"
    html = f"<table><thead><tr><th>a</th></tr></thead><tbody><tr>{cell}</tr></tbody></table>"
    assert r"| $\vert x\vert $ |" in plain(html)


def test_cells_stand_where_the_page_has_them_and_hidden_ones_too():
    body = (
        '<section id="s"><h1>One<a class="headerlink" href="#s">#</a></h1>'
        '<p>See <a href="../x.html#y" title="z">it</a>.</p>'
        '<div class="cell" id="cell-3"><div class="cell_input"><pre>shown</pre></div><figure><figcaption><p>'
        '<span class="caption-number">Fig. 1 </span>Words.</p></figcaption></figure></div>'
        '<div class="live"><figcaption>no</figcaption></div></section>'
    )
    parts = list(companion_notebooks.parts(body, "https://site/book/a/b.html", {1: "", 3: "", 5: ""}))
    assert [part for part in parts if isinstance(part, int)] == [1, 3, 5]
    text = [plain(part) for part in parts if isinstance(part, str)]
    assert text == ["# One\n\nSee [it](https://site/book/x.html#y).", "**Fig. 1** Words."]


# The first cell


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import numpy", []),
        ("import torch", NETWORKS),
        ("from companion.neural.tasks import digit_sums", NETWORKS),
        ("from book.networks import dials as chapter", NETWORKS),
        ("from book.linear import recovery as chapter", []),
    ],
)
def test_the_first_cell_asks_for_torch_where_networks_are_trained(code, needed):
    cell = companion_notebooks.first_cell(CONFIG, "book/none", [code])
    (line,) = (line for line in cell.splitlines() if line.startswith("needed"))
    assert list(dict.fromkeys(json.loads(line.partition("=")[2]).values())) == [ARCHIVE, *needed]


PIP = """
import pathlib, sys
pathlib.Path("asked").write_text(" ".join(sys.argv[1:]))
for name in INSTALLS:
    folder = pathlib.Path(__file__).parents[1] / name
    folder.mkdir()
    (folder / "__init__.py").touch()
"""


def run(tmp_path, installs, code="import companion, book; print(companion.__file__, book.__file__)"):
    """The cell in a Python without our package, whose pip is a stand-in that brings `installs`; what pip was asked."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here / "companion", here / "book" / "__pycache__", there / "pip"):
        folder.mkdir(parents=True)  # an empty folder, and what an uninstall leaves
    (there / "pip" / "__init__.py").touch()
    (there / "pip" / "__main__.py").write_text(PIP.replace("INSTALLS", repr(installs)), encoding="utf-8")
    cell = companion_notebooks.first_cell(CONFIG, "book/none", [])
    script = f"import sys\nsys.path[:0] = ['', {str(there)!r}]\n{cell}\n{code}\n"
    environment = {**os.environ, "PYTHONPATH": str(there)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=here, env=environment, capture_output=True, text=True, timeout=60
    )
    asked = here / "asked"
    return done, asked.read_text(encoding="utf-8") if asked.is_file() else ""


def test_folders_of_that_name_are_not_taken_for_the_package_and_git_is_not_asked(tmp_path):
    done, asked = run(tmp_path, ["companion", "book"])
    assert done.returncode == 0, done.stderr
    assert asked == f"install -q {ARCHIVE}"
    assert "there/companion/__init__.py" in done.stdout
    assert "there/book/__init__.py" in done.stdout


def test_what_is_there_is_left_alone(tmp_path):
    for name in ("companion", "book"):
        (tmp_path / "there" / name).mkdir(parents=True)
        (tmp_path / "there" / name / "__init__.py").touch()
    done, asked = run(tmp_path, [])
    assert done.returncode == 0, done.stderr
    assert asked == ""


def test_without_a_way_to_the_repository_a_notebook_stops_at_one_line_that_helps(monkeypatch):
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbformat import v4

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    cell = companion_notebooks.first_cell(CONFIG, "book/none", []).replace('"companion"', '"companion_absent"')
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell.replace("https://there", "http://127.0.0.1:9"))])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, timeout=120).execute()
    (shown,) = notebook.cells[0].outputs
    assert shown.output_type == "error"
    (line,) = shown.traceback
    assert line.startswith("not installed: long-tail-companion @ http://127.0.0.1:9/own/repo/archive")
    assert line.endswith("pip install PATH")
    assert "\n" not in line


# One place for the addresses


def test_workflow_links_and_first_cell_agree():
    """The branch that Colab opens is the one that the workflow fills, with the folder that holds the notebooks."""
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    steps = [step for job in flow["jobs"].values() for step in job["steps"]]
    (published,) = (step["with"] for step in steps if "actions-gh-pages" in step.get("uses", ""))
    (kept,) = (step["with"] for step in steps if "upload-artifact" in step.get("uses", ""))
    assert published["publish_branch"] == SETTINGS["sphinx"]["config"]["site_branch"]
    assert kept["path"] == "_build/html"
    assert companion_address.colab(CONFIG, "book/a").endswith("/own/repo/blob/built/notebooks/book/a.ipynb")
    assert flow[True]["push"]["branches"] == [SETTINGS["repository"]["branch"]]


def test_the_lockfile_names_no_registry():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    listed = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all(package.get("integrity") for name, package in lock["packages"].items() if name)
    assert lock["packages"][""]["dependencies"] == listed["dependencies"]
