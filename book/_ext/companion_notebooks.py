"""Every chapter as a notebook that runs from an empty folder: plain Markdown, links to the site, no MyST left."""

import json
import re
from pathlib import Path

import companion_times
import jupytext
import nbformat
from bs4 import BeautifulSoup
from jupyter_cache import get_cache
from sphinx.util import logging

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
MACROS = {"R": r"\mathbb{R}", "E": r"\mathbb{E}", "Pr": r"\mathbb{P}"}
INSTALL = """\
# Install what is missing, as on Colab. What is there already stays as it is.
import importlib.util
import subprocess
import sys

needed = {needed}
missing = [source for name, source in needed.items() if importlib.util.find_spec(name) is None]
if missing:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *missing], check=True)
"""
# Code that needs torch; `companion.neural.memory` reads stored rows without it.
NETWORKS = re.compile(r"^\s*(?:import|from) torch\b|\bcompanion\.neural\b(?!\.memory\b)", re.M)
ADMONITIONS = {"note", "tip", "hint", "important", "warning", "caution", "attention", "seealso", "margin", "sidebar"}


def write_all(app, exc):
    """Write `notebooks/DOCNAME.ipynb` into the built site for each chapter that has code."""
    if exc or app.builder.name != "html":
        return
    site = Site(app)
    chapters = [name for name in sorted(app.env.found_docs) if "kernelspec" in app.env.metadata.get(name, {})]
    for name in chapters:
        out = Path(app.outdir) / "notebooks" / f"{name}.ipynb"
        out.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(app, site, name), out)
    logger.info("wrote %d notebooks", len(chapters))


def notebook(app, site, docname):
    """The chapter `docname` as a notebook."""
    source = jupytext.read(Path(app.env.doc2path(docname)))
    glued = _glued(app, docname)
    title = app.env.titles[docname].astext()
    note = f"*A chapter of [{app.config.project}]({site.url}). Read it there: [{title}]({site.page(docname)}).*"
    v4 = nbformat.v4
    code = "\n".join(cell.source for cell in source.cells if cell.cell_type == "code")
    cells = [v4.new_markdown_cell(note), v4.new_code_cell(first_cell(app.config.html_theme_options, code))]
    for cell in source.cells:
        if cell.cell_type == "code":
            figure = cell.metadata.get("mystnb", {}).get("figure", {})
            cells.append(v4.new_code_cell(cell.source))
            if caption := figure.get("caption"):
                number = site.names.get(figure.get("name"), "Figure")
                cells.append(v4.new_markdown_cell(f"*{number}.* {plain(caption.strip(), site, glued)}"))
        elif text := plain(cell.source, site, glued).strip():
            cells.append(v4.new_markdown_cell(text))
    for index, cell in enumerate(cells):
        cell["id"] = f"cell-{index}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def first_cell(options, code):
    """The cell that installs what `code` needs and the reader's machine lacks; torch where networks are trained."""
    url, branch = options["repository_url"], options.get("repository_branch") or "main"
    needed = {"companion": f"git+{url}@{branch}"}
    if NETWORKS.search(code):
        lines = (ROOT / "requirements" / "networks.txt").read_text(encoding="utf-8").split()
        needed |= {re.split("[<>=]", line)[0]: line for line in lines}
    return INSTALL.format(needed=json.dumps(needed))


