"""How much the front page weighs as a host sends it.

The server here compresses text, as the hosts of static sites do, and counts what it sends.
"""

import functools
import gzip
import http.server
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.site

FRONT = 1_000_000  # bytes, all in all
TEXT = {".html", ".js", ".css", ".json", ".svg"}


@functools.cache
def compressed(path):
    return gzip.compress(Path(path).read_bytes(), 6, mtime=0)


@pytest.fixture(scope="module")
def compressing(html):
    """Address of the built site, and a list of what was sent: paths and bytes."""
    sent = []

    class Handler(http.server.SimpleHTTPRequestHandler):
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
    threading.Thread(target=serve.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serve.server_port}/", sent
    serve.shutdown()


def test_the_front_page_is_light(browser, compressing):
    """HTML, style, scripts, pictures and fonts, on a phone that has seen nothing of the site."""
    address, sent = compressing
    sent.clear()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    at = context.new_page()
    at.goto(f"{address}book/index.html", wait_until="networkidle")
    at.wait_for_timeout(500)
    context.close()
    total = sum(size for _, size in sent)
    print(total, sorted(sent, key=lambda one: -one[1])[:8])
    assert len(sent) > 5
    assert total <= FRONT
