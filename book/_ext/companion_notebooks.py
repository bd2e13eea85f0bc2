"""Every chapter as a notebook that runs from an empty folder: the built page in plain Markdown, its cells as code."""

import json
import re
from itertools import groupby
from pathlib import Path
from urllib.parse import urljoin

import companion_address
import nbformat
from bs4 import BeautifulSoup
from docutils import nodes
from markdownify import MarkdownConverter

ROOT = Path(__file__).resolve().parents[2]
FIRST_CELL = Path(__file__).with_name("first_cell.py").read_text(encoding="utf-8")
# Code that needs torch, by itself or in the room that it asks.
NETWORKS = re.compile(r"^\s*(?:import|from) torch\b|\bcompanion\.neural\b|\bbook\.networks\b", re.M)
AWAY = "a.headerlink, .chapter-times, .toctree-wrapper, .live, script, style"


def number_cells(app, tree, docname):
    """Handler of `doctree-resolved`: each cell's place among the cells, as an id that the built page keeps."""
    for cell in tree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            cell["ids"].append(f"cell-{cell['cell_index']}")


def write(app, docname, body):
    """Write the notebook of a chapter into the site, from the `body` of its page as it was just built."""
    executed = Path(app.outdir).parent / "jupyter_execute" / f"{docname}.ipynb"
    notebook = nbformat.read(executed, as_version=4)
    code = {index: cell.source for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
    site, title = app.config.html_baseurl, app.env.titles[docname].astext()
    address = f"{site}{docname}.html"
    head = f"*A chapter of [{app.config.project}]({site}). Read it there: [{title}]({address}).*"
    plain, v4 = Plain(macros=app.config.mathjax3_config["tex"]["macros"]), nbformat.v4
    made = [v4.new_markdown_cell(head), v4.new_code_cell(first_cell(app.config, docname, code.values()))]
    for part in parts(body, address, code):
        if part in code:
            made.append(v4.new_code_cell(code[part]))
        elif text := plain.convert(part).strip():
            made.append(v4.new_markdown_cell(text))
    for number, cell in enumerate(made):
        cell["id"] = f"cell-{number}"
    metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    out = Path(app.outdir) / companion_address.notebook(docname)
    out.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=made, metadata=metadata), out)


def first_cell(config, docname, code):
    """The cell that installs what a chapter needs and the reader's machine lacks; torch where networks are trained."""
    archive = companion_address.archive(config)
    needed = dict.fromkeys(("companion", "book"), f"long-tail-companion @ {archive}")
    room = ROOT / f"{docname}.py"
    if NETWORKS.search("\n".join([*code, room.read_text(encoding="utf-8") if room.is_file() else ""])):
        lines = (ROOT / "requirements" / "networks.txt").read_text(encoding="utf-8").split()
        needed |= {re.split("[<>=]", line)[0]: line for line in lines}
    return FIRST_CELL.replace("needed = {}", f"needed = {json.dumps(needed)}").strip()


def parts(body, address, code):
    """A page in its order: numbers of code cells, and the HTML between them with its links made whole."""
    soup = BeautifulSoup(body, "html.parser")
    for tag in soup.select(AWAY):
        tag.decompose()
    for tag in soup.select("[href], [src]"):
        where = "href" if "href" in tag.attrs else "src"
        tag.attrs = {where: urljoin(address, tag[where]), "alt": tag.get("alt", "")}
    waiting = sorted(code, reverse=True)
    for is_cell, run in groupby(_flat(soup), lambda tag: tag.name == "div" and "cell" in tag.get("class", ())):
        if not is_cell:
            yield "".join(map(str, run))
            continue
        for cell in run:
            while waiting and waiting[-1] <= int(cell["id"].removeprefix("cell-")):  # and cells that no page shows
                yield waiting.pop()
            yield "".join(map(str, cell.select("figcaption")))
    yield from reversed(waiting)


def _flat(tag):
    for child in tag.children:
        if child.name == "section":
            yield from _flat(child)
        else:
            yield child


class Plain(MarkdownConverter):
    """The book's HTML as Markdown that any notebook shows: formulas in dollars, statements as quotes, folds as such."""

    class Options(MarkdownConverter.DefaultOptions):
        heading_style = "atx"
        autolinks = False
        macros = {}  # noqa: RUF012

    def escape(self, text, parent_tags):
        return re.sub(r"([\\`*_\[\]<$|])", r"\\\1", text)

    def convert_span(self, el, text, parent_tags):
        if "math" in el.get("class", ()):
            return f"${self.tex(el)}$"
        number = "caption-number" in el.get("class", ()) and "figcaption" in parent_tags
        return f"**{text.strip()}** " if number else text

    def convert_div(self, el, text, parent_tags):
        kinds = el.get("class", ())
        if "math" in kinds:
            number = el.select_one(".eqno")
            tag = f" \\tag{{{number.extract().get_text().strip('()')}}}" if number else ""
            return f"\n\n$$\n{self.tex(el)}{tag}\n$$\n\n"
        if {"proof", "admonition"} & set(kinds):
            return self.convert_blockquote(el, text, parent_tags)
        return super().convert_div(el, text, parent_tags)

    def convert_p(self, el, text, parent_tags):
        shown = f"**{' '.join(text.split())}**" if "admonition-title" in el.get("class", ()) else text
        return super().convert_p(el, shown, parent_tags)

    def convert_pre(self, el, text, parent_tags):
        block = el.find_parent(class_=re.compile("^highlight-"))
        kinds = block["class"] if block else ()
        language = "".join(kind[10:] for kind in kinds if kind.startswith("highlight-")).replace("default", "")
        return f"\n\n```{language}\n{el.get_text().strip()}\n```\n\n"

    def convert_details(self, el, text, parent_tags):
        return f"\n\n<details><summary>{el.summary.get_text().strip()}</summary>\n\n{text.strip()}\n\n</details>\n\n"

    def convert_summary(self, el, text, parent_tags):
        return ""

    def tex(self, el):
        """The formula without its delimiters, in commands that every MathJax knows."""
        text = re.sub(r"^\\[(\[]|\\[)\]]$", "", el.get_text().strip()).strip()
        for name, meaning in self.options["macros"].items():
            text = re.sub(rf"\\{name}(?![A-Za-z])", lambda _, meaning=meaning: meaning, text)
        return text.replace("|", r"\vert ") if el.find_parent(["td", "th"]) else text
