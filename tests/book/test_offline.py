"""The build executes chapters without a network: a cell that asks for one stops it."""

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
def execute(monkeypatch):
    """Runs a cell in a kernel with the environment that the build gives to its own."""
    from nbclient import execute

    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    import companion_book

    for name, value in companion_book.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return lambda source: execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), timeout=120)


def test_a_chapter_reaches_this_machine_and_no_other(execute):
    execute(CELL)


def test_a_chapter_that_reaches_out_fails(execute):
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError, match="chapters use no network"):
        execute(REACHES_OUT)
