"""The results and the ledger as an RO-Crate: a description in JSON-LD of what each file is and which run made it.

Source: Research Object Crate 1.1, https://w3id.org/ro/crate/1.1. Everything in it is read from the results themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import companion
from book.shared.ledger import Claim
from companion.experiments import summary

CRATE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/crate/1.1"
LICENSE = "https://creativecommons.org/licenses/by/4.0/"
PAPER = "https://openreview.net/forum?id=UBoCMU5iYV"
Entity = dict[str, Any]


def crate(results: Iterable[Path], claims: Iterable[Claim], *, repository: str) -> Entity:
    """The crate's metadata, for a folder with ``claims.json``, its schema, ``results/`` and the pages.

    Parameters
    ----------
    results : the stored results.
    claims : what ``claims.json`` holds; each is an entity with the address of its entry and its label as identifier.
    repository : the address of the code.
    """
    stored = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results)}
    dates = [data["provenance"]["date"] for data in stored.values()]
    statements = [_statement(claim) for claim in claims]
    files, actions, settings = [], [], []
    for path, data in stored.items():
        files.append(_file(path, data))
        if "experiment" in data:
            values = _settings(path, data)
            settings += values
            actions.append(_action(path, data, values))
    described = [_claims_file(), _schema_file(), *files]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "Memorize, then compose: stored results and checked claims",
        "description": "Results of every experiment of the book with their settings and where they came from, and its "
        "numbered statements with their checks.",
        "datePublished": max(dates, default="")[:10],
        "license": _to(LICENSE),
        "version": companion.__version__,
        "isBasedOn": _to(PAPER),
        "hasPart": [_to(one["@id"]) for one in described],
        "mentions": [_to(one["@id"]) for one in (*actions, *statements)],
    }
    descriptor = {"@id": CRATE, "@type": "CreativeWork", "conformsTo": _to(PROFILE), "about": _to("./")}
    others = [_license(), _paper(), _software(repository)]
    graph = [descriptor, root, *others, *described, *actions, *settings, *statements]
    return {"@context": f"{PROFILE}/context", "@graph": graph}


def _to(identifier: str) -> Entity:
    return {"@id": identifier}


def _file(path: Path, data: Entity) -> Entity:
    name, content = data.get("experiment"), path.read_bytes()
    about = summary(name) if name else "Measured speed: ours and others', with sizes"
    return {
        "@id": f"results/{path.name}",
        "@type": "File",
        "name": f"{name}, preset {data['preset']}" if name else path.stem,
        "description": about,
        "encodingFormat": "application/json",
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "dateCreated": data["provenance"]["date"],
    }


def _action(path: Path, data: Entity, settings: list[Entity]) -> Entity:
    made = data["provenance"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    return {
        "@id": f"#run-{path.stem}",
        "@type": "CreateAction",
        "name": made["command"],
        "description": f"{made['seconds']} s on {made['device']}; {versions}; code {made['code']}",
        "endTime": made["date"],
        "instrument": _to("#companion"),
        "object": [_to(one["@id"]) for one in settings],
        "result": _to(f"results/{path.name}"),
    }


def _settings(path: Path, data: Entity) -> list[Entity]:
    given = {**data["settings"], "seeds": data["seeds"]}
    return [
        {"@id": f"#run-{path.stem}-{name}", "@type": "PropertyValue", "name": name, "value": json.dumps(value)}
        for name, value in given.items()
    ]


def _statement(claim: Claim) -> Entity:
    return {
        "@id": f"book/reference/claims.html#check-{claim.label}",
        "@type": "CreativeWork",
        "additionalType": "https://schema.org/Claim",
        "identifier": claim.label,
        "name": claim.title,
        "creativeWorkStatus": claim.status,
        "isPartOf": _to("claims.json"),
    }


def _claims_file() -> Entity:
    return {
        "@id": "claims.json",
        "@type": "File",
        "name": "Claims ledger",
        "description": "Every numbered statement: source, status, proof, check, breaks, quantities, command.",
        "encodingFormat": "application/json",
        "conformsTo": _to("claims.schema.json"),
    }


def _schema_file() -> Entity:
    return {
        "@id": "claims.schema.json",
        "@type": "File",
        "name": "Schema of the claims ledger",
        "encodingFormat": "application/schema+json",
    }


def _license() -> Entity:
    return {"@id": LICENSE, "@type": "CreativeWork", "name": "Creative Commons Attribution 4.0 International"}


def _paper() -> Entity:
    title = "Memorizing Long-tail Data Can Help Generalization Through Composition"
    return {"@id": PAPER, "@type": "ScholarlyArticle", "name": title, "author": "Zhou, M., Ma, H. and Ge, R."}


def _software(repository: str) -> Entity:
    return {
        "@id": "#companion",
        "@type": "SoftwareApplication",
        "name": "long-tail-companion",
        "version": companion.__version__,
        "url": repository,
    }
