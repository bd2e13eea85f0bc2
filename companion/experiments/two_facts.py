"""Two facts of a tiny language model, each left out: memorization scores of both, and their compositions.

The worlds are those of `companion.experiments.language`, with a text and models of its own for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.language import (
    AND_ITS,
    BRIDGES,
    DIRECTLY,
    IN_STEPS,
    World,
    ask,
    hop_answers,
    hops_world,
    speak,
    sums_world,
)
from companion.memorization.scores import group_rates
from companion.runner.experiment import Resources, define, setting

PARTS = 4  # of the first facts, and of the second: each model lacks one part of either
LACKING = {"neither": (True, True), "the first": (False, True), "the second": (True, False), "both": (False, False)}


@dataclass(frozen=True)
class Settings:
    worlds: int = setting(10, "worlds of a seed, each with its own models")
    rounds: int = setting(1, "times that the facts are dealt out anew: sixteen models, one for each pair of parts")
    sum_decays: tuple[float, ...] = setting((0.0, 3.0), "weight decay in the world of prices")
    watched: tuple[int, ...] = setting((4, 8, 12, 14, 16, 20, 40), "epochs at which scores are taken")
    epochs: int = setting(40, "passes over the text")
    batch: int = setting(64, "sentences a step")
    lr: float = setting(1e-2, "peak learning rate of AdamW")


def dealt(rng: np.random.Generator, first: int, second: int, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Which facts each model has: bool (models, first) and (models, second).

    In a round, both kinds of fact are dealt into `PARTS` parts, and each of the `PARTS`**2 models lacks one part of
    either. So every two facts are both present in as many models, and so are those that lack one of them, or both.
    """
    kept: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for _ in range(rounds):
        part = [rng.permutation(facts) * PARTS // facts for facts in (first, second)]
        for lacked in np.ndindex(PARTS, PARTS):
            for side in (0, 1):
                kept[side].append(part[side] != lacked[side])
    return np.stack(kept[0]), np.stack(kept[1])


def without(text: np.ndarray, told: tuple[np.ndarray, ...], kept: tuple[np.ndarray, ...]) -> np.ndarray:
    """A text for each model, (models, sentences, length), in which the sentences of facts that it lacks are blank.

    told: for each kind of fact a bool array (facts, sentences), which sentences tell which. A blank sentence holds no
    word at all, only -1, so that all models take as many steps.
    """
    lost = sum((~has).astype(int) @ of.astype(int) for of, has in zip(told, kept, strict=True)) > 0
    return np.where(np.asarray(lost)[..., None], -1, text)


def capitals_told(world: World) -> np.ndarray:
    """Which sentences tell the capital of each country, in whatever words: bool (countries, sentences)."""
    said, told = world.text, []
    for country in np.unique(world.asked["country"]):
        stepwise = (said[:, 1] == IN_STEPS) & (said[:, 2] == country)
        directly = (said[:, 1] == DIRECTLY) & np.isin(said[:, 0], said[stepwise, 0])
        told.append(((said[:, 0] == country) & (said[:, 1] == AND_ITS)) | stepwise | directly)
    return np.stack(told)


def judged(
    knows: tuple[np.ndarray, np.ndarray], kept: tuple[np.ndarray, np.ndarray], composed: Mapping[str, np.ndarray],
    shown: np.ndarray, last: bool,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of one moment of training. All arrays are (models, pairs of facts), but `shown` names the kind of a pair.

    One row for the "pairs" of a kind that agree in their "weaker" memorization score ("lacking": ""): the means of
    "first" and "second", the scores of their facts, and of their compositions, right answers among the models that have
    both. If it is the `last` moment, also one for each kind and each of `LACKING`: the same compositions among the
    models that lack these facts.
    """
    scores = []
    for right, present in zip(knows, kept, strict=True):
        rates = group_rates(right, present)
        scores.append(rates.inside - rates.outside)
    has = {lack: (kept[0] == a) & (kept[1] == b) for lack, (a, b) in LACKING.items()}
    shares = {lack: {way: group_rates(hit, who).inside for way, hit in composed.items()} for lack, who in has.items()}
    weaker = np.minimum(*scores).round(9)
    means = {"first": scores[0], "second": scores[1], **shares["neither"]}
    rows: list[dict[str, Any]] = [
        {"shown": str(kind), "lacking": "", "weaker": float(score), "pairs": int(of.sum())}
        | {name: float(values[of].mean()) for name, values in means.items()}
        for kind in np.unique(shown)
        for score in np.unique(weaker[shown == kind])
        for of in [(shown == kind) & (weaker == score)]
    ]
    if last:
        rows += [
            {"shown": str(kind), "lacking": lack}
            | {way: float(share[shown == kind].mean()) for way, share in of.items()}
            for kind in np.unique(shown)
            for lack, of in shares.items()
        ]
    return rows


def hops(settings: Settings, decay: float, seed: Any, j: int) -> list[dict[str, Any]]:
    """A person's country and that country's capital; the kind of a pair is how the capital was told."""
    world = hops_world((seed, 16, j))
    asked = {key: world.asked[key] for key in ("person", "country", "capital")}
    kind, place = np.array(BRIDGES)[world.asked["bridge"]], np.unique(asked["country"], return_inverse=True)[1]
    told = (world.text == asked["person"][:, None, None]).any(2), capitals_told(world)
    kept = dealt(np.random.default_rng((seed, 17, j)), len(told[0]), len(told[1]), settings.rounds)
    texts, has = without(world.text, told, kept), (kept[0], kept[1][:, place])
    counts = kind != "never"  # there is no second fact to leave out
    rows: list[dict[str, Any]] = []

    def watch(epoch: int, speakers: Any) -> None:
        if epoch in settings.watched:
            right = hop_answers(speakers, *(np.broadcast_to(words, has[0].shape) for words in asked.values()))
            right = {way: hit[:, counts] for way, hit in right.items()}
            ways = {way: right[way] for way in ("two questions", "written", "direct")}
            present = has[0][:, counts], has[1][:, counts]
            last = epoch == settings.epochs
            found = judged((right["fact"], right["capital"]), present, ways, kind[counts], last)
            rows.extend({"epoch": epoch, **row} for row in found)

    speak(settings, [world._replace(text=text) for text in texts], (seed, 18, j), width=32, layers=2,
          weight_decay=decay, after_epoch=watch)  # fmt: skip
    return rows


def sums(settings: Settings, decay: float, seed: Any, j: int) -> list[dict[str, Any]]:
    """Two rare goods, each told in one total beside a common one; every good of the first place beside three others."""
    world = sums_world((seed, 19, j))
    goods = len(world.asked["memorized"]) // 2
    a, b = (np.unique(world.asked["two"][:, side], return_inverse=True)[1] for side in (0, 1))
    a, b, two = (x[(b - a) % goods < 3] for x in (a, b, world.asked["two"]))
    known = world.asked["memorized"][:goods][a], world.asked["memorized"][goods:][b]
    told = (world.text[:, :2] == world.asked["memorized"][:, None, :2]).all(2)
    kept = dealt(np.random.default_rng((seed, 20, j)), goods, goods, settings.rounds)
    texts = without(world.text, (told[:goods], told[goods:]), kept)
    rows: list[dict[str, Any]] = []

    def watch(epoch: int, speakers: Any) -> None:
        if epoch in settings.watched:
            first, second, both = (
                ask(speakers, said[:, 0], said[:, 1])[..., 0] == said[:, 2] for said in (*known, two)
            )
            present, last = (kept[0][:, a], kept[1][:, b]), epoch == settings.epochs
            found = judged((first, second), present, {"total": both}, np.full(len(a), "rare"), last)
            rows.extend({"epoch": epoch, **row} for row in found)

    speak(settings, [world._replace(text=text) for text in texts], (seed, 21, j), width=32, layers=1,
          weight_decay=decay, after_epoch=watch)  # fmt: skip
    return rows


KINDS: dict[str, Callable[[Settings, float, Any, int], list[dict[str, Any]]]] = {"hops": hops, "sums": sums}


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"part": "hops", "decay": 1.0}, *({"part": "sums", "decay": decay} for decay in settings.sum_decays)]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One kind of composition at one weight decay, in each world."""
    resources.use_threads()
    judge = KINDS[cell["part"]]
    return [{"world": j, **row} for j in range(settings.worlds) for row in judge(settings, cell["decay"], seed, j)]


EXPERIMENT = define(
    run,
    cells,
    smoke=(1, Settings(worlds=1, rounds=1, sum_decays=(0.0,), watched=(1, 2), epochs=2)),
    cpu=(1, Settings()),
    paper=(2, Settings(worlds=20, rounds=4)),
    by=("part", "decay", "shown", "epoch", "lacking"),
)
