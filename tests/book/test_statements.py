"""The map of statements, and the ledger as data."""

import json

import jsonschema
import networkx
import pytest
from bs4 import BeautifulSoup

from book.reference import claims as chapter
from book.shared.ledger import HOME, Found, Outcome, ledger
from book.shared.proofs import proofs
from book.shared.statements import statements

SCHEMA = json.loads((HOME / "reference" / "claims.schema.json").read_text(encoding="utf-8"))
CERTIFICATE = next(claim for claim in ledger() if claim.label == "thm-certificate")
OUTCOME = Outcome(CERTIFICATE, (Found("largest error", 3e-12, high=1e-9), Found("designs", 40.0, 40.0, 40.0)), {}, 0.1)


def test_no_statement_rests_on_itself():
    graph = networkx.DiGraph([(one.label, used) for one in statements().values() for used in one.uses])
    assert graph.number_of_edges() > 50
    assert networkx.is_directed_acyclic_graph(graph), networkx.find_cycle(graph)
    assert statements()["thm-any-interpolator"].uses == ("lem-peeling",)


def test_statement_is_read_whole():
    one = statements()["lem-peeling"]
    assert (one.kind, one.page, one.title) == ("lemma", "book/linear/structure", "Peeling")
    assert one.text.startswith("(a) Peeling ends")
    assert one.text.endswith("with no hypothesis at all.")


def test_map_links_every_statement_and_draws_every_arc():
    shown = chapter.statement_map(ledger()).data
    assert all(f"{one.page.removeprefix('book/')}.html#{label}" in shown for label, one in statements().items())
    assert shown.count("<path") == sum(len(one.uses) for one in statements().values())
    assert shown.count('<li class="tier-machine"><a') == len({proof.label for proof in proofs()})


def test_ledger_as_data_follows_its_schema():
    data = json.loads(json.dumps(chapter.for_machines(ledger(), {"thm-certificate": OUTCOME.quantities})))
    jsonschema.validate(data, SCHEMA)
    entry = data["claims"]["thm-certificate"]
    assert entry["tier"] == "machine"
    assert entry["machine_proofs"][0] == "book/proofs/minimum_norm.v: certificate"
    assert all(quantity["low"] is not None or quantity["high"] is not None for quantity in entry["found"])
    for field, wrong in {"status": "true", "breaks": {}, "found": [{"what": "x"}], "statement": 3}.items():
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, "claims": {"thm-certificate": {**entry, field: wrong}}}, SCHEMA)


def test_what_was_found_travels_with_the_page():
    carried = json.loads(BeautifulSoup(OUTCOME._repr_html_(), "html.parser").div["data-found"])
    assert carried == OUTCOME.quantities
    assert carried[0] == {"what": "largest error", "value": 3e-12, "low": None, "high": 1e-9}


@pytest.mark.site
def test_the_site_has_the_ledger_with_what_its_checks_found(html):
    data = json.loads((html / "claims.json").read_text(encoding="utf-8"))
    jsonschema.validate(data, SCHEMA)
    assert set(data["claims"]) == {claim.label for claim in ledger()}
    shown = {label for label, entry in data["claims"].items() if entry["found"]}
    assert shown >= set(statements()) & set(data["claims"])