class Site:
    """Where each label is on the built site, and what it is called there ("Theorem 3.1", "(3.2)", "Fig. 4.1")."""

    def __init__(self, app):
        self.env = app.env
        self.url = app.config.html_baseurl.rstrip("/") + "/"
        self.names, self.places = {}, {}
        for docname in app.env.found_docs:
            html = Path(app.outdir) / f"{docname}.html"
            if html.is_file():
                self._read(docname, BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser"))
        for label, (docname, anchor, title) in app.env.get_domain("std").labels.items():
            self.places.setdefault(label, f"{docname}.html#{anchor}")
            self.names.setdefault(label, title)
        self.bibliography = app.env.get_domain("cite").bibdata.data.entries

    def _read(self, docname, soup):
        for block in soup.select("div.proof[id]"):
            number = block.select_one("p.admonition-title .caption-number")
            self._name(block["id"], docname, number.get_text() if number else block.p.get_text())
        for equation in soup.select("div.math[id^=equation-]"):
            if number := equation.select_one(".eqno"):
                self._name(equation["id"].removeprefix("equation-"), docname, number.get_text(), equation["id"])
        for figure in soup.select("figure[id]"):
            number = figure.select_one(".caption-number")
            self._name(figure["id"], docname, number.get_text() if number else "Figure")

    def _name(self, label, docname, text, anchor=None):
        self.names[label] = re.sub(r"[¶#\s]+", " ", text).strip()
        self.places[label] = f"{docname}.html#{anchor or label}"

    def page(self, docname):
        return f"{self.url}{docname}.html"

    def link(self, label, text=None):
        """A Markdown link to `label`; its text alone where the site has no such label."""
        label = label.strip()
        text = text or self.names.get(label) or label
        return f"[{text}]({self.url}{self.places[label]})" if label in self.places else text

    def document(self, target, text=None):
        docname = target.strip().removesuffix(".md").lstrip("/")
        found = [name for name in self.env.found_docs if name == docname or name.endswith("/" + docname.split("/")[-1])]
        return f"[{text or self.env.titles[found[0]].astext()}]({self.page(found[0])})" if found else text or docname

    def python(self, target, text=None):
        name = target.strip()
        shown = text or (name.rsplit(".", 1)[-1] if name.startswith("~") else name)
        entry = self.env.get_domain("py").objects.get(name.lstrip("~"))
        return f"[`{shown}`]({self.page(entry.docname)}#{entry.node_id})" if entry else f"`{shown}`"

    def cite(self, keys, textual):
        said = [self._citation(key.strip(), textual) for key in keys.split(",")]
        return " and ".join(said) if textual else f"({'; '.join(said)})"

    def _citation(self, key, textual):
        entry = self.bibliography.get(key)
        if entry is None:
            return key
        authors = entry.persons.get("author", [])
        people = [" ".join(map(str, [*p.rich_prelast_names, *p.rich_last_names])) for p in authors] or [key]
        who = people[0] if len(people) == 1 else " and ".join(people) if len(people) == 2 else f"{people[0]} et al."
        year, fields = entry.fields.get("year", "n.d."), entry.fields
        where = (
            f"https://doi.org/{fields['doi']}"
            if "doi" in fields
            else f"https://arxiv.org/abs/{fields['eprint']}"
            if "eprint" in fields
            else fields.get("url", "")
        )
        shown = f"{who} ({year})" if textual else f"{who}, {year}"
        return f"[{shown}]({where})" if where else shown


def plain(text, site, glued):
    """Markdown that any notebook shows, from the MyST of a chapter."""
    text = _blocks(text.splitlines(), site)
    text = re.sub(r"^\([\w:-]+\)=[ \t]*\n?", "", text, flags=re.M)
    text = re.sub(r"^%.*\n?", "", text, flags=re.M)
    text = re.sub(r"^\{[#.][^}\n]*\}[ \t]*\n", "", text, flags=re.M)
    text = re.sub(r"(?<=[\])`])\{[#.][^}\n]*\}", "", text)
    text = re.sub(r"\$\$([^$]+?)\$\$[ ]*\(([\w:-]+)\)", lambda m: _tagged(m[1], m[2], site), text)
    text = re.sub(r"\{([\w:-]+)\}(`+)(.+?)\2(?!`)", lambda m: _role(m[1], m[3], site, glued), text, flags=re.S)
    return _expand_macros(text)


def _blocks(lines, site):
    """Directives become quotes, folds or their bare content; code fences stay."""
    out, i = [], 0
    while i < len(lines):
        opening = re.match(r"^(\s*)(`{3,}|:{3,}|~{3,})\s*(?:\{([\w:-]+)\})?\s*(.*)$", lines[i])
        if not opening:
            out.append(lines[i])
            i += 1
            continue
        _indent, fence, name, title = opening.groups()
        closing = re.compile(rf"^\s*{re.escape(fence[0])}{{{len(fence)},}}\s*$")
        end = next((j for j in range(i + 1, len(lines)) if closing.match(lines[j])), len(lines))
        if name:
            out += _directive(name, title.strip(), lines[i + 1 : end], site)
        else:
            out += lines[i : end + 1]
        i = end + 1
    return "\n".join(out)


def _directive(name, title, body, site):
    options, body = _options(body)
    if name == "math":
        inside = "\n".join(body or [title])
        return ["", *_tagged("\n" + inside + "\n", options.get("label", ""), site).splitlines(), ""]
    inner = _blocks(body, site).strip().splitlines()
    if name.startswith("prf:"):
        kind, label = name[4:], options.get("label", "")
        head = site.link(label, site.names[label]) if label in site.names else kind.capitalize()
        head = f"**{head}{f' ({title})' if title else ''}.**"
        if kind == "proof":
            return ["", *_quote(["**Proof.**", "", *inner]), ""]
        return ["", *_quote([head, "", *inner]), ""]
    if name in {"dropdown", "details"}:
        return ["", f"<details><summary>{title or 'More'}</summary>", "", *inner, "", "</details>", ""]
    if name in ADMONITIONS or name == "admonition":
        head = title if title and name in {"admonition", "sidebar"} else name.capitalize()
        rest = [title, ""] if title and name not in {"admonition", "sidebar"} else []
        head = "See also" if name == "seealso" else head
        return ["", *_quote([f"**{head}**", "", *rest, *inner]), ""]
    if name in {"figure", "image", "bibliography", "toctree", "contents", "raw", "glue:figure"}:
        return []
    return ["", *inner, ""]


def _options(body):
    """The `:key: value` lines, or the YAML between `---`, at the head of a directive; and what follows."""
    options, body = {}, list(body)
    if body and body[0].strip() == "---":
        end = next((j for j in range(1, len(body)) if body[j].strip() == "---"), 0)
        pairs, body = body[1:end], body[end + 1 :]
    else:
        pairs = []
        while body and re.match(r"^\s*:[\w-]+:", body[0]):
            pairs.append(body.pop(0).strip().lstrip(":"))
    for pair in pairs:
        key, _, value = pair.partition(":")
        options[key.strip()] = value.strip()
    return options, body


def _quote(lines):
    return ["> " + line if line.strip() else ">" for line in lines]


def _tagged(inside, label, site):
    number = site.names.get(label, "").strip("()")
    quoted = re.search(r"\n(> ?)[^\n]*\Z", inside)
    tag = f"\\tag{{{number}}}" if number else ""
    if quoted:
        return f"$${inside.rstrip('> ').rstrip()} {tag}\n{quoted[1]}$$"
    return f"$${inside.rstrip()} {tag}\n$$" if inside.endswith("\n") else f"$${inside} {tag}$$"


def _role(name, content, site, glued):
    given = re.fullmatch(r"(.*?)\s*<([^<>]+)>", content, flags=re.S)
    text, target = (given[1], given[2]) if given else (None, content)
    if name in {"prf:ref", "eq", "ref", "numref"}:
        return site.link(target, text if name != "numref" else None)
    if name == "doc":
        return site.document(target, text)
    if name.startswith("cite"):
        return site.cite(target, textual=name.endswith((":t", ":ts")))
    if name in {"func", "class", "mod", "meth", "attr", "data"} or name.startswith("py:"):
        return site.python(target, text)
    if name.startswith("glue"):
        return glued.get(target.split(":")[0] if "::" not in target else target, target)
    if name == "math":
        return f"${content}$"
    if name == "reading-time":
        return companion_times.together(site.env, content.split())
    return f"`{content}`" if name in {"code", "file", "command", "kbd", "program"} else text or content


def _expand_macros(text):
    for name, meaning in MACROS.items():
        text = re.sub(rf"\\{name}(?![A-Za-z])", lambda _, meaning=meaning: meaning, text)
    return text


def _glued(app, docname):
    """What the chapter's last execution glued, by name."""
    from companion_execute import read_chapter

    read = read_chapter(app.env, docname)
    if read is None or app.env.mystnb_config.execution_mode != "cache":
        return {}
    try:
        cache = get_cache(app.env.mystnb_config.execution_cache_path)
        _, executed = cache.merge_match_into_notebook(read)
    except KeyError:
        return {}
    found = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            if keep := output.get("metadata", {}).get("scrapbook"):
                data = {k.removeprefix(keep.get("mime_prefix", "")): v for k, v in output["data"].items()}
                found[keep["name"]] = data.get("text/plain", "").strip("'")
    return found
