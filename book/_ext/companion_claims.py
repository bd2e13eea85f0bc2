"""Files beside the pages: claims.json with what the checks found, stored results, an RO-Crate of both, the card."""

import html
import json
import re
import shutil
from pathlib import Path

CARD, SIZE = "_static/card.png", (1200, 630)  # drawn by the room of the front page, named by _templates/layout.html
FOUND = re.compile(
    r'class="companion-checked" data-found="([^"]*)">\s*<a class="badge" href="[^"]*#check-([a-z0-9-]+)"'
)


def write(app, error):
    """Handler of `build-finished`: collects what the pages say that their checks found."""
    if error or app.builder.format != "html":
        return
    from book.index import draw_card
    from book.reference.claims import for_machines
    from book.shared.crate import CRATE, crate
    from book.shared.ledger import HOME, ledger

    pages = [path.read_text(encoding="utf-8") for path in sorted((Path(app.outdir) / "book").rglob("*.html"))]
    found = {label: json.loads(html.unescape(said)) for page in pages for said, label in FOUND.findall(page)}
    (Path(app.outdir) / "claims.json").write_text(json.dumps(for_machines(ledger(), found), indent=1), encoding="utf-8")
    shutil.copy(HOME / "reference" / "claims.schema.json", app.outdir)
    ignored = shutil.ignore_patterns(".*", "*.damaged*")  # a run that has not ended, and what was set aside
    shutil.copytree(HOME / "results", Path(app.outdir) / "results", ignore=ignored, dirs_exist_ok=True)
    described = crate(
        sorted((HOME / "results").glob("*.json")), ledger(), repository=app.config.html_theme_options["repository_url"]
    )
    (Path(app.outdir) / CRATE).write_text(json.dumps(described, indent=1), encoding="utf-8")
    draw_card(Path(app.outdir) / CARD, app.config.project, size=SIZE)
