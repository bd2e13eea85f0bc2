"""Every bad call is made in an empty folder that must be empty afterwards."""

import hashlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(autouse=True)
def nothing_written(tmp_path_factory, monkeypatch):
    """The working folder, the results and the data root of the call: one folder, the same before and after."""
    place = tmp_path_factory.mktemp("place")
    monkeypatch.chdir(place)
    monkeypatch.setenv("COMPANION_RESULTS", str(place))
    monkeypatch.setenv("COMPANION_DATA", str(place))
    yield place
    assert contents(place) == {}, "a refused call wrote something"


@pytest.fixture(scope="session", autouse=True)
def stored_results_as_they_were():
    before = contents(ROOT / "book" / "results")
    yield
    changed = {name for name, digest in contents(ROOT / "book" / "results").items() if before.get(name) != digest}
    assert not {name for name in changed if name.startswith(".")}, "a refused call left something in book/results"
