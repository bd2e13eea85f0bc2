"""Memorization and influence on MNIST: how many points, which pairs, and how far two halves of the models agree.

Preset `paper` is the setting of the public MNIST example of Feldman and Zhang's reference code: 2,000 networks
784-512-256-10, SGD at 0.1 with momentum 0.9, batch 128, 10 epochs, subsets of 70%. Preset `cpu` takes a long-tailed
subset and smaller networks. Stored pictures are coarse (14 x 14, 16 greys): an illustration, not the data.

A block of networks depends on the settings, the seed and its place alone. So blocks that were trained apart, on several
machines or in several nights, make one result: `--blocks` and `--share`.
"""

import hashlib
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from companion import _files
from companion.memorization.ensembles import Recipe, ensemble_correct
from companion.memorization.null import benjamini_hochberg, exact_pvalues, null_threshold, permutation_null
from companion.memorization.scores import influential_pairs, memorization_scores, standard_errors, subset_masks
from companion.memorization.tail import long_tailed_rows
from companion.neural.images import digit_rows
from companion.runner.code import code_hash
from companion.runner.experiment import Resources, define, setting
from companion.runner.run import device_name


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST; 'embedded' are scikit-learn's digits")
    n: int = setting(2000, "training images; 0 means all of them")
    exponent: float = setting(1.0, "Zipf exponent of the class sizes, not used with all of them")
    n_test: int = setting(10_000, "test images, from the first on")
    models: int = setting(2000, "networks, as many as in the public example")
    rate: float = setting(0.7, "subset share, as Feldman and Zhang's")
    hidden: tuple[int, ...] = setting((32,), "512-256 in the public example")
    epochs: int = setting(15, "10 in the public example")
    batch: int = setting(50, "128 in the public example")
    precision: str = setting("float32", "bfloat16 trains faster on processors that multiply it")
    theta_mem: float = setting(0.25, "Feldman and Zhang's threshold for memorized")
    theta_infl: float = setting(0.15, "and for influential")
    theta_strong: float = setting(
        0.4, "above it they found near-duplicates; far outside the noise of hundreds of models"
    )
    shown: int = setting(12, "points and pairs kept with their pictures")
    block: int = setting(60, "networks trained at once")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"exponent": settings.exponent if settings.n else 0.0}]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    task = _task(settings, seed, resources)
    X, y, masks, X_test, y_test, rows = task
    blocks = [_block(settings, task, seed, resources, first) for first in _firsts(settings)]
    correct, test_correct = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("train", "test"))
    scores, errors = memorization_scores(correct, masks), standard_errors(correct, masks)
    tests, trains, values = _same_label(influential_pairs(test_correct, masks, settings.theta_infl), y_test, y)
    null = permutation_null(correct, masks, repeats=20, seed=(seed, 3))
    dealt = np.random.default_rng((seed, 4)).permutation(test_correct)  # each model answers for another one
    chance = _same_label(influential_pairs(dealt, masks, settings.theta_infl), y_test, y)[2]
    half = [slice(0, None, 2), slice(1, None, 2)]
    memorized = scores >= settings.theta_mem
    halves = [memorization_scores(correct[h], masks[h]) for h in half]
    both = ~np.isnan(halves[0] + halves[1])
    pairs = [_same_label(influential_pairs(test_correct[h], masks[h], settings.theta_infl), y_test, y) for h in half]
    summary: dict[str, Any] = {
        "kind": "summary",
        "rank": 0,
        "n": len(y),
        "n_test": len(y_test),
        "models": settings.models,
        "train_accuracy": float(correct[masks].mean()),
        "test_accuracy": float(test_correct.mean()),
        "unknown": int(np.isnan(scores).sum()),  # in every subset, or in none
        "memorized": int(memorized.sum()),
        "memorized_share": float(memorized.mean()),
        "mean_score": float(np.nanmean(scores)),
        "null_999": null_threshold(null, 0.001),
        "discoveries": int(benjamini_hochberg(exact_pvalues(correct, masks), 0.05).sum()),
        "pairs": len(values),
        "strong_pairs": int((values >= settings.theta_strong).sum()),
        "chance_pairs": len(chance),
        "chance_strong": int((chance >= settings.theta_strong).sum()),
        "pair_tests": len(np.unique(tests)),
        "pair_trains": len(np.unique(trains)),
        "single_pairs": int((np.bincount(tests, minlength=1) == 1).sum()),
        "halves_correlation": float(np.corrcoef(halves[0][both], halves[1][both])[0, 1]),
        "halves_memorized": jaccard(*(set(np.flatnonzero(h >= settings.theta_mem)) for h in halves)),
        "halves_pairs": jaccard(*(set(zip(p[0], p[1], strict=True)) for p in pairs)),
        "halves_strong": jaccard(*(_above(p, settings.theta_strong) for p in pairs)),
        "seconds": sum(block.seconds for block in blocks),  # of training and judging, wherever that was
        "devices": "; ".join(sorted({block.device for block in blocks})),
    }
    out: list[dict[str, Any]] = [summary]
    counts, edges = np.histogram(np.clip(scores, 0, 1), bins=np.linspace(0, 1, 21))
    for b, (count, edge) in enumerate(zip(counts, edges[:-1], strict=True)):
        out.append({"kind": "bin", "rank": b, "edge": round(float(edge), 2), "count": int(count)})
    for c in range(10):
        of = y == c
        out.append({"kind": "class", "rank": c, "points": int(of.sum()), "memorized": int(memorized[of].sum())})
    for k, i in enumerate(np.argsort(-np.nan_to_num(scores), kind="stable")[: settings.shown]):
        point = {"row": int(rows[i]), "label": int(y[i]), "score": float(scores[i]), "error": float(errors[i])}
        out.append({"kind": "memorized", "rank": k, **point, "picture": thumbnail(X[i])})
    for k, (j, i, value) in enumerate(_distinct(tests, trains, values, settings.shown)):
        pair = {"test_row": j, "row": int(rows[i]), "label": int(y[i]), "influence": value, "score": float(scores[i])}
        pictures = {"picture": thumbnail(X[i]), "test_picture": thumbnail(X_test[j])}
        out.append({"kind": "pair", "rank": k, **pair, **pictures})
    return out


