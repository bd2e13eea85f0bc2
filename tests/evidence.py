"""Certify the printed numbers anew and keep them: book/reference/certified.json. `make evidence`."""

import json
import sys
from importlib.metadata import version

from book.shared.certified import certify
from book.shared.evidence import FOLDER
from companion._files import write_text


def certified():
    values = [found._asdict() for found in certify()]
    libraries = {name: version(name) for name in ("python-flint", "crlin")}
    return {"command": "python -m tests.evidence certified", "libraries": libraries, "values": values}


if __name__ == "__main__":
    for name in sys.argv[1:] or ["certified"]:
        text = json.dumps({"certified": certified}[name](), indent=1) + "\n"
        write_text(FOLDER / f"{name}.json", text)
