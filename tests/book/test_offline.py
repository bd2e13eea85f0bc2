"""The build executes chapters without a network: a cell that asks for one stops it."""

import sys
from types import SimpleNamespace

import nbformat
import pytest

from tests.book.pages import ROOT

pytestmark = pytest.mark.site

CELL = """
import socket
import urllib.request

def told(call):
    try:
        call()
    except OSError as error:
        return str(error)

asked = {
    "name": told(lambda: urllib.request.urlopen("https://example.org")),
    "address": told(lambda: socket.create_connection(("192.0.2.1", 80), timeout=5)),
    "packet": told(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))),
}
assert all(text and "chapters use no network" in text for text in asked.values()), asked
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
assert "guard" not in dir()
"""
REACHES_OUT = "import urllib.request; urllib.request.urlopen('https://example.org')"


@pytest.fixture
def execute(monkeypatch, tmp_path):
    """The function of the build that runs one chapter."""
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    import companion_execute

    config = SimpleNamespace(execution_timeout=120, execution_allow_errors=False)

    def run(source):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        return companion_execute._run(tmp_path / "chapter.md", notebook, config)

    yield run
    sys.modules.pop("companion_execute", None)


def test_a_chapter_reaches_this_machine_and_no_other(execute):
    result = execute(CELL)
    assert result.err is None, result.exc_string


def test_a_chapter_that_reaches_out_fails(execute):
    result = execute(REACHES_OUT)
    assert result.err is not None
    assert "chapters use no network" in result.exc_string
