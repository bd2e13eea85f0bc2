"""Images: what verifies is read, whatever way it is packed; what does not is named with the command that mends it."""

import gzip
import hashlib
import io
import os
import shlex
import zipfile

import numpy as np
import pytest
from PIL import Image

from companion.neural import images


def png(seed: int) -> bytes:
    drawing = np.random.default_rng(seed).random((105, 105)) < 0.9
    out = io.BytesIO()
    Image.fromarray(drawing).save(out, format="PNG")
    return out.getvalue()


@pytest.fixture
def drawings(monkeypatch):
    """A small stand-in for Omniglot, made the known one for the test."""
    files = {
        f"images_background/Alphabet_{a}/character{c:02d}/{a}{c}_{k:02d}.png": png(100 * a + 10 * c + k)
        for a in (2, 1)
        for c in (3, 1, 2)
        for k in (2, 1)
    }
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    monkeypatch.setattr(images, "OMNIGLOT_SHA256", digest.hexdigest())
    return files


@pytest.fixture
def digits_files(monkeypatch):
    """A small stand-in for MNIST's test part, made the known one for the test."""
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (5, 28, 28), dtype=np.uint8), np.array([3, 1, 4, 1, 5], dtype=np.uint8)
    files = {
        "t10k-images-idx3-ubyte": bytes([0, 0, 8, 3]) + np.array([5, 28, 28], ">u4").tobytes() + pixels.tobytes(),
        "t10k-labels-idx1-ubyte": bytes([0, 0, 8, 1]) + np.array([5], ">u4").tobytes() + labels.tobytes(),
    }
    for name, content in files.items():
        monkeypatch.setitem(images.MNIST_SHA256, name, hashlib.sha256(content).hexdigest())
    return files, pixels, labels


