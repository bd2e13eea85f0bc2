"""One Node for all questions of a test run: to start it takes longer than most answers."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import companion_scripts  # noqa: E402


@cache
def _started():
    driver = [companion_scripts.NODE, Path(__file__).with_name("driver.mjs")]
    return subprocess.Popen(driver, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


def ask(question):
    """The answer to a question, see driver.mjs; what Node has to complain of stands on stderr."""
    node = _started()
    node.stdin.write(json.dumps(question) + "\n")
    node.stdin.flush()
    line = node.stdout.readline()
    if not line:
        _started.cache_clear()
    assert line, f"Node ended at {json.dumps(question)[:200]}"
    return json.loads(line)


@cache
def first(name, state="{}"):
    """What `companion_scripts.first` gives, which starts a Node for it: the first picture and the phrases."""
    return ask([name, json.loads(state)])
