"""From MyST to a plain notebook: readable quotes, links to the site, no markup left over."""

import importlib.util
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.book.pages import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
companion_notebooks = pytest.importorskip("companion_notebooks")


NETWORKS = (ROOT / "requirements" / "networks.txt").read_text(encoding="utf-8").split()


class Person:
    def __init__(self, *last):
        self.rich_prelast_names, self.rich_last_names = [], list(last)


@pytest.fixture
def site():
    site = object.__new__(companion_notebooks.Site)
    site.url = "https://site/"
    site.names = {"thm-a": "Theorem 2.1", "eq-a": "(2.3)", "fig-a": "Fig. 2.4"}
    site.places = {"thm-a": "book/x.html#thm-a", "eq-a": "book/x.html#equation-eq-a", "fig-a": "book/x.html#fig-a"}
    site.bibliography = {
        "one2020": SimpleNamespace(persons={"author": [Person("One")]}, fields={"year": "2020", "eprint": "2001.1"}),
        "many2021": SimpleNamespace(
            persons={"author": [Person("A"), Person("B"), Person("C")]}, fields={"year": "2021", "doi": "10/x"}
        ),
    }
    titles = {"book/x": SimpleNamespace(astext=lambda: "The chapter X")}
    site.env = SimpleNamespace(found_docs={"book/x"}, titles=titles, get_domain=lambda _: SimpleNamespace(objects={}))
    return site


def plain(text, site, **glued):
    return companion_notebooks.plain(text, site, glued)


def test_theorems_become_quotes_that_link_to_the_site(site):
    text = "```{prf:theorem} Ridge\n:label: thm-a\n\nLet $X\\in\\R^n$.\n```"
    assert plain(text, site).strip().splitlines() == [
        "> **[Theorem 2.1](https://site/book/x.html#thm-a) (Ridge).**",
        ">",
        r"> Let $X\in\mathbb{R}^n$.",
    ]


def test_proofs_inside_folds_stay_folded(site):
    text = ":::{dropdown} Proof\n```{prf:proof}\nClear.\n```\n:::"
    out = plain(text, site)
    assert out.index("<details><summary>Proof</summary>") < out.index("> **Proof.**") < out.index("</details>")


def test_equations_keep_their_number_and_references_find_it(site):
    assert r"a = b \tag{2.3}" in plain("$$\na = b\n$$ (eq-a)\n", site)
    assert plain("See {eq}`eq-a`.", site) == "See [(2.3)](https://site/book/x.html#equation-eq-a)."


def test_citations_name_people_and_link_to_the_work(site):
    assert plain("{cite:t}`one2020`", site) == "[One (2020)](https://arxiv.org/abs/2001.1)"
    assert plain("{cite:p}`one2020,many2021`", site) == (
        "([One, 2020](https://arxiv.org/abs/2001.1); [A et al., 2021](https://doi.org/10/x))"
    )


def test_references_to_pages_figures_and_numbers(site):
    assert plain("{doc}`x`", site) == "[The chapter X](https://site/book/x.html)"
    assert plain("{doc}`there <x>`", site) == "[there](https://site/book/x.html)"
    assert plain("{numref}`fig-a`", site) == "[Fig. 2.4](https://site/book/x.html#fig-a)"
    assert plain("{glue:text}`share` of", site, share="0.25") == "0.25 of"


def test_code_in_the_text_is_left_alone(site):
    text = "```python\nx = {a}\n```"
    assert plain(text, site) == text


def test_no_markup_is_left_over(site):
    text = "(target)=\n% a comment\n{.lead}\n:::{note}\nA {prf:ref}`thm-a`.\n:::\n"
    out = plain(text, site)
    assert not re.search(r"\{[\w:]+\}`|^:::|^```\{|^\(\w+\)=|^%", out, flags=re.M)
    assert "> **Note**" in out


@pytest.mark.parametrize(
    ("there", "code", "installed"),
    [
        ({"companion"}, "import numpy", []),
        ({"companion", "torch", "torchvision"}, "import torch", []),
        ({"torch", "torchvision"}, "import torch", ["git+https://there/repo@trunk"]),  # Colab: its torch stays
        (set(), "from companion.neural.tasks import digit_sums", ["git+https://there/repo@trunk", *NETWORKS]),
        (set(), "import numpy", ["git+https://there/repo@trunk"]),
    ],
)
def test_the_first_cell_installs_what_is_missing_and_nothing_else(monkeypatch, there, code, installed):
    options = {"repository_url": "https://there/repo", "repository_branch": "trunk"}
    calls = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in there else None)
    monkeypatch.setattr(subprocess, "run", lambda command, check: calls.append(command))
    exec(companion_notebooks.first_cell(options, code), {})
    assert calls == ([[sys.executable, "-m", "pip", "install", "-q", *installed]] if installed else [])
