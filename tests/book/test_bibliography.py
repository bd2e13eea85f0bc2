"""The bibliography can be parsed, is complete in the fields a reader needs, and names what is not confirmed."""

import re
from pathlib import Path

import pytest

database = pytest.importorskip("pybtex.database")
ENTRIES = database.parse_file(Path(__file__).parents[2] / "book" / "references.bib").entries


@pytest.mark.parametrize("key", ENTRIES)
def test_entry_says_who_what_when_and_where(key):
    entry = ENTRIES[key]
    assert entry.persons.get("author")
    assert entry.fields["title"].count("{") == entry.fields["title"].count("}")
    assert re.fullmatch(r"\d{4}", entry.fields["year"])
    assert {"booktitle", "journal", "eprint", "url", "howpublished"} & set(entry.fields), "no place to find it"


@pytest.mark.parametrize("key", [key for key, entry in ENTRIES.items() if "eprint" in entry.fields])
def test_eprint_is_an_arxiv_identifier(key):
    assert re.fullmatch(r"\d{4}\.\d{4,5}", ENTRIES[key].fields["eprint"])
    assert ENTRIES[key].fields["archiveprefix"] == "arXiv"


@pytest.mark.parametrize("key", [key for key, entry in ENTRIES.items() if "note" in entry.fields])
def test_unconfirmed_fields_are_named(key):
    known = {"author", "title", "booktitle", "journal", "volume", "number", "pages", "year", "url"}
    said, _, named = ENTRIES[key].fields["note"].partition(": ")
    assert said == "Not confirmed by any public record"
    assert set(named.split(", ")) <= known


def test_no_work_stands_twice():
    titles = [re.sub(r"\W", "", entry.fields["title"]).lower() + entry.fields["year"] for entry in ENTRIES.values()]
    assert len(set(titles)) == len(titles)
