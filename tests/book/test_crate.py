"""The RO-Crate of results and claims: read by the reference library, whole, and true to the files."""

import hashlib
import json

import pytest
from rocrate.rocrate import ROCrate

from book.shared.crate import CRATE, crate
from book.shared.ledger import HOME, ledger

RESULTS = sorted((HOME / "results").glob("*.json"))
REPOSITORY = "https://example.org/code"


@pytest.fixture(scope="module")
def described():
    return crate(RESULTS, ledger(), repository=REPOSITORY)


def by_id(described):
    return {one["@id"]: one for one in described["@graph"]}


def test_identifiers_are_unique_and_references_lead_somewhere(described):
    entities = by_id(described)
    assert len(entities) == len(described["@graph"])

    def references(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if set(value) == {"@id"} else references(list(value.values()))
        elif isinstance(value, list):
            for item in value:
                yield from references(item)

    known = {*entities, "https://w3id.org/ro/crate/1.1"}
    assert set(references([list(one.values()) for one in described["@graph"]])) <= known
    assert described["@context"] == "https://w3id.org/ro/crate/1.1/context"
    assert entities[CRATE]["about"] == {"@id": "./"}
    assert all(entities["./"].get(wanted) for wanted in ("name", "description", "datePublished", "license"))


def test_every_result_says_which_run_made_it(described):
    entities = by_id(described)
    for path in RESULTS:
        file, data = entities[f"results/{path.name}"], json.loads(path.read_text())
        assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert {"@id": f"results/{path.name}"} in entities["./"]["hasPart"]
        if "experiment" not in data:
            continue
        run = entities[f"#run-{path.stem}"]
        assert run["result"] == {"@id": f"results/{path.name}"}
        assert run["name"] == data["provenance"]["command"]
        settings = {entities[one["@id"]]["name"]: json.loads(entities[one["@id"]]["value"]) for one in run["object"]}
        assert settings == {**data["settings"], "seeds": data["seeds"]}


def test_claims_are_entities_by_label(described):
    entities = by_id(described)
    for claim in ledger():
        entity = entities[f"book/reference/claims.html#check-{claim.label}"]
        assert (entity["identifier"], entity["name"]) == (claim.label, claim.title)


def test_the_reference_library_reads_it(described, tmp_path_factory):
    """`rocrate` loads the crate, finds the files where it says, and writes it again with the same entities."""
    tmp_path, again_path = tmp_path_factory.mktemp("crate"), tmp_path_factory.mktemp("again")
    (tmp_path / CRATE).write_text(json.dumps(described), encoding="utf-8")
    (tmp_path / "results").mkdir()
    for path in RESULTS:
        (tmp_path / "results" / path.name).write_bytes(path.read_bytes())
    for name in ("claims.json", "claims.schema.json"):
        (tmp_path / name).write_text("{}")
    read = ROCrate(tmp_path)
    assert read.root_dataset["license"].id.startswith("https://creativecommons.org")
    assert len(read.get_by_type("CreateAction")) == sum(len(path.stem.split("-")) > 1 for path in RESULTS)
    assert read.get("claims.json")["conformsTo"].id == "claims.schema.json"
    read.write(again_path)
    again = json.loads((again_path / CRATE).read_text())
    assert {one["@id"] for one in again["@graph"]} == set(by_id(described))


@pytest.mark.site
def test_the_site_is_a_crate(html):
    read = ROCrate(html)
    for file in read.get_by_type("File"):
        content = (html / file.id).read_bytes()
        if "sha256" in file.properties():
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert read.name.startswith("Memorize, then compose")
