"""Beyond sums: a tiny language model's facts, grammar, sums, two hops, influences and a riddle with a word changed.

A seed is a batch of worlds, each with a text and a model of its own, trained side by side; a row is one world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from companion.memorization.scores import group_rates, subset_masks
from companion.runner.experiment import Resources, define, setting

IS, AND_ITS, DIRECTLY, IN_STEPS = range(4)  # words of the two-hop world that are no names
BRIDGES = ("never", "once", "often", "used")
RIDDLES: dict[str, tuple[int, ...]] = {
    "as told": (),
    "one word beside the point": (2,),
    "two words beside the point": (2, 3),
    "one word that matters": (0,),
    "both words that matter": (0, 1),
    "every word": (0, 1, 2, 3),
}


@dataclass(frozen=True)
class Settings:
    worlds: int = setting(20, "worlds of a seed, each with one model; their models are trained side by side")
    widths: tuple[int, ...] = setting((4, 8, 16, 32, 64), "widths of the model in the world of facts and grammar")
    layers: tuple[int, ...] = setting((1, 2, 3), "layers in the two-hop world")
    decays: tuple[float, ...] = setting((0.0, 1.0), "weight decay, decoupled, in the two-hop world")
    sum_decays: tuple[float, ...] = setting((0.0, 0.3, 1.0, 3.0), "weight decay in the world of prices")
    shares: tuple[float, ...] = setting((0.0, 0.002, 0.02, 0.1, 0.3), "share of the text that the riddle takes")
    watched: tuple[int, ...] = setting((2, 4, 6, 8, 12, 24), "epochs at which memorization scores are taken")
    judged: int = setting(10, "worlds in which memorization scores and influences are taken")
    rounds: int = setting(3, "times that each once-seen fact is left out: four models a round, each without a quarter")
    subsets: int = setting(200, "models of a world of facts and grammar, each on its own 70% of the sentences")
    subset_epochs: int = setting(60, "passes over these, with 16 sentences a step: the texts are small")
    epochs: int = setting(40, "passes over the text")
    batch: int = setting(64, "sentences a step")
    lr: float = setting(1e-2, "peak learning rate of AdamW")


class World(NamedTuple):
    """A text with its questions; all are whole numbers, a word each."""

    text: np.ndarray  # (sentences, length), -1 after the end
    words: int
    asked: dict[str, np.ndarray]  # name -> (questions, ...)


def facts_world(
    seed: Any, *, names: int = 120, unseen: int = 24, most: int = 60, values: int = 16, stems: int = 14,
    held_out: float = 0.3, shuffled: bool = False,
) -> World:  # fmt: skip
    """Names with one fact each, the i-th of them told max(1, most / i) times; and nouns that agree with their verbs.

    Sentences: "NAME is VALUE .", "the NOUN VERB ."; a share `held_out` of the pairs of noun and verb never occurs.
    `shuffled`: each verb takes a random number, so that there is no rule. Asked: "name", "value", "told" of every fact;
    "noun" (2, stems) and "verb" (2, stems), singular and plural; "new" (stems, stems), which pairs never occur.
    """
    rng = np.random.default_rng(seed)
    name, value, noun, verb = np.split(
        3 + np.arange(names + unseen + values + 4 * stems),
        np.cumsum([names + unseen, values, 2 * stems]),
    )
    noun, verb = noun.reshape(2, stems), verb.reshape(2, stems)
    fact = value[rng.integers(values, size=len(name))]
    told = np.concatenate([np.maximum(1, np.round(most / np.arange(1, names + 1))), np.zeros(unseen)]).astype(int)
    new = np.zeros((stems, stems), bool)
    new.flat[rng.permutation(stems**2)[: round(held_out * stems**2)]] = True
    text = [[who, 0, what, 2] for who, what, times in zip(name, fact, told, strict=True) for _ in range(times)]
    for number in (0, 1):
        for a, b in np.argwhere(~new):
            text.append([1, noun[number, a], verb[rng.integers(2) if shuffled else number, b], 2])
    asked = {"name": name, "value": fact, "told": told, "noun": noun, "verb": verb, "new": new}
    return World(np.array(text), int(verb.max()) + 1, asked)


def sums_world(seed: Any, *, common: int = 40, rare: int = 20, top: int = 8, pairs: int = 800) -> World:
    """Goods with prices below `top`; sentences "GOOD GOOD TOTAL". A rare good occurs in one sentence, beside a common.

    Half of the rare goods are seen in the first place, half in the second. Asked, as sentences: "memorized" those
    very sentences; "rule" new pairs of common goods; "one" a rare good beside a new common one; "two" rare goods, each
    in the place where it was seen; "swapped" in the other.
    """
    rng = np.random.default_rng(seed)
    goods = common + rare
    price = rng.integers(top, size=goods)
    every = rng.permutation(common**2)
    usual = np.stack(np.divmod(every, common), 1)
    first, second = np.split(np.arange(common, goods), 2)
    beside = rng.integers(common, size=rare)
    seen = np.concatenate([np.c_[first, beside[: len(first)]], np.c_[beside[len(first) :], second]])
    fresh = (beside[:, None] + 1 + np.arange(10)) % common
    one = np.concatenate([
        np.c_[first.repeat(10), fresh[: len(first)].ravel()], np.c_[fresh[len(first) :].ravel(), second.repeat(10)]
    ])  # fmt: skip
    two = np.stack(np.meshgrid(first, second), -1).reshape(-1, 2)
    told = {"text": np.concatenate([usual[:pairs], seen]), "memorized": seen, "rule": usual[pairs : pairs + 100],
            "one": one, "two": two, "swapped": two[:, ::-1]}  # fmt: skip
    said = {key: np.c_[pair, goods + price[pair].sum(1)] for key, pair in told.items()}
    return World(said.pop("text"), goods + 2 * top - 1, said)


def hops_world(seed: Any, *, each: int = 5, used: int = 10, tests: int = 4, practice: int = 14, values: int = 12,
               often: int = 20) -> World:  # fmt: skip
    """People in countries with capitals; the country of each person is told once.

    Sentences: "PERSON is COUNTRY", "COUNTRY and-its CAPITAL"; and, for `practice` people of each *used* country,
    "PERSON directly CAPITAL" and "PERSON in-steps COUNTRY and-its CAPITAL". The capitals of the other countries
    are told never, once or `often`, and occur in no composition. Asked: "person", "country", "capital" and "bridge"
    (place in `BRIDGES`) of `tests` people of each country, of whom the text says nothing but the country.
    """
    rng = np.random.default_rng(seed)
    bridge = np.repeat(np.arange(4), [each, each, each, used])
    home = np.concatenate([np.arange(len(bridge)).repeat(tests), np.flatnonzero(bridge == 3).repeat(practice)])
    tested = np.arange(len(home)) < len(bridge) * tests
    person = 4 + rng.permutation(len(home))
    country = 4 + len(home) + np.arange(len(bridge))
    capital = country[-1] + 1 + rng.permutation(len(bridge)) % values
    text = [[who, IS, country[c], -1, -1] for who, c in zip(person, home, strict=True)]
    for c, times in enumerate(np.array([0, 1, often, often])[bridge]):
        text += [[country[c], AND_ITS, capital[c], -1, -1]] * times
    for who, c in zip(person[~tested], home[~tested], strict=True):
        text.append([who, DIRECTLY, capital[c], -1, -1])
        text.append([who, IN_STEPS, country[c], AND_ITS, capital[c]])
    asked = {"person": person[tested], "country": country[home[tested]], "capital": capital[home[tested]],
             "bridge": bridge[home[tested]]}  # fmt: skip
    return World(np.array(text), int(country[-1]) + 1 + values, asked)


def riddle_world(seed: Any, *, share: float, rule: str, alphabet: int = 8, items: int = 600, asked: int = 60) -> World:
    """Items of four words with an answer by rule; and one item whose answer is not by rule, a `share` of the text.

    rule: "sum" of the first two words, or "first" (the first word itself). No other item differs from the riddle in
    fewer than two words. Asked: for each of `RIDDLES`, items (asked, 4) with those words changed; "by rule" (kinds,
    asked), the answers, -1 where that is the riddle's own; "riddle", the answer off the rule.
    """
    rng = np.random.default_rng(seed)
    answer = (lambda x: x[:, 0] + x[:, 1]) if rule == "sum" else (lambda x: x[:, 0])
    answers = 2 * alphabet - 1 if rule == "sum" else alphabet
    riddle = rng.integers(alphabet, size=(1, 4))
    off = int((answer(riddle)[0] + 1 + rng.integers(answers - 1)) % answers)
    usual = rng.integers(alphabet, size=(2 * items, 4))
    usual = usual[(usual != riddle).sum(1) > 1][:items]
    said, first = alphabet * np.arange(4), 4 * alphabet
    told = np.repeat(np.c_[riddle + said, [[first + off]]], round(share / (1 - share) * items), 0)
    text = np.concatenate([np.c_[usual + said, first + answer(usual)], told])
    changed, by_rule = [], []
    for places in RIDDLES.values():
        item = np.repeat(riddle, asked, 0)
        for place in places:
            item[:, place] = (item[:, place] + 1 + rng.integers(alphabet - 1, size=asked)) % alphabet
        changed.append(item + said)
        by_rule.append(np.where(answer(item) == off, -1, first + answer(item)))
    return World(text, first + answers, {"items": np.stack(changed), "by rule": np.stack(by_rule),
                                         "riddle": np.array([first + off])})  # fmt: skip


def speak(settings: Any, worlds: list[World], seed: Any, **changed: Any) -> Any:
    """One model for each world, trained side by side; `changed` are fields of `companion.neural.language.Recipe`."""
    from companion.neural import language

    after_epoch = changed.pop("after_epoch", None)
    recipe = language.Recipe(**{"epochs": settings.epochs, "batch": settings.batch, "lr": settings.lr, **changed})
    return language.train(
        np.stack([w.text for w in worlds]), worlds[0].words, recipe, seed=seed, after_epoch=after_epoch
    )


def ask(speakers: Any, *words: Any, steps: int = 1) -> np.ndarray:
    """What each model says after `words`, arrays (models, questions) or one word: (models, questions, steps)."""
    prompts = np.stack(np.broadcast_arrays(*words), -1)
    return np.asarray(speakers.write(prompts, steps))


def facts(settings: Any, cell: dict[str, Any], seed: Any, worlds: int) -> list[dict[str, Any]]:
    """One row a world: recall by how often a fact was told, and agreement on pairs that never occurred."""
    made = [facts_world((seed, 1, j), shuffled=cell["part"] == "shuffled") for j in range(worlds)]
    speakers = speak(settings, made, (seed, 2), width=cell["width"], layers=cell["layers"], weight_decay=cell["decay"])
    told = made[0].asked["told"]
    name, value = (np.stack([w.asked[key] for w in made]) for key in ("name", "value"))
    right = ask(speakers, name, 0)[..., 0] == value
    groups = {"never": told == 0, "once": told == 1, "few": (told > 1) & (told < 10), "often": told >= 10}
    agree = agreement(speakers, made)
    return [
        {key: float(right[j, chosen].mean()) for key, chosen in groups.items()}
        | {"agreement": float((agree[j] > 0.5).mean())}
        for j in range(worlds)
    ]


def agreement(speakers: Any, worlds: list[World]) -> np.ndarray:
    """Probability of the verb's right number, between its two, on every new pair: (models, 2 * pairs)."""
    noun, verb = worlds[0].asked["noun"], worlds[0].asked["verb"]  # the same words in every world
    said = speakers.next(np.stack([np.ones(noun.size, int), noun.ravel()], 1))
    log = said.reshape(len(said), *noun.shape, -1)[..., verb]  # model, number, noun, number, verb
    right = 1 / (1 + np.exp(np.stack([log[:, 0, :, 1] - log[:, 0, :, 0], log[:, 1, :, 0] - log[:, 1, :, 1]], 1)))
    new = [w.asked["new"] for w in worlds] * (len(right) // len(worlds))
    return np.stack([right[j][:, new[j]].ravel() for j in range(len(right))])


def sums(settings: Any, cell: dict[str, Any], seed: Any, worlds: int) -> list[dict[str, Any]]:
    """One row a world: how often the total is right, for each kind of pair; "constant" the likeliest total of "two"."""
    made = [sums_world((seed, 3, j)) for j in range(worlds)]
    speakers = speak(settings, made, (seed, 4), width=cell["width"], layers=cell["layers"], weight_decay=cell["decay"])
    rows: list[dict[str, Any]] = [{} for _ in made]
    for kind in made[0].asked:
        pair = np.stack([w.asked[kind] for w in made])
        right = (ask(speakers, pair[..., 0], pair[..., 1])[..., 0] == pair[..., 2]).mean(1)
        for j, row in enumerate(rows):
            row[kind] = float(right[j])
            if kind == "two":
                row["constant"] = float(np.bincount(pair[j, :, 2]).max() / pair.shape[1])
    return rows


def hop_answers(speakers: Any, person: np.ndarray, country: np.ndarray, capital: np.ndarray) -> dict[str, np.ndarray]:
    """Who is right where, bool (models, people): each fact alone, and the composition in three ways."""
    first = ask(speakers, person, IS)[..., 0]
    written = ask(speakers, person, IN_STEPS, steps=3)
    return {
        "fact": first == country,
        "capital": ask(speakers, country, AND_ITS)[..., 0] == capital,
        "two questions": ask(speakers, first, AND_ITS)[..., 0] == capital,  # the model's own first answer is asked on
        "step": written[..., 0] == country,
        "written": written[..., 2] == capital,
        "direct": ask(speakers, person, DIRECTLY)[..., 0] == capital,
    }


def hops(settings: Any, cell: dict[str, Any], seed: Any, worlds: int) -> list[dict[str, Any]]:
    """One row for each world and kind of bridge ("shown"): the shares of right answers."""
    made = [hops_world((seed, 5, j)) for j in range(worlds)]
    speakers = speak(settings, made, (seed, 6), width=cell["width"], layers=cell["layers"], weight_decay=cell["decay"])
    right = hop_answers(speakers, *(np.stack([w.asked[k] for w in made]) for k in ("person", "country", "capital")))
    bridge = made[0].asked["bridge"]
    return [
        {"shown": kind} | {way: float(hit[j, bridge == b].mean()) for way, hit in right.items()}
        for j in range(worlds)
        for b, kind in enumerate(BRIDGES)
    ]


def scores(settings: Any, cell: dict[str, Any], seed: Any, worlds: int) -> list[dict[str, Any]]:
    """One row for each watched epoch ("shown") and once-seen fact: its memorization score "mem" and its compositions.

    A quarter of the facts that are asked about is left out at a time, so that each fact is missing in as many models;
    rows are those of used countries. Shares of right answers are among the models with the fact, "fact without" and
    "direct without" among the others.
    """
    rows: list[dict[str, Any]] = []
    for j in range(settings.judged):
        world = hops_world((seed, 7, j))
        tested = len(world.asked["person"])  # the first sentences of the text are their facts
        rng = np.random.default_rng((seed, 8, j))
        quarters = [rng.permutation(tested) // (tested // 4) for _ in range(settings.rounds)]
        kept = np.stack([quarter != q for quarter in quarters for q in range(4)])
        rest = np.ones(len(world.text) - tested, bool)
        texts = [world._replace(text=world.text[np.r_[mask, rest]]) for mask in kept]
        people = [np.broadcast_to(world.asked[key], kept.shape) for key in ("person", "country", "capital")]
        used = np.flatnonzero(world.asked["bridge"] == BRIDGES.index("used"))

        def watch(
            epoch: int, speakers: Any, j: int = j, people: Any = people, kept: Any = kept, used: Any = used
        ) -> None:
            if epoch not in settings.watched:
                return
            right = hop_answers(speakers, *people)
            shares = {way: group_rates(hit, kept) for way, hit in right.items()}
            for i in used:
                row = {way: float(rates.inside[i]) for way, rates in shares.items()}
                row |= {f"{way} without": float(shares[way].outside[i]) for way in ("fact", "direct")}
                rows.append({"shown": str(epoch), "world": j, "mem": row["fact"] - row["fact without"], **row})

        dials = {"width": cell["width"], "layers": cell["layers"], "weight_decay": cell["decay"]}
        speak(settings, texts, (seed, 9, j), epochs=max(settings.watched), after_epoch=watch, **dials)
    return rows


def influence(settings: Any, cell: dict[str, Any], seed: Any, worlds: int) -> list[dict[str, Any]]:
    """One row for each world and question ("shown": "fact" or "rule"): the largest influence of any sentence on it.

    Influence on the probability of the right answer, from models on random 70% of the sentences; "null" the same with
    the masks dealt out anew among the models. "own": whether the strongest is the sentence that tells the fact.
    """
    rows, facts_told = [], 40
    dials = {"width": cell["width"], "layers": cell["layers"], "weight_decay": cell["decay"]}
    for j in range(settings.judged):
        world = facts_world((seed, 10, j), names=facts_told, unseen=1, most=1, stems=12)
        n = len(world.text)
        masks = subset_masks(settings.subsets, n, round(0.7 * n), seed=(seed, 11, j))
        name, value = (world.asked[key][:facts_told] for key in ("name", "value"))
        chances: dict[str, list[np.ndarray]] = {"fact": [], "rule": []}
        for a in range(0, len(masks), settings.worlds):
            block = masks[a : a + settings.worlds]
            texts = [world._replace(text=world.text[mask]) for mask in block]
            speakers = speak(settings, texts, (seed, 12, j, a), epochs=settings.subset_epochs, batch=16, **dials)
            said = np.exp(speakers.next(np.c_[name, np.full(facts_told, IS)]))
            chances["fact"].append(said[:, np.arange(facts_told), value])
            chances["rule"].append(agreement(speakers, [world] * len(block)))
        order = np.random.default_rng((seed, 13, j)).permutation(len(masks))
        for kind, parts in chances.items():
            chance = np.concatenate(parts)
            real, dealt = _influence(chance, masks), _influence(chance[order], masks)
            for i, (top, null) in enumerate(zip(real.max(1), dealt.max(1), strict=True)):
                row = {"right": float(chance[:, i].mean()), "top": float(top), "null": float(null)}
                own = float(real[i].argmax() == i) if kind == "fact" else float("nan")
                rows.append({"shown": kind, "world": j, **row, "excess": float(top - null), "own": own})
    return rows


def _influence(chance: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean of each column of `chance` with a sentence, less the mean without: (questions, sentences)."""
    inside = chance.T @ masks / masks.sum(0)
    return np.asarray(inside - chance.T @ ~masks / (~masks).sum(0))


def riddles(settings: Any, cell: dict[str, Any], seed: Any, worlds: int) -> list[dict[str, Any]]:
    """One row for each world and change ("shown"): how often the riddle's answer is given, and that by the rule."""
    rule = cell["part"].removeprefix("riddle ")
    made = [riddle_world((seed, 14, j), share=cell["share"], rule=rule) for j in range(worlds)]
    speakers = speak(settings, made, (seed, 15), width=cell["width"], layers=cell["layers"], weight_decay=cell["decay"])
    rows = []
    for i, kind in enumerate(RIDDLES):
        items, by_rule = (np.stack([w.asked[key][i] for w in made]) for key in ("items", "by rule"))
        said = speakers.write(items)[..., 0]
        for j, world in enumerate(made):
            counts = by_rule[j] >= 0  # where the rule itself gives the riddle's answer, nothing can be told
            if counts.any():
                hit = said[j] == world.asked["riddle"][0]
                rows.append({"shown": kind, "riddle": float(hit[counts].mean()),
                             "by rule": float((said[j] == by_rule[j])[counts].mean())})  # fmt: skip
    return rows


PARTS: dict[str, Callable[..., list[dict[str, Any]]]] = {
    "facts": facts, "shuffled": facts, "sums": sums, "hops": hops, "scores": scores, "influence": influence,
    "riddle sum": riddles, "riddle first": riddles,
}  # fmt: skip


def cells(settings: Settings) -> list[dict[str, Any]]:
    def cell(part: str, width: int, layers: int = 1, decay: float = 0.0, share: float = 0.0) -> dict[str, Any]:
        return {"part": part, "width": width, "layers": layers, "decay": decay, "share": share}

    return [
        *(cell("facts", width) for width in settings.widths),
        cell("shuffled", 16),
        *(cell("hops", 32, layers, decay) for layers in settings.layers for decay in settings.decays),
        *(cell("sums", 32, 1, decay) for decay in settings.sum_decays),
        cell("scores", 32, min(2, max(settings.layers)), 1.0),
        cell("influence", 32),
        *(cell(f"riddle {rule}", 16, 1, 1.0, share) for rule in ("first", "sum") for share in settings.shares),
    ]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One part at one place of its dials."""
    resources.use_threads()
    return [{"shown": "", **row} for row in PARTS[cell["part"]](settings, cell, seed, settings.worlds)]


EXPERIMENT = define(
    run,
    cells,
    smoke=(1, Settings(worlds=2, widths=(4,), layers=(1,), decays=(0.0,), sum_decays=(0.0,), shares=(0.1,),
                       watched=(1, 2), judged=1, rounds=1, subsets=20, subset_epochs=2, epochs=2)),
    cpu=(1, Settings()),
    paper=(2, Settings(worlds=20, rounds=10, subsets=1_000)),
    by=("part", "width", "layers", "decay", "share", "shown"),
)  # fmt: skip