def pack(root, files, order=None, extra=()):
    base = root / "omniglot-py"
    base.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(base / "images_background.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in order or files:
            archive.writestr(name, files[name])
        for name, content in extra:
            archive.writestr(name, content)


def unpack(root, files):
    for name, content in files.items():
        path = root / "omniglot-py" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_zip_in_any_order_and_folder_give_the_same_glyphs(tmp_path, drawings):
    """The order in which an archive or a file system lists its files must not change a run."""
    pack(tmp_path / "a", drawings)
    pack(tmp_path / "b", drawings, order=sorted(drawings, reverse=True))
    unpack(tmp_path / "c", drawings)
    made = [images.glyphs("real", classes=4, seed=3, root=tmp_path / part) for part in "abc"]
    assert made[0].pixels.shape == (4, 28, 28)
    assert made[0].pixels.dtype == np.uint8
    assert made[0].pixels.max() == 255
    assert made[0].pixels.mean() < 128, "strokes bright on black"
    for other in made[1:]:
        np.testing.assert_array_equal(made[0].pixels, other.pixels)


def test_members_outside_the_expected_place_are_never_read(tmp_path, drawings):
    """A zip with a path that climbs out of its folder changes nothing and writes nothing."""
    evil = "images_background/../../evil/x.png"
    pack(tmp_path / "a", drawings, extra=[(evil, b"x"), ("images_background/notes.txt", b"x")])
    assert len(images.omniglot_files(tmp_path / "a")) == len(drawings)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["images_background.zip"]


@pytest.mark.parametrize("place", [".", "A", "Alphabet_1", "Alphabet_1/character01", ".Trashes/c"])
@pytest.mark.parametrize("left", ["._11_01.png", ".DS_Store", "Thumbs.db", "._.png"])
def test_what_a_desktop_leaves_beside_the_drawings_does_not_count(tmp_path, drawings, place, left):
    """A Mac writes `._NAME` beside every file of a foreign disk, and into the archives it packs."""
    beside = os.path.normpath(f"images_background/{place}/{left}")
    unpack(tmp_path / "a", {**drawings, beside: b"Mac OS X"})
    pack(tmp_path / "b", drawings, extra=[(beside, b"Mac OS X"), (f"__MACOSX/{beside}", b"Mac OS X")])
    assert (
        images.omniglot_files(tmp_path / "a") == images.omniglot_files(tmp_path / "b") == dict(sorted(drawings.items()))
    )


@pytest.mark.parametrize("spelt", ["./{}", "././{}", ".//{}", "{}"])
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_members_are_known_however_a_packer_spells_them(tmp_path, drawings, spelt, slash):
    pack(tmp_path, {spelt.format(name).replace("/", slash): content for name, content in drawings.items()})
    assert images.omniglot_files(tmp_path) == dict(sorted(drawings.items()))


@pytest.mark.parametrize("kind", ["pipe", "device", "link to a device", "folder", "large", "dangling link"])
def test_only_regular_files_of_a_sane_size_are_read(tmp_path, drawings, digits_files, kind):
    """A device or a pipe never ends: it must be refused before it is opened, drawing or not."""
    files, _, _ = digits_files
    unpack(tmp_path, drawings)
    drawing = tmp_path / "omniglot-py" / min(drawings)
    raw = tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(files[raw.name])
    for path, name in ((drawing, "Omniglot"), (raw, "MNIST")):
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            try:
                os.mknod(path, 0o20600, os.makedev(1, 5))  # /dev/zero
            except PermissionError:
                pytest.skip("only root makes devices")
        elif "link" in kind:
            path.symlink_to("/dev/zero" if "device" in kind else "/nowhere")
        elif kind == "folder":
            path.mkdir()
        else:
            with path.open("wb") as made:
                made.truncate(1 << 40)  # takes no room on the disk
        read = images.omniglot_files if name == "Omniglot" else (lambda root: images._mnist_bytes(root, raw.name))
        with pytest.raises(images.DataError, match=rf"{name} (cannot be read|is missing)"):
            read(tmp_path)


def test_a_member_of_a_wild_size_is_refused_before_it_is_unpacked(tmp_path, drawings):
    pack(tmp_path, drawings, extra=[("images_background/A/b/bomb.png", b"0" * 10_000_000)])
    with pytest.raises(images.DataError, match=r"bomb\.png claims 10,000,000 bytes"):
        images.omniglot_files(tmp_path)


def test_a_changed_drawing_is_named_as_corrupt_with_the_fix(tmp_path, drawings):
    changed = dict(drawings)
    changed[min(changed)] = png(999)
    pack(tmp_path, changed)
    with pytest.raises(images.DataError, match=r"corrupt.*companion data fetch --root"):
        images.glyphs("real", classes=2, seed=0, root=tmp_path)


def test_a_truncated_zip_is_an_error_with_the_fix(tmp_path, drawings):
    pack(tmp_path, drawings)
    archive = tmp_path / "omniglot-py" / "images_background.zip"
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(images.DataError, match="cannot be read.*companion data fetch"):
        images.omniglot_files(tmp_path)


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_packed_or_unpacked(tmp_path, digits_files, packed):
    files, pixels, labels = digits_files
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in files.items():
        if packed:
            (raw / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (raw / name).write_bytes(content)
    read = images.digits("real", train=False, root=tmp_path)
    np.testing.assert_array_equal(read.pixels, pixels)
    np.testing.assert_array_equal(read.labels, labels)


@pytest.mark.parametrize("content", [b"", b"other"])
def test_a_bad_copy_does_not_hide_a_good_one(tmp_path, drawings, digits_files, content):
    """An unpacking that was cut off leaves an empty file beside the archive it came from."""
    files, pixels, _ = digits_files
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, genuine in files.items():
        (raw / name).write_bytes(content)
        (raw / f"{name}.gz").write_bytes(gzip.compress(genuine))
    np.testing.assert_array_equal(images.digits("real", train=False, root=tmp_path).pixels, pixels)
    pack(tmp_path, drawings)
    unpack(tmp_path, {min(drawings): content})
    assert images.omniglot_files(tmp_path) == dict(sorted(drawings.items()))


def test_missing_and_corrupt_mnist_name_root_file_and_fix(tmp_path, digits_files):
    files, _, _ = digits_files
    with pytest.raises(images.DataError, match=r"MNIST is missing: neither t10k-images-idx3-ubyte"):
        images.digits("real", train=False, root=tmp_path)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    name = "t10k-images-idx3-ubyte"
    (raw / name).write_bytes(files[name][:-1] + bytes([files[name][-1] ^ 1]))
    with pytest.raises(images.DataError) as caught:
        images.digits("real", train=False, root=tmp_path)
    assert all(word in str(caught.value) for word in (str(raw), name, "sha256", "companion data fetch"))
    (raw / name).unlink()
    (raw / f"{name}.gz").write_bytes(gzip.compress(files[name])[:40])
    with pytest.raises(images.DataError, match="cannot be read"):
        images.digits("real", train=False, root=tmp_path)


def test_verify_fails_on_an_empty_root_and_environment_names_the_root(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path))
    assert images.data_root() == tmp_path
    assert images.data_root(tmp_path / "given") == tmp_path / "given"
    with pytest.raises(images.DataError, match=str(tmp_path)):
        images.verify()
    monkeypatch.setenv("COMPANION_DATA", "~nobody-of-that-name/data")
    for given, name in ((None, r"\$COMPANION_DATA"), ("~nobody-of-that-name/data", "root")):
        with pytest.raises(ValueError, match=f"^{name} must be a path, with ~ only for a user of this machine"):
            images.data_root(given)


def test_a_download_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    """An interrupted download must never look like a finished one."""
    from torchvision.datasets import utils

    def half(url, root, filename, md5):
        (tmp_path / "MNIST" / "raw").joinpath(root, filename).write_bytes(b"half")
        raise OSError("connection lost")

    monkeypatch.setattr(utils, "download_url", half)
    with pytest.raises(images.DataError, match="connection lost"):
        images.fetch(tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() or p.name.startswith(".incoming")]


def test_a_fetch_that_fails_leaves_every_file_as_it_was(tmp_path, monkeypatch, digits_files):
    """Without a network nothing is downloaded, so nothing may go either, sound or not."""
    from torchvision.datasets import utils

    def offline(url, root, filename, md5):
        raise OSError("no network")

    monkeypatch.setattr(utils, "download_url", offline)
    files, _, _ = digits_files
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"another version")
    for name, content in files.items():
        (raw / name).write_bytes(b"")
        (raw / f"{name}.gz").write_bytes(gzip.compress(content))
    before = {path: path.read_bytes() for path in raw.iterdir()}
    with pytest.raises(images.DataError, match="no network"):
        images.fetch(tmp_path)
    assert {path: path.read_bytes() for path in raw.iterdir()} == before


