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
    assert (one.kind, one.page, one.title) == ("lemma", "book/linear/recovery", "Peeling")
    assert one.text.startswith("(a) Peeling ends")
    assert one.text.endswith("with no hypothesis at all.")


def test_map_links_every_statement_and_draws_every_arc():
    shown = chapter.statement_map(ledger()).data
    assert all(f"{one.page.removeprefix('book/')}.html#{label}" in shown for label, one in statements().items())
    assert shown.count("<path") == sum(len(one.uses) for one in statements().values())
    assert shown.count('<li class="tier-machine" style="--rows: 1"><a') == len({proof.label for proof in proofs()})


def test_map_of_a_page_has_its_statements_and_their_direct_neighbours():
    """Composition's map, by hand from its references: nothing further away, and no arc that leads out of it."""
    page = "book/linear/composition"
    shown = BeautifulSoup(chapter.statement_map(ledger(), page).data, "html.parser")
    found = {a["href"].partition("#")[2]: a for a in shown.select("ol a")}
    own = {label for label, one in statements().items() if one.page == page}
    edges = {(label, used) for label, one in statements().items() for used in one.uses}
    assert set(found) == own | {end for edge in edges if own & set(edge) for end in edge}
    assert {label for label, a in found.items() if "elsewhere" in a.parent["class"]} == set(found) - own != set()
    assert len(shown.select("path")) == sum(set(edge) <= set(found) for edge in edges)
    assert max(len(line) for a in found.values() for line in a.stripped_strings) <= chapter.MARGIN
    assert chapter.statement_map(ledger(), "book/index").data == ""


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
def test_every_page_with_statements_has_their_map_in_its_margin(html):
    """Each link of it leads to a place of the site; pages without statements have no map."""
    ids = {}
    for page in sorted(path.relative_to(html).with_suffix("").as_posix() for path in html.glob("book/*/*.html")):
        soup = BeautifulSoup((html / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
        links = [a["href"] for a in soup.select(".bd-sidebar-secondary .statement-map a")]
        own = {label for label, one in statements().items() if one.page == page}
        assert own <= {link.partition("#")[2] for link in links}, page
        assert bool(own) == bool(links), page
        for link in links:
            target, _, label = link.partition("#")
            file = (html / page).parent.joinpath(target).resolve()
            if file not in ids:
                text = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
                ids[file] = {tag["id"] for tag in text.select("[id]")}
            assert label in ids[file], link


@pytest.mark.site
def test_the_site_has_the_ledger_with_what_its_checks_found(html):
    data = json.loads((html / "claims.json").read_text(encoding="utf-8"))
    jsonschema.validate(data, SCHEMA)
    assert set(data["claims"]) == {claim.label for claim in ledger()}
    shown = {label for label, entry in data["claims"].items() if entry["found"]}
    assert shown >= set(statements()) & set(data["claims"])