def fill(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources, share: tuple[int, int]) -> None:
    """Train the k-th of every m blocks for `share` (k, m), but for those that are in `resources.blocks`."""
    task = _task(settings, seed, resources)
    for first in _firsts(settings)[share[0] - 1 :: share[1]]:
        _block(settings, task, seed, resources, first)


class _Task(NamedTuple):
    X: np.ndarray
    y: np.ndarray
    masks: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    rows: np.ndarray


class _Block(NamedTuple):
    """Who is right where, and what it took."""

    train: np.ndarray
    test: np.ndarray
    seconds: float
    device: str


def _task(settings: Settings, seed: int, resources: Resources) -> _Task:
    resources.use_threads()
    X, y = digit_rows(settings.source, train=True, side=28, root=resources.data)
    X_test, y_test = digit_rows(settings.source, train=False, side=28, root=resources.data)
    rows = long_tailed_rows(y, settings.n, settings.exponent, seed=seed) if settings.n else np.arange(len(y))
    X, y = X[rows], y[rows]
    masks = subset_masks(settings.models, len(y), round(settings.rate * len(y)), seed=(seed, 1))
    return _Task(X, y, masks, X_test[: settings.n_test], y_test[: settings.n_test], rows)


def _firsts(settings: Settings) -> range:
    """The first model of each block."""
    return range(0, settings.models, settings.block)


