"""Nothing from outside is run, decoded or unpacked before it is known to be what it should be."""

import ast
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from companion.experiments import real_scores
from companion.neural import images
from companion.runner import results

PACKAGE = Path(results.__file__).parents[1]
REFUSED = {"eval", "exec", "compile", "__import__"}
REFUSED_ATTRIBUTES = {
    ("pickle", "load"),
    ("pickle", "loads"),
    ("joblib", "load"),
    ("yaml", "load"),
    ("os", "system"),
    ("os", "popen"),
    ("shutil", "unpack_archive"),
}
ANYWHERE = {"extractall", "extract"}  # of archives: only known members are read, none is unpacked


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            owner = getattr(getattr(function, "value", None), "id", None)
            name = getattr(function, "attr", None) or getattr(function, "id", None)
            yield node, owner, name, {k.arg: ast.unparse(k.value) for k in node.keywords}


def test_the_package_runs_no_code_from_data():
    """No pickle, no eval, no unpacking, no shell anywhere in the sources; torch reads weights only."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        for node, owner, name, options in calls(ast.parse(file.read_text(encoding="utf-8"))):
            bad = (
                (owner is None and isinstance(node.func, ast.Name) and name in REFUSED)
                or (owner, name) in REFUSED_ATTRIBUTES
                or name in ANYWHERE
                or ((owner, name) == ("torch", "load") and options.get("weights_only") != "True")
                or ((owner, name) == ("np", "load") and options.get("allow_pickle", "False") != "False")
                or options.get("shell", "False") != "False"
            )
            if bad:
                found.append(f"{file.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(node)}")
    assert found == []


class Evil:
    """A pickle that makes a folder when it is read."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_the_evil_pickle_is_evil(tmp_path):
    """Else the tests below would show nothing."""
    pickle.loads(pickle.dumps(Evil(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


def npz(member):
    """An .npz of a kept block, whose arrays are all `member`, raw bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in (*real_scores._Block._fields, "made"):
            archive.writestr(f"{name}.npy", member)
    return content.getvalue()


@pytest.mark.parametrize("wrapped", ["object array", "bare pickle"])
def test_a_pickle_in_the_place_of_a_kept_block_is_refused(tmp_path, wrapped):
    """Blocks of trained models are arrays: an object array or a bare pickle there is an error and is not run."""
    array = io.BytesIO()
    np.save(array, np.array([Evil(tmp_path / "ran")], dtype=object), allow_pickle=True)
    member = array.getvalue() if wrapped == "object array" else pickle.dumps(Evil(tmp_path / "ran"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "block-0.npz").write_bytes(npz(member))
    said = {"object array": "Object arrays cannot be loaded", "bare pickle": "it holds bytes"}[wrapped]
    with pytest.raises(ValueError, match=rf"block-0.npz is no kept block \({said}"):
        real_scores._load(scratch / "block-0.npz", {})
    assert not (tmp_path / "ran").exists()


def test_a_pickle_in_the_place_of_a_result_is_refused(tmp_path):
    (tmp_path / "figure1-smoke.json").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    with pytest.raises(ValueError, match="it is no JSON"):
        results.load("figure1", "smoke", root=tmp_path)
    assert not (tmp_path / "ran").exists()


def never(*_args, **_options):
    raise AssertionError("decoded before its digest was checked")


def test_digests_come_before_decoding(tmp_path, monkeypatch):
    """Wrong files are refused by their digest: neither the IDX reader nor the PNG decoder ever sees them."""
    from PIL import Image

    monkeypatch.setattr(images, "_idx", never)
    monkeypatch.setattr(images, "_decode_drawing", never)
    monkeypatch.setattr(Image, "open", never)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in images.MNIST_SHA256:
        (raw / name).write_bytes(b"\0\0\x08\x01\0\0\0\1\7")  # a valid IDX file, but not the known one
    drawing = tmp_path / "omniglot-py" / "images_background" / "A" / "character01" / "0001_01.png"
    drawing.parent.mkdir(parents=True)
    drawing.write_bytes(b"\x89PNG")
    with pytest.raises(images.DataError, match="do not match their sha256"):
        images.digits("real", train=True, root=tmp_path)
    with pytest.raises(images.DataError, match="Omniglot is corrupt"):
        images.glyphs("real", classes=1, seed=0, root=tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.png",
        "/tmp/evil.png",
        "images_background/../../evil/x.png",
        "images_background\\..\\..\\evil.png",
        "images_background/a/b/../../../../evil.png",
    ],
)
def test_an_archive_that_climbs_out_of_its_folder_writes_nothing(tmp_path, name):
    base = tmp_path / "root" / "omniglot-py"
    base.mkdir(parents=True)
    with zipfile.ZipFile(base / "images_background.zip", "w") as archive:
        archive.writestr(name, b"evil")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(images.DataError, match="is corrupt: 0 drawings"):
        images.omniglot_files(tmp_path / "root")
    assert sorted(tmp_path.rglob("*")) == before
