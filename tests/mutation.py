"""Mutation testing: does a test fail when a line of the solvers, the scores or the result store is made wrong?

`make mutation` breaks a random share of all places, the same places each time, one by one, runs the tests that reach
the broken function (mutmut), and writes how many were noticed to tests/mutation.json. `make mutation SHARE=1` breaks
every place. A run that was stopped goes on; `rm -r mutants` starts anew.
"""

import argparse
import json
import math
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULT = Path("tests/mutation.json")
SKIPPED = 34
# Noticed: a test failed, never came back, or brought Python down. Missed: all passed, or no test reaches the place.
NOTICED = {"killed", "timeout", "segfault"}
MISSED = {"survived", "no tests", "suspicious"}


def mutmut(*arguments):
    subprocess.run([sys.executable, "-c", "from mutmut.__main__ import cli; cli()", *arguments], check=True)


def metas():
    """Files in which mutmut keeps the outcome of each mutant of a module."""
    return sorted(Path("mutants/companion").rglob("*.meta"))


def choose(share, seed):
    """Mark all but a random share of each module's mutants as skipped; a larger share holds the smaller one's."""
    for meta in metas():
        data = json.loads(meta.read_text())
        outcomes = data["exit_code_by_key"]
        names = sorted(outcomes)
        random.Random(f"{seed} {meta}").shuffle(names)
        chosen = set(names[: math.ceil(share * len(names))])
        for name, outcome in outcomes.items():
            if name not in chosen:
                outcomes[name] = SKIPPED
            elif outcome == SKIPPED:
                outcomes[name] = None
        meta.write_text(json.dumps(data))


def wilson(hits, n, z=1.96):
    """95% interval of a proportion (Wilson 1927)."""
    middle = (hits + z * z / 2) / (n + z * z)
    half = z * math.sqrt(hits * (n - hits) / n + z * z / 4) / (n + z * z)
    return [round(middle - half, 4), round(middle + half, 4)]


def summary(share, seed):
    from mutmut.stats import status_by_exit_code

    modules, missed, total = {}, [], Counter()
    for meta in metas():
        outcomes = json.loads(meta.read_text())["exit_code_by_key"]
        words = {name: status_by_exit_code[code] for name, code in outcomes.items()}
        counts = Counter(words.values())
        noticed, silent = (sum(counts[w] for w in group) for group in (NOTICED, MISSED))
        if outcomes:
            module = meta.relative_to("mutants").with_suffix("").with_suffix("").as_posix().replace("/", ".")
            modules[module] = {"mutants": len(outcomes), "tried": noticed + silent, "noticed": noticed}
        missed += [name for name, word in words.items() if word in MISSED]
        total += Counter(mutants=len(outcomes), tried=noticed + silent, noticed=noticed, open=counts["not checked"])
    return {
        "tool": f"mutmut {version('mutmut')}",
        "python": sys.version.split()[0],
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "code": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
        "share": share,
        "seed": seed,
        **{k: total[k] for k in ("mutants", "tried", "noticed", "open")},
        "rate": round(total["noticed"] / total["tried"], 4),
        "interval": wilson(total["noticed"], total["tried"]) if share < 1 else None,
        "modules": modules,
        "missed": sorted(missed),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.1, help="of the mutants of each module (default 0.1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    # One small function first: this makes all mutants and learns which test reaches which function.
    mutmut("run", "--max-children", "1", "companion.runner.results.x__duration__mutmut_1")
    choose(given.share, given.seed)
    mutmut("run", "--max-children", str(given.jobs))
    found = summary(given.share, given.seed)
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    low, high = found["interval"] or (found["rate"], found["rate"])
    print(f"{found['noticed']} of {found['tried']} noticed: {found['rate']:.1%} (95% interval {low:.1%} to {high:.1%})")
    print(f"missed ones: {RESULT}; look at one with: mutmut show NAME")


if __name__ == "__main__":
    main()
