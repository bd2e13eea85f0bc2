"""Run in every kernel of the build: a chapter that reaches for the network fails, and with it the build.

Loopback stays open (widgets and Dask may use it). Refusing is done by an audit hook, which no later code can take back.
"""


def _refuse_the_network():
    import ipaddress
    import sys

    def here(host):
        if host in (None, "", b"", "localhost", b"localhost"):
            return True
        try:
            return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
        except ValueError:
            return False

    def guard(event, details):
        host = None
        if event == "socket.getaddrinfo" or event.startswith("socket.gethostby"):
            host = details[0]
        elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = details[1]
            host = address[0] if isinstance(address, tuple) else None  # a name of a local socket is no tuple
        if not here(host):
            raise PermissionError(f"chapters use no network, but this one asked for {host!r}")

    sys.addaudithook(guard)


_refuse_the_network()
del _refuse_the_network
