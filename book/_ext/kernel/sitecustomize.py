"""Python runs this as it starts in a kernel of the build: a chapter that reaches for the network fails.

Loopback stays open (widgets and Dask may use it). Refusing is done by an audit hook, which no later code can take back.
"""

import os
import sys

LOOPBACK = ("localhost", "127.", "::1")  # a name that only begins so has an address that does not


def guard(event, details):
    host = None
    if event == "socket.getaddrinfo" or event.startswith("socket.gethostby"):
        host = details[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = details[1][0] if isinstance(details[1], tuple) else None  # a name of a local socket is no tuple
    if host and not os.fsdecode(host).startswith(LOOPBACK):
        raise PermissionError(f"chapters use no network, but this one asked for {host!r}")


sys.addaudithook(guard)
