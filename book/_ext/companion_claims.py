"""The ledger as data beside the pages: claims.json, with what the checks found while the site was built."""

import json
import shutil
from pathlib import Path

import nbformat


def write(app, error):
    """Handler of `build-finished`: collects the outputs of the executed chapters."""
    if error or app.builder.format != "html":
        return
    from book.reference.claims import for_machines
    from book.shared.ledger import HOME, ledger

    found = {}
    for file in (Path(app.outdir).parent / "jupyter_execute").rglob("*.ipynb"):
        for cell in nbformat.read(file, as_version=4).cells:
            for output in cell.get("outputs", []):
                if said := output.get("metadata", {}).get("companion"):
                    found[said["label"]] = said["found"]
    (Path(app.outdir) / "claims.json").write_text(json.dumps(for_machines(ledger(), found), indent=1), encoding="utf-8")
    shutil.copy(HOME / "reference" / "claims.schema.json", app.outdir)
