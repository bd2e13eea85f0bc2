"""The built site, from disk and over a local server; skipped with a reason without it."""

import functools
import gzip
import http.server
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = {".html", ".js", ".css", ".json", ".svg"}


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def html():
    """The folder of the built site."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.skip("the site is not built: make book")
    return folder


@pytest.fixture(scope="session")
def server(html):
    """Address of the built site."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    serve = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(html)))
    threading.Thread(target=serve.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serve.server_port}/"
    serve.shutdown()


@functools.cache
def compressed(path):
    return gzip.compress(Path(path).read_bytes(), 6, mtime=0)


@pytest.fixture(scope="session")
def compressing(html):
    """Address of the built site as a host sends it, text compressed, and a list of what was sent: names and bytes."""
    sent = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as hosts do

        def do_GET(self):
            path = Path(self.translate_path(self.path))
            if not path.is_file():
                return self.send_error(404)
            packed = path.suffix in TEXT
            body = compressed(str(path)) if packed else path.read_bytes()
            sent.append((path.name, len(body)))
            self.send_response(200)
            self.send_header("Content-Type", self.guess_type(str(path)))
            self.send_header("Content-Length", str(len(body)))
            if packed:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            return self.wfile.write(body)

        def log_message(self, *_):
            pass

    serve = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(html)))
    serve.handle_error = lambda *_: None  # a browser that has seen enough closes its connection
    threading.Thread(target=serve.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serve.server_port}/", sent
    serve.shutdown()