def _block(settings: Settings, task: _Task, seed: int, resources: Resources, first: int) -> _Block:
    """The block as it was kept, else trained and kept. ValueError, naming the file, for one of another run."""
    masks = task.masks[first : first + settings.block]
    recipe = Recipe(settings.hidden, settings.epochs, settings.batch, precision=settings.precision)
    folder = resources.blocks or resources.scratch
    file = folder / f"block-{seed}-{first}.npz" if folder else None
    data = hashlib.sha256()
    for part in (task.X, task.y, task.X_test, task.y_test, masks):
        data.update(part.data)
    made = {
        **{key: str(value) for key, value in vars(recipe).items()},
        "models": f"{first} to {first + len(masks) - 1} of seed {seed}",
        "images and subsets": data.hexdigest()[:12],
        "code": code_hash("companion.memorization.ensembles", "ensemble_correct"),
    }
    if file is not None and file.is_file():
        return _load(file, made)
    start = time.process_time()
    train, test = ensemble_correct(
        *(task.X, task.y, masks, task.X_test, task.y_test),
        recipe=recipe,
        seed=(seed, 2),
        classes=10,
        device=resources.device,
        block=settings.block,
        first=first,
    )
    block = _Block(train, test, time.process_time() - start, device_name(resources.device))
    if file is not None:
        with _files.replacing(file) as partial, partial.open("wb") as out:
            np.savez_compressed(out, made=json.dumps(made), **block._asdict())
    return block


def _load(file: Path, made: dict[str, str]) -> _Block:
    """A kept block; ValueError, naming the file, if it holds no arrays or was not made as `made` says."""
    try:
        with np.load(file) as stored:
            kept = {name: stored[name] for name in (*_Block._fields, "made")}
            if not all(isinstance(part, np.ndarray) for part in kept.values()):  # such a member comes as its bytes
                raise ValueError("it holds bytes, not arrays")
            there = json.loads(str(kept.pop("made")))
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} is no kept block ({error}); delete it to compute it again") from error
    differs = [f"{key} {there.get(key)} there, {value} here" for key, value in made.items() if there.get(key) != value]
    if differs:
        raise ValueError(f"{file} is a block of another run ({'; '.join(differs)}); give each run a folder of its own")
    return _Block(kept["train"], kept["test"], float(kept["seconds"]), str(kept["device"]))


def _same_label(
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray], y_test: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of one class: what helps a test image of another class is not one image standing for another."""
    tests, trains, values = pairs
    keep = y_test[tests] == y[trains]
    return tests[keep], trains[keep], values[keep]


def _above(pairs: tuple[np.ndarray, np.ndarray, np.ndarray], threshold: float) -> set:
    """The (test, train) pairs with at least this influence."""
    tests, trains, values = pairs
    return set(zip(tests[values >= threshold], trains[values >= threshold], strict=True))


def _distinct(
    tests: np.ndarray, trains: np.ndarray, values: np.ndarray, count: int
) -> Iterator[tuple[int, int, float]]:
    """The largest pairs, each training image once."""
    seen: set[int] = set()
    for j, i, value in zip(tests.tolist(), trains.tolist(), values.tolist(), strict=True):
        if i not in seen and len(seen) < count:
            seen.add(i)
            yield j, i, value


def jaccard(a: set, b: set) -> float:
    """Size of the intersection over size of the union; NaN if both are empty."""
    return len(a & b) / len(a | b) if a or b else float("nan")


def thumbnail(image: np.ndarray) -> str:
    """A 28 x 28 image in [0, 1] as 196 hexadecimal greys, 14 x 14."""
    coarse = image.reshape(14, 2, 14, 2).mean((1, 3))
    return "".join(f"{v:x}" for v in np.round(coarse * 15).astype(int).ravel())


EXPERIMENT = define(
    run,
    cells,
    smoke=(1, Settings(source="embedded", n=150, n_test=100, models=40, hidden=(16,), epochs=6, shown=3, block=20)),
    cpu=(1, Settings()),
    paper=(1, Settings(n=0, models=2000, hidden=(512, 256), epochs=10, batch=128, block=50)),
    by=("kind", "rank"),
    trains=True,
    fill=fill,
)
