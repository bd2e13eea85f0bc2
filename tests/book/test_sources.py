"""The sources of the book: nothing forgotten, nothing dangling, nothing shown without its provenance."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.book.pages import CHAPTERS, HEADER, PAGES, ROOT, cells, has_code, source


def test_every_page_is_in_the_table_of_contents_once():
    installed = ROOT / "book" / "_static" / "vendor"  # licences of what is brought in when the book is built
    pages = (path for path in (ROOT / "book").rglob("*.md") if installed not in path.parents)
    written = {str(path.relative_to(ROOT).with_suffix("")) for path in pages}
    assert sorted(PAGES) == sorted(written)


@pytest.mark.parametrize("page", [page for page in PAGES if has_code(page)])
def test_chapters_with_code_are_jupytext_notebooks(page):
    assert source(page).startswith(HEADER)


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_one_title(page):
    text = re.sub(r"^(`{3,}|:{3,}).*?^\1\s*$", "", source(page), flags=re.S | re.M)
    assert len(re.findall(r"^# ", text, flags=re.M)) == 1


@pytest.mark.parametrize("page", PAGES)
def test_statements_are_readable_where_the_markup_is_unknown(page):
    """Prose stands in colon fences: a viewer of plain Markdown takes what stands in backquotes for code."""
    prose = r"prf:\w+|dropdown|admonition|div|note|tip|seealso|margin"
    assert re.findall(rf"^\s*`{{3,}}\{{(?:{prose})\}}.*", source(page), re.M) == []


@pytest.mark.parametrize("page", PAGES)
def test_proofs_longer_than_a_screen_are_folded(page):
    open_text = re.sub(r"^(:{4,})\{dropdown\}.*?^\1$", "", source(page), flags=re.S | re.M)
    proofs = re.findall(r"^:::\{prf:proof\}\n(.*?)^:::$", open_text, flags=re.S | re.M)
    assert [proof[:60] for proof in proofs if len(proof) > 1400] == []


def cited(text):
    for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text):
        yield from (key.strip() for key in keys.split(","))


@pytest.mark.parametrize("page", PAGES)
def test_citations_are_in_the_bibliography(page):
    known = set(re.findall(r"@\w+\{([^,\s]+),", (ROOT / "book/references.bib").read_text(encoding="utf-8")))
    assert set(cited(source(page))) <= known


def loaded_and_told(page):
    """The stored results that a page's code loads, by the name they get, and those whose provenance it prints."""
    loaded, told = set(), set()
    for node in ast.walk(ast.parse("\n".join(cells(page)))):
        if isinstance(node, ast.Assign):
            names, values = node.targets[0], node.value
            several = isinstance(names, ast.Tuple) and isinstance(values, ast.Tuple)
            pairs = zip(names.elts, values.elts, strict=True) if several else [(names, values)]
            loaded |= {ast.unparse(name) for name, value in pairs if re.match(r"(\w+\.)?load\(", ast.unparse(value))}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "line":
            told.add(ast.unparse(node.func.value))
    return loaded, told


def lost(source):
    """What a cell makes to be looked at and does not show, as it is not its last expression."""
    made = [node.value for node in ast.parse(source).body[:-1] if isinstance(node, ast.Expr)]
    called = [ast.unparse(call.func) for call in made if isinstance(call, ast.Call)]
    return [name for name in called if re.search(r"(^|\.)(table|settings_of|explorer|fig_\w+)$", name)]


@pytest.mark.parametrize("page", [page for page in PAGES if has_code(page)])
def test_what_a_cell_makes_is_shown(page):
    assert [name for cell in cells(page) for name in lost(cell)] == []


def test_a_table_before_the_last_line_is_lost():
    assert lost("table([1], [])\nx = 1") == ["table"]
    assert lost("x = 1\nchapter.fig_a()") == lost("display(table([1], []))\nx = 1") == []


@pytest.mark.parametrize("page", [page for page in PAGES if has_code(page)])
def test_stored_results_are_shown_with_their_provenance(page):
    """A page prints, for each stored result that it loads, the line that says where it comes from."""
    loaded, told = loaded_and_told(page)
    assert loaded <= told
    assert len(loaded) == len(re.findall(r"\bload\(", "\n".join(cells(page)))), "a result without a name"


@pytest.mark.parametrize("page", PAGES)
def test_theorem_labels_are_used_once(page):
    def labels_of(name):
        return re.findall(r"^\s*:label:\s*(\S+)", source(name), flags=re.M)

    labels = labels_of(page)
    others = {label for other in PAGES if other != page for label in labels_of(other)}
    assert len(labels) == len(set(labels))
    assert not set(labels) & others


def texts():
    """All that people wrote: pages, code, settings, workflows; neither data nor what was built or brought in."""
    kinds = {".md", ".py", ".toml", ".yml", ".yaml", ".cff", ".txt", ".css", ".js", ".mjs", ""}
    away = {"vendor", "node_modules", "build", "mutants", "jupyter_execute"}
    for folder, inside, files in os.walk(ROOT):
        inside[:] = sorted(
            name
            for name in inside
            if (name in (".github", ".ci") or not name.startswith((".", "_build")))
            and not (name in away or name.endswith(".egg-info"))
            and Path(folder, name) != ROOT / "book" / "_static" / "live"  # bundled from book/live
        )
        for path in (Path(folder, name) for name in sorted(files)):
            if path.suffix in kinds and path.is_file() and not path.name.startswith(".") and path.name != "oldest.txt":
                yield path


