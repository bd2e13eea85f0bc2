"""No network in the tests: every way out is refused, what stays on this machine works."""

import socket
import urllib.error
import urllib.request

import pytest
from pytest_socket import SocketConnectBlockedError

from companion.neural import images

ELSEWHERE = ("192.0.2.1", 80)  # kept for documentation: no such machine


def test_a_connection_to_another_machine_is_refused():
    with socket.socket() as asked, pytest.warns(match="192.0.2.1"), pytest.raises(SocketConnectBlockedError):
        asked.connect(ELSEWHERE)


def test_a_name_is_not_looked_up():
    with pytest.raises(OSError, match="tests use no network"):
        socket.getaddrinfo("example.org", 443)
    with pytest.raises(urllib.error.URLError, match="tests use no network"):
        urllib.request.urlopen("https://example.org")


def test_this_machine_may_be_spoken_to():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as asked:
        accepted, address = server.accept()
        accepted.close()
        assert address == asked.getsockname()


def test_fetching_without_a_network_is_one_clear_error(tmp_path):
    """What `companion data fetch` says where there is no way out; nothing is left behind."""
    with pytest.raises(images.DataError, match=r"train-images-idx3-ubyte\.gz could not be downloaded.*no network"):
        images.fetch(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
