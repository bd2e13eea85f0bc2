"""The proofs in Coq: each file compiles without axioms, and no theorem survives its variant (``make proofs``)."""

import re
import shutil
import subprocess

import pytest

from book.shared.ledger import ledger
from book.shared.proofs import FOLDER, proofs

COQC = shutil.which("coqc")
FILES = ("basics", "minimum_norm", "leave_one_out", "peeling", "composition", "credit")  # in the order of their imports
compiled_by_coq = pytest.mark.skipif(COQC is None, reason="Coq is not installed (Debian: coq, libcoq-mathcomp-algebra)")


def test_every_theorem_is_of_a_statement_and_has_a_variant():
    labels = {entry.label for entry in ledger()}
    assert {proof.label for proof in proofs()} <= labels
    assert len(proofs()) == sum(len(re.findall(r"^Theorem", file.read_text(), re.M)) for file in FOLDER.glob("*.v")) - 1
    assert {file.stem for file in FOLDER.glob("*.v")} == set(FILES)
    for proof in proofs():
        assert proof.variant != proof.statement, proof.name


def coq(folder, name, source=None):
    """Compile a file of `folder`, first writing `source` into it if given; the outcome."""
    if source is not None:
        (folder / f"{name}.v").write_text(source, encoding="utf-8")
    quiet = "-notation-overridden,-ambiguous-paths"
    command = [COQC, "-w", quiet, "-Q", ".", "companion", f"{name}.v"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("proofs")
    for name in FILES:
        outcome = coq(folder, name, (FOLDER / f"{name}.v").read_text(encoding="utf-8"))
        assert outcome.returncode == 0, outcome.stderr
    return folder


@pytest.mark.proofs
@compiled_by_coq
def test_no_axiom_is_used(compiled):
    modules = " ".join(FILES)
    asked = "\n".join(f"Print Assumptions {proof.name}." for proof in proofs())
    outcome = coq(compiled, "assumptions", f"From companion Require Import {modules}.\n{asked}\n")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.split("\n")[:-1] == ["Closed under the global context"] * len(proofs())


@pytest.mark.proofs
@compiled_by_coq
@pytest.mark.parametrize("name", FILES[1:])
def test_variants_are_statements_that_the_proofs_do_not_prove(compiled, name):
    here = [proof for proof in proofs() if proof.file == f"{name}.v"]
    source = (FOLDER / f"{name}.v").read_text(encoding="utf-8")
    for proof in here:
        stated = proof.variant.replace(f"Theorem {proof.name}", f"Theorem stated_{proof.name}")
        proved = proof.variant.replace(f"Theorem {proof.name}", f"Theorem proved_{proof.name}")
        asked = f"{stated}Admitted.\nCheck stated_{proof.name}.\n"
        asked += f"{proved}{proof.proof}\nAbort.\nCheck proved_{proof.name}.\n"
        source = source.replace(proof.statement, asked + proof.statement)
    command = [shutil.which("coqtop"), "-q", "-w", "none", "-Q", ".", "companion"]  # goes on after an error
    said = subprocess.run(command, cwd=compiled, input=source, capture_output=True, text=True, timeout=300).stdout
    for proof in here:
        assert re.search(rf"^stated_{proof.name}$", said, re.M), f"the variant of {proof.name} is no statement at all"
        assert not re.search(rf"^proved_{proof.name}$", said, re.M), f"the variant of {proof.name} is proved"