def test_spelling():
    files = [str(path.relative_to(ROOT)) for path in texts()]
    done = subprocess.run([sys.executable, "-m", "codespell_lib", *files], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_one_address_everywhere():
    """The address of the repository in _config.yml is the one that all other files give."""
    url = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    project = url.rsplit("/", 1)[-1]
    for path in texts():
        for address in re.findall(rf"https://github\.com/[\w.-]+/{project}", path.read_text(encoding="utf-8")):
            assert address == url, path


def test_files_that_other_tools_are_given_are_there():
    """What mutation testing changes and runs, and what runs on other makes of CPU: a file that moved is named."""
    from tests.cpus import TESTS

    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    named = [known[key] for key in ("source_paths", "only_mutate", "also_copy", "pytest_add_cli_args_test_selection")]
    named += [[f"tests/{name}" for name in TESTS]]
    assert not [pattern for patterns in named for pattern in patterns if not list(ROOT.glob(pattern))]


def test_an_installed_package_reads_its_results_and_writes_to_the_users_folder(tmp_path):
    """What `pip install` copies, used from a folder that is no checkout, and never written to."""
    lib, own = tmp_path / "lib", tmp_path / "data"
    setup = "import setuptools; setuptools.setup()"
    build = [sys.executable, "-c", setup, "--quiet", "build_py", "--build-lib", str(lib)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kept = {**os.environ, "PYTHONPATH": str(lib), "XDG_DATA_HOME": str(own), "PYTHONDONTWRITEBYTECODE": "1"}
    kept.pop("COMPANION_RESULTS", None)

    def companion(*words):
        command = [sys.executable, "-P", "-m", "companion", *words]
        return subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True)

    before = sorted(lib.rglob("*"))
    assert re.search(r"^figure1 .*\n +stored: smoke, paper$", companion("list").stdout, re.M)
    said = companion("run", "figure1", "--seeds", "1")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith(f"{own}/companion/results/figure1-smoke.json\n") or sys.platform != "linux"
    assert sorted(lib.rglob("*")) == before
    assert companion("repeat", "figure1").stdout.startswith("Stored result figure1-smoke: 1 seed,")


def imports(page):
    for code in cells(page):
        for node in ast.walk(ast.parse(code)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            yield from (name.split(".")[0] for name in names)


def test_no_cell_goes_unread():
    """Every fence of code in every page is one cell, and the cell holds the lines that stand between the fences."""
    read = [code for page in PAGES if has_code(page) for code in cells(page)]
    assert len(read) == sum(source(page).count("\n```{code-cell}") for page in PAGES)
    assert all(code.strip() for code in read)
    last_lines = [
        line for page in PAGES for line in re.findall(r"\{code-cell\}.*?\n([^\n]+)\n```\n", source(page), re.S)
    ]
    assert [code.rstrip().rpartition("\n")[2] for code in read] == [line.rstrip() for line in last_lines]


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapters_import_only_what_the_package_brings(page):
    """A notebook runs where only the package is installed; torch comes with its `networks` extra."""
    lists = ["package.txt", "networks.txt"]
    lines = [line for name in lists for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()]
    brought = {re.split(r"[<>=!~\[; ]", line)[0] for line in lines if line and not line.startswith(("#", "-"))}
    known = {"scikit-learn": "sklearn"}
    allowed = {known.get(name, name) for name in brought} | {"book", "companion", "IPython"} | sys.stdlib_module_names
    assert set(imports(page)) <= allowed


def test_glue_shows_nothing_and_fails_nowhere_outside_the_book(monkeypatch, capsys):
    from book.shared.page import glue

    monkeypatch.setitem(sys.modules, "myst_nb", None)
    glue("name", 0.25, ".1%")
    assert capsys.readouterr().out == ""


def test_the_first_chapter_tells_the_story_without_theorems():
    """Right after the front page: receipts, the matrix, peeling, forgetting and where it breaks, each to play with."""
    assert PAGES[1] == "book/start"
    assert "{prf:ref}" not in source("book/start")
    shown = re.findall(r'^live\("(\w+)"\)', "\n".join(cells("book/start")), re.M)
    assert shown == ["receipts", "tail", "peel", "forgetting", "symbol"]
    assert "`start`" in re.search(r"^Ten minutes\n\n(.*)$", source("book/index"), re.M)[1]


def test_exercises_that_teachers_are_sent_to_exist():
    asked = re.findall(r"exercise (\d) of \{doc\}`\.\./([\w/-]+)`", source("book/reference/teaching"))
    assert len(asked) > 10
    for number, page in asked:
        exercises = source(f"book/{page}").partition("\n## Exercises\n")[2]
        assert re.search(rf"^(?:\*\*{number}\.\*\*|{number}\.) ", exercises, re.M), (number, page)


def test_worked_examples_use_the_package_alone():
    """What is to be copied into other people's code needs nothing of the book, and only names that packages export."""
    page = "book/reference/your-data"
    assert "book" not in set(imports(page))
    tree = ast.parse("\n".join(cells(page)))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {m for m in modules if m.startswith("companion")} <= {"companion", "companion.linear"}
