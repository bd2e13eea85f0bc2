"""What stands beside the checks, made anew and kept in book/reference: `make evidence`.

`python -m tests.evidence NAME` makes one of them.
certified: enclosures of printed numbers (seconds). nearest: the worlds closest to refuting the statements (minutes).
"""

import json
import sys
from importlib.metadata import version

from tqdm import tqdm

from book.shared.certified import certify
from book.shared.evidence import FOLDER
from book.shared.hunts import HUNTS, search
from companion._files import write_text
from tests.solver import SOLVED, covered, refuting

WORLDS, SEEDS = 1000, 2


def certified():
    values = [found._asdict() for found in certify()]
    return {**how("certified", "python-flint", "crlin"), "values": values}


def nearest():
    found = {one.label: hunted(one) for one in tqdm(HUNTS, desc="nearest worlds", unit="hunt")}
    return {**how("nearest", "z3-solver"), "worlds": WORLDS * SEEDS, "hunts": found}


def hunted(one):
    """The nearest world of a few searches; how soon the first of them refutes the changed statement."""
    world, margin, _ = min((search(one, worlds=WORLDS, seed=seed) for seed in range(SEEDS)), key=lambda found: found[1])
    refuting_world, refuting_margin, after = search(one, worlds=WORLDS, broken=True)
    if one.refuted(margin) or not one.refuted(refuting_margin):
        raise RuntimeError(f"{one.label}: margin {margin} in {world}; changed, {refuting_margin} in {refuting_world}")
    if one.label in SOLVED and (refuting(SOLVED[one.label]()) or not refuting(SOLVED[one.label](changed=True))):
        raise RuntimeError(f"{one.label}: z3 says otherwise")
    return {
        "what": one.what,
        "kind": one.kind,
        "margin": margin,
        "world": world,
        "change": one.change,
        "changed_margin": refuting_margin,
        "changed_world": refuting_world,
        "changed_after": after,
        "none_among": covered(one.label),
    }


def how(name, *libraries):
    return {"command": f"python -m tests.evidence {name}", "libraries": {each: version(each) for each in libraries}}


if __name__ == "__main__":
    kinds = {"certified": certified, "nearest": nearest}
    for name in sys.argv[1:] or kinds:
        write_text(FOLDER / f"{name}.json", json.dumps(kinds[name](), indent=1) + "\n")
