"""What the book asks of Sphinx beyond Jupyter Book; each `companion_*` module beside this one says its part."""

import os
import shutil
import sys
from pathlib import Path

HERE, ROOT = Path(__file__).resolve().parent, Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(HERE)]

import companion_address  # noqa: E402
import companion_execute  # noqa: E402
import companion_ledger  # noqa: E402
import companion_notebooks  # noqa: E402
import companion_pages  # noqa: E402
import companion_scripts  # noqa: E402
import companion_times  # noqa: E402

ENVIRONMENT = {
    "COMPANION_BOOK_BUILD": "1",  # explorers draw all their states
    "COMPANION_RESULTS": str(ROOT / "book" / "results"),
    "PYTHONPATH": os.pathsep.join([str(HERE / "kernel"), str(ROOT)]),
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "IPYTHONDIR": str(ROOT / "_build" / ".ipython"),  # no start-up files of the person who builds
    "CUDA_VISIBLE_DEVICES": "",
    # One kernel runs on each core: one thread each.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
}


def configure(app, config):
    """Handler of `config-inited`: environment, cache and third-party scripts, before anything is read."""
    os.environ.update(ENVIRONMENT)
    profile = Path(ENVIRONMENT["IPYTHONDIR"], "profile_default")
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 'ERROR'")  # no start-up remarks
    companion_execute.key_cache(config, ROOT)
    if companion_scripts.install():
        config.mathjax_path = "vendor/mathjax/tex-mml-chtml.js"
        config.tippy_js = ("vendor/tippy/popper.min.js", "vendor/tippy/tippy.min.js")
    else:
        print("npm has no network: pages load MathJax and previews from their CDNs, and explorables stand still.")


def renew_previews(app, env, added, changed, removed):
    """Handler of `env-get-outdated`: a preview shows another page's text, so a change on one page may show on any."""
    if not (added or changed or removed):
        return []
    shutil.rmtree(Path(app.outdir, "_static", "tippy"), ignore_errors=True)  # scripts have new names in each build
    return env.found_docs


def adjust_page(app, pagename, templatename, context, doctree):
    """Handler of `html-page-context`: what moves, the chapter's notebook, and what a link to the page shows."""
    if doctree is None:
        return
    here = "../" * pagename.count("/")
    context["body"] = companion_scripts.fill(context["body"], here)
    if "kernelspec" in app.env.metadata[pagename]:
        companion_notebooks.write(app, pagename, context["body"])
        notebook, colab = companion_address.notebook(pagename), companion_address.colab(app.config, pagename)
        ours = {".ipynb": here + notebook, "Colab": colab}
        for group in context["header_buttons"]:
            for button in group.get("buttons", []):
                if button["text"] in ours:
                    button["url"] = ours[button["text"]]
    if pagename != app.config.root_doc:  # which says what the book is, as a page without words does
        context["about"] = companion_pages.first_words(doctree) or context["about"]


def setup(app):
    app.add_config_value("site_branch", "gh-pages", "html")
    app.add_role("follows", companion_scripts.follows)
    app.add_role("reading-time", companion_times.reading_time)
    app.connect("config-inited", configure, priority=100)
    app.connect("builder-inited", companion_ledger.draw_maps)
    app.connect("env-get-outdated", renew_previews)
    app.connect("env-before-read-docs", companion_execute.run_stale_chapters)
    app.connect("autodoc-process-docstring", companion_ledger.say_items, priority=400)
    app.connect("autodoc-process-docstring", companion_ledger.add_links)
    app.connect("doctree-read", companion_pages.name_code)
    app.connect("doctree-resolved", companion_times.show)
    app.connect("doctree-resolved", companion_notebooks.number_cells)
    app.connect("html-page-context", companion_pages.keep_together, priority=400)  # before previews are taken
    app.connect("html-page-context", adjust_page, priority=900)
    app.connect("build-finished", companion_ledger.write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
