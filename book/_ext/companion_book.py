"""What the book asks of Sphinx beyond Jupyter Book; each `companion_*` module beside this one says its part."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import companion_address  # noqa: E402
import companion_claims  # noqa: E402
import companion_execute  # noqa: E402
import companion_notebooks  # noqa: E402
import companion_pages  # noqa: E402
import companion_previews  # noqa: E402
import companion_scripts  # noqa: E402
import companion_statements  # noqa: E402
import companion_times  # noqa: E402

ENVIRONMENT = {
    "COMPANION_BOOK_BUILD": "1",  # explorers draw all their states
    "COMPANION_RESULTS": str(ROOT / "book" / "results"),
    "PYTHONPATH": str(ROOT),
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "IPYTHONDIR": str(ROOT / "_build" / ".ipython"),  # no start-up files of the person who builds
    "CUDA_VISIBLE_DEVICES": "",
    # Two kernels run at once: one thread each.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
}
ABOUT = (
    "Memorizing long-tail data can help generalization through composition: the paper's data model, theorems, figures "
    "and table, proved, run and broken on purpose."
)
NO_SCRIPTS = (
    '<noscript><p class="no-scripts">Without JavaScript, formulas are shown as they are written, in TeX, and explorers '
    "stand still at their first picture.</p></noscript>"
)


def configure(app, config):
    """Environment, cache, third-party scripts and the site's address, before anything is read."""
    os.environ.update(ENVIRONMENT)
    companion_execute.key_cache(config, ROOT)
    if companion_scripts.install_vendor():
        config.mathjax_path = "vendor/mathjax/tex-mml-chtml.js"
        config.tippy_js = ("vendor/tippy/popper.min.js", "vendor/tippy/tippy.min.js")
    else:
        print("MathJax and preview code could not be installed: pages will load them from their CDNs.")
    config.nb_ipywidgets_js = {}  # explorers are plain HTML in the site, and no page has a widget
    if not companion_scripts.install_live():
        print("Explorables could not be bundled (no Node, or no network for npm): they stand still in the pages.")
    config.html_baseurl = config.html_baseurl or companion_address.site(config)
    config.project = config.html_title


def adjust_page(app, pagename, templatename, context, doctree):
    """A chapter's notebook and the links to it; no thebe scripts (they call their CDN's library)."""
    has_code = "kernelspec" in app.env.metadata.get(pagename, {})
    here = "../" * pagename.count("/")
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("text") == "Colab":
                button["url"] = companion_address.colab(app.config, pagename)
            if button.get("label") == "download-source-button":
                button["text"] = ".md"  # what it is: the theme goes by the kind of page
        if group.get("label") == "download-buttons" and has_code:
            notebook = {
                "type": "link",
                "url": here + companion_address.notebook(pagename),
                "text": ".ipynb",
                "icon": "fas fa-code",
                "tooltip": "Download this chapter as a notebook",
                "label": "download-notebook-button",
            }
            group["buttons"] = [notebook, *(b for b in group["buttons"] if b.get("label") != notebook["label"])]
    if doctree is not None:
        context["body"] = companion_scripts.speak(context["body"])
    if has_code:
        companion_notebooks.write(app, pagename, context["body"])
    if doctree is not None:
        context["body"] = NO_SCRIPTS + companion_scripts.fill(context["body"], here)
        context["card"], context["headline"] = (
            app.config.html_baseurl + companion_claims.CARD,
            app.env.titles[pagename].astext(),
        )
        context["about"] = companion_pages.first_words(doctree) or ABOUT
    if pagename == app.config.root_doc:  # its title is the book's: said once, with what the book is
        context["docstitle"], context["about"] = "an executable companion", ABOUT
    context["script_files"] = [script for script in context.get("script_files", []) if not _is_thebe(script)]
    companion_scripts.hold_mathjax(context)


def _is_thebe(script):
    body = (getattr(script, "attributes", None) or {}).get("body") or ""
    return "THEBE_JS_URL" in body or "sphinx-thebe" in str(getattr(script, "filename", script))


def setup(app):
    app.add_config_value("site_branch", "gh-pages", "html")
    app.add_directive("unconfirmed", companion_pages.Unconfirmed)
    app.connect("config-inited", configure, priority=100)
    app.connect("env-before-read-docs", companion_execute.run_stale_chapters)
    app.connect("env-before-read-docs", companion_previews.all_pages)
    app.connect("env-updated", companion_previews.rewrite_all)
    app.connect("build-finished", companion_previews.remove_old, priority=900)
    app.connect("build-finished", companion_claims.write)
    app.connect("builder-inited", companion_statements.draw_maps)
    app.connect("autodoc-process-docstring", companion_statements.say_items, priority=400)
    app.connect("autodoc-process-docstring", companion_statements.add_links)
    app.add_role("follows", companion_scripts.follows)
    app.add_role("reading-time", companion_times.reading_time)
    app.connect("doctree-read", companion_pages.name_code)
    app.connect("doctree-resolved", companion_times.show)
    app.connect("doctree-resolved", companion_notebooks.number_cells)
    app.connect("doctree-resolved", companion_pages.keep_together)
    app.connect("html-page-context", adjust_page, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
