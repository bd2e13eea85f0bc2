"""Real images (MNIST, Omniglot) from any folder whose contents verify, and embedded substitutes for both.

Every image is uint8, 28 x 28, strokes bright on black. The folder is laid out as torchvision lays it out:
`MNIST/raw/` and `omniglot-py/`. Nothing is decoded before its digest has been checked, nothing is unpacked to disk,
no pickle is read.
"""

import gzip
import hashlib
import io
import os
import shlex
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sized
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np

from companion._validate import generator, integer, one_of, path, seed_words

SIDE = 28
SOURCES = ("real", "embedded")
FIX = "companion data fetch"

# sha256 of the unpacked files of MNIST; torchvision's md5 of the packed ones is checked as well when they are read.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# sha256 over the sorted drawings of the background set: path, zero byte, sha256 of the PNG file. It does not depend on
# how the archive was packed, so the official zip, a repacked one and an unpacked folder all verify.
OMNIGLOT_SHA256 = "07356096b8076fcf915341f8715e94822249e2a4d5b999fd2d0f6cf9ebffebd5"
OMNIGLOT = "images_background"
LARGEST_DRAWING = 4096  # bytes; the largest genuine one has 486
LARGEST_FILE = 50_000_000  # bytes; the largest genuine one, unpacked, has 47,040,016
Content = TypeVar("Content", bound=Sized)


class DataError(ValueError):
    """Images are missing or differ from the known ones; the message names the folder, the file and the fix."""


@dataclass(frozen=True)
class Images:
    """Images and their labels, in a fixed order.

    Attributes
    ----------
    pixels : (n, 28, 28) uint8, strokes bright on black
    labels : (n,) int64
    """

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def data_root(root: str | Path | None = None) -> Path:
    """The folder of the data: `root`, else $COMPANION_DATA, else the user's cache folder."""
    if root is not None:
        return path("root", root)
    if given := os.environ.get("COMPANION_DATA"):
        return path("$COMPANION_DATA", given)
    import platformdirs

    return Path(platformdirs.user_cache_dir("companion")) / "data"


def digits(source: str, *, train: bool, root: str | Path | None = None) -> Images:
    """Handwritten digits: MNIST, or scikit-learn's 8 x 8 digits scaled up.

    Parameters
    ----------
    source : "real" (MNIST: 60,000 for training, 10,000 for testing) or "embedded" (1,200 and 597)
    train : whether to return the training or the test part; they never share an image
    root : folder of the data, see `data_root`; not used by the embedded digits

    Raises
    ------
    DataError
        if MNIST is missing under `root` or differs from the known files
    """
    source = one_of("source", source, SOURCES)
    if source == "embedded":
        return _embedded_digits(train)
    folder, part = data_root(root), "train" if train else "t10k"
    pixels = _idx(_mnist_bytes(folder, f"{part}-images-idx3-ubyte"))
    labels = _idx(_mnist_bytes(folder, f"{part}-labels-idx1-ubyte"))
    return Images(pixels, labels.astype(np.int64))