def test_a_printed_command_can_be_pasted(tmp_path):
    root = tmp_path / "my data"
    with pytest.raises(images.DataError) as caught:
        images.verify(root)
    assert f"`companion data fetch --root {shlex.quote(str(root))}`" in str(caught.value)
    assert shlex.quote(str(root)) != str(root)


def test_embedded_images_have_the_same_interface_and_disjoint_parts():
    train, test = images.digits("embedded", train=True), images.digits("embedded", train=False)
    assert (len(train), len(test)) == (1200, 597)
    for part in (train, test):
        assert part.pixels.shape[1:] == (28, 28)
        assert part.pixels.dtype == np.uint8
        assert set(part.labels) == set(range(10))
    glyphs = images.glyphs("embedded", classes=10, seed=1)
    np.testing.assert_array_equal(glyphs.pixels, images.glyphs("embedded", classes=10, seed=1).pixels)
    assert not np.array_equal(glyphs.pixels, images.glyphs("embedded", classes=10, seed=2).pixels)
    distances = [np.abs(a.astype(int) - b).mean() for i, a in enumerate(glyphs.pixels) for b in glyphs.pixels[:i]]
    assert min(distances) > 10, "two glyphs look alike"


def test_unknown_source_is_refused():
    with pytest.raises(ValueError, match="source must be one of real, embedded"):
        images.digits("imagenet", train=True)


def test_characters_are_all_drawings_of_each(tmp_path, drawings):
    """Each chosen character brings all of its drawings, and the seed chooses the characters."""
    pack(tmp_path, drawings)
    got = images.characters("real", classes=3, seed=0, root=tmp_path)
    known = {images._decode_drawing(content).tobytes(): name.rsplit("/", 1)[0] for name, content in drawings.items()}
    names = [known[picture.tobytes()] for picture in got.pixels]
    assert got.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert len(set(names)) == 3
    assert names[::2] == names[1::2]
    assert len({images.characters("real", classes=3, seed=s, root=tmp_path).pixels.tobytes() for s in range(8)}) > 1


def test_embedded_characters_differ_from_drawing_to_drawing():
    got = images.characters("embedded", classes=2, seed=0)
    assert got.pixels.shape == (40, 28, 28)
    assert len({picture.tobytes() for picture in got.pixels}) == 40
