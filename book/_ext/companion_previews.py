"""Previews of statements, figures and references by sphinx-tippy: what it needs beside its settings in _config.yml."""


def all_pages(app, env, docnames):
    """Handler of `env-before-read-docs`: remember whether anything is new in this build."""
    env.companion_previews_stale = bool(docnames)


def rewrite_all(app, env):
    """Handler of `env-updated`: a preview shows another page's text, so a change on one page may show on any."""
    return sorted(env.found_docs) if getattr(env, "companion_previews_stale", False) else []


def remove_old(app, exception):
    """Handler of `build-finished`: the scripts carry a new name in each build; those of earlier builds go."""
    for page in getattr(app.env, "tippy_data", {}).get("pages", {}).values():
        script = page["js_path"]
        stem = script.name.split(".")[0]
        for other in script.parent.glob(f"{stem}.*.js"):
            if other != script:
                other.unlink()