def digit_rows(source: str, *, train: bool, side: int, root: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Digit images as rows, float32 in [0, 1], (n, side * side), and labels (n,). `side` divides 28."""
    images = digits(source, train=train, root=root)
    step = SIDE // side
    pixels = images.pixels.reshape(-1, side, step, side, step).mean((2, 4))
    return (pixels / 255).reshape(len(pixels), -1).astype(np.float32), images.labels


def glyphs(source: str, *, classes: int, seed: int, root: str | Path | None = None) -> Images:
    """One drawing of each of `classes` characters, none of them a digit, labelled 0, 1, ...

    Characters and drawings are drawn at random from the seed, out of the classes *sorted by path*, so a run does not
    depend on the order in which a file system lists its folders.

    Parameters
    ----------
    source : "real" (Omniglot, 964 characters of 20 drawings) or "embedded" (strokes drawn by this module)

    Raises
    ------
    DataError
        if Omniglot is missing under `root` or differs from the known drawings
    """
    source, classes = one_of("source", source, SOURCES), integer("classes", classes, low=1, high=964)
    rng = generator((*seed_words(seed), 71))
    labels = np.arange(classes)
    if source == "embedded":
        return Images(np.stack([_drawn_glyph(rng) for _ in range(classes)]), labels)
    files = omniglot_files(data_root(root))
    by_class: dict[str, list[str]] = {}
    for name in files:
        by_class.setdefault(name.rsplit("/", 1)[0], []).append(name)
    chosen = rng.choice(sorted(by_class), size=classes, replace=False)
    names = [by_class[c][rng.integers(len(by_class[c]))] for c in chosen]
    return Images(np.stack([_decode_drawing(files[name]) for name in names]), labels)


def characters(source: str, *, classes: int, seed: int, root: str | Path | None = None) -> Images:
    """Twenty drawings of each of `classes` random characters, labelled 0, 1, ... in a random order.

    Parameters
    ----------
    source : "real" (Omniglot, a hand for each drawing) or "embedded" (a made-up character, a tenth of its pixels blank)

    Raises
    ------
    DataError
        if Omniglot is missing under `root` or differs from the known drawings
    """
    source, classes = one_of("source", source, SOURCES), integer("classes", classes, low=1, high=964)
    rng = generator((*seed_words(seed), 72))
    if source == "embedded":
        pixels = np.repeat(np.stack([_drawn_glyph(rng) for _ in range(classes)]), 20, axis=0)
        pixels *= rng.random(pixels.shape) < 0.9
    else:
        drawings: dict[str, list[bytes]] = {}
        for name, content in omniglot_files(data_root(root)).items():
            drawings.setdefault(name.rsplit("/", 1)[0], []).append(content)
        chosen = rng.choice(sorted(drawings), size=classes, replace=False)
        pixels = np.stack([_decode_drawing(one) for name in chosen for one in drawings[name]])
    return Images(pixels, np.repeat(np.arange(classes), len(pixels) // classes))


def verify(root: str | Path | None = None) -> list[str]:
    """Check every file that the experiments read; one line for each data set.

    Raises
    ------
    DataError
        naming the folder, what is missing or corrupt, and the command that mends it
    """
    folder = data_root(root)
    for name in MNIST_SHA256:
        _mnist_bytes(folder, name)
    drawings = len(omniglot_files(folder))
    return [
        f"MNIST: 70,000 images, {len(MNIST_SHA256)} files match their sha256 ({folder / 'MNIST' / 'raw'})",
        f"Omniglot: {drawings:,} drawings match their sha256 ({folder / 'omniglot-py'})",
    ]


def fetch(root: str | Path | None = None) -> list[str]:
    """Download what does not verify yet, through torchvision's addresses and checksums; then `verify`.

    A file is downloaded into a temporary folder beside its place and moved there whole; nothing else is touched.

    Raises
    ------
    DataError
        if a download fails or what arrived does not verify
    """
    from torchvision.datasets import MNIST, Omniglot

    folder = data_root(root)
    for packed, md5 in MNIST.resources:
        if not _verifies(_mnist_bytes, folder, packed.removesuffix(".gz")):
            _download([mirror + packed for mirror in MNIST.mirrors], folder / "MNIST" / "raw" / packed, md5)
    if not _verifies(omniglot_files, folder):
        archive = f"{OMNIGLOT}.zip"
        url = f"{Omniglot.download_url_prefix}/{archive}"
        _download([url], folder / "omniglot-py" / archive, Omniglot.zips_md5[OMNIGLOT])
    return verify(folder)


def omniglot_files(folder: Path) -> dict[str, bytes]:
    """The background drawings of Omniglot as PNG bytes, keyed and sorted by path, checked as a whole.

    Reads `omniglot-py/images_background/`, else `omniglot-py/images_background.zip` without unpacking it. Only regular
    files of the expected name and size are read; what a desktop leaves beside them (`._*`, `.DS_Store`) does not count.
    """
    copies = [folder / "omniglot-py" / OMNIGLOT, folder / "omniglot-py" / f"{OMNIGLOT}.zip"]
    return _sound("Omniglot", "drawings", copies, _drawings, _drawings_sha256, OMNIGLOT_SHA256, folder)


def _sound(
    what: str,
    unit: str,
    copies: list[Path],
    read: Callable[[Path], Content],
    digest: Callable[[Content], str],
    expected: str,
    folder: Path,
) -> Content:
    """What the first of `copies` that verifies holds; else a DataError that says what is wrong with the first there."""
    wrong = ""
    for copy in copies:
        try:
            if not copy.exists():
                continue
            content = read(copy)
            if digest(content) == expected:
                return content
            wrong = wrong or f"is corrupt: {len(content):,} {unit} in {copy} do not match their sha256"
        except (OSError, ValueError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
            wrong = wrong or f"cannot be read: {copy} ({error})"
    wrong = wrong or f"is missing: neither {' nor '.join(copy.name for copy in copies)} in {copies[0].parent}"
    raise DataError(f"{what} {wrong}; run `{FIX} --root {shlex.quote(str(folder))}`")


def _drawings(copy: Path) -> dict[str, bytes]:
    """The drawings in a folder or an archive, sorted by name."""
    if copy.is_dir():
        names = {path.relative_to(copy.parent).as_posix(): path for path in copy.glob("*/*/*.png")}
        return {name: _read(names[name], LARGEST_DRAWING) for name in sorted(names) if _drawing(name)}
    found = {}
    with zipfile.ZipFile(io.BytesIO(_read(copy, LARGEST_FILE))) as opened:
        for info in opened.infolist():
            if name := _drawing(info.filename):
                if info.file_size > LARGEST_DRAWING:
                    raise OSError(f"{name} claims {info.file_size:,} bytes, not a drawing")
                found[name] = opened.read(info)
    return dict(sorted(found.items()))


def _drawing(member: str) -> str:
    """The name of a drawing, as the folder has it; "" for anything else: a hidden file, a path that climbs out."""
    path = PurePosixPath(member.replace("\\", "/"))
    hidden = any(part.startswith(".") for part in path.parts)
    return (
        str(path) if len(path.parts) == 4 and path.parts[0] == OMNIGLOT and path.suffix == ".png" and not hidden else ""
    )


def _drawings_sha256(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _read(path: Path, largest: int) -> bytes:
    """The bytes of a regular file; OSError for a device or a pipe, which may have no end, and for too large a file."""
    if not path.is_file():
        raise OSError(f"{path.name} is no regular file")
    with path.open("rb") as opened:
        content = opened.read(largest + 1)
    if len(content) > largest:
        raise OSError(f"{path.name} has more than {largest:,} bytes")
    return content


def _decode_drawing(content: bytes) -> np.ndarray:
    """A 105 x 105 one-bit drawing as 28 x 28, inverted to bright strokes; its brightest pixel is set to 255 (ours)."""
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=["PNG"]) as opened:
        ink = 255.0 - np.asarray(opened.convert("L"), dtype=np.float32)
    small = np.asarray(Image.fromarray(ink).resize((SIDE, SIDE), Image.Resampling.BOX))
    return np.round(small * (255 / small.max())).astype(np.uint8)


def _mnist_bytes(folder: Path, name: str) -> bytes:
    """The unpacked bytes of one MNIST file, from `name` or `name`.gz under MNIST/raw, checked."""
    copies = [folder / "MNIST" / "raw" / name, folder / "MNIST" / "raw" / f"{name}.gz"]
    return _sound(
        "MNIST", "bytes", copies, _unpacked, lambda b: hashlib.sha256(b).hexdigest(), MNIST_SHA256[name], folder
    )


def _unpacked(path: Path) -> bytes:
    content = _read(path, LARGEST_FILE)
    return gzip.GzipFile(fileobj=io.BytesIO(content)).read(LARGEST_FILE) if path.suffix == ".gz" else content


def _idx(content: bytes) -> np.ndarray:
    """The IDX format of MNIST: two zero bytes, a type, the number of dimensions, their sizes, the values."""
    dimensions = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=dimensions, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _verifies(check, *args) -> bool:  # type: ignore[no-untyped-def]
    try:
        check(*args)
    except DataError:
        return False
    return True


def _download(urls: list[str], target: Path, md5: str) -> None:
    from torchvision.datasets.utils import download_url

    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for url in urls:
        incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=target.parent))
        try:
            download_url(url, str(incoming), filename=target.name, md5=md5)
            os.replace(incoming / target.name, target)
            return
        except (OSError, RuntimeError) as error:
            failures.append(f"{url}: {error}")
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
    raise DataError(f"{target.name} could not be downloaded to {target.parent}: " + "; ".join(failures))


def _embedded_digits(train: bool) -> Images:
    """scikit-learn's digits, 8 x 8 with 17 grey levels, scaled to 24 x 24 and framed; 1,200 are for training."""
    from PIL import Image
    from sklearn.datasets import load_digits

    data = load_digits()
    part = slice(0, 1200) if train else slice(1200, None)
    pixels = np.zeros((len(data.target[part]), SIDE, SIDE), dtype=np.uint8)
    for image, small in zip(pixels, data.images[part], strict=True):
        grey = Image.fromarray(np.round(small * (255 / 16)).astype(np.uint8))
        image[2:26, 2:26] = np.asarray(grey.resize((24, 24), Image.Resampling.BILINEAR))
    return Images(pixels, data.target[part].astype(np.int64))


def _drawn_glyph(rng: np.random.Generator) -> np.ndarray:
    """A made-up character: three random curved strokes, two pixels wide, drawn by their distance to each pixel."""
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), axis=-1)[:, :, None]
    along = np.linspace(0, 1, 60)[:, None]
    distance = np.full((SIDE, SIDE), np.inf)
    for _ in range(3):
        start, bend, end = rng.uniform(4, SIDE - 5, size=(3, 2))
        stroke = (1 - along) ** 2 * start + 2 * along * (1 - along) * bend + along**2 * end
        distance = np.minimum(distance, np.linalg.norm(grid - stroke, axis=-1).min(axis=-1))
    return np.round(255 * np.clip(1.8 - distance, 0, 1)).astype(np.uint8)
