"""Bad command lines: exit code 2 (1 where an experiment fails), one line, no traceback, nothing written."""

import gzip
import os
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from companion.experiments import experiment, names
from tests.calling import call

RUN = ("run", "figure1")

ARGUMENTS = [
    ((), "required: command"),
    (("fly",), "invalid choice: 'fly'"),
    (("--verbose", "list"), "unrecognized arguments: --verbose"),
    (("list", "all"), "unrecognized arguments: all"),
    (("run",), "required: EXPERIMENT"),
    (("run", ""), "experiment must be one of composed, composition-removal"),
    (("run", "figure7"), "experiment must be one of composed, composition-removal"),
    ((*RUN, "figure2"), "unrecognized arguments: figure2"),
    ((*RUN, "--preset", "huge"), "preset of figure1 must be one of smoke, paper; got 'huge'"),
    ((*RUN, "--preset"), "argument --preset: expected one argument"),
    ((*RUN, "--device", "tpu"), "device must be one of auto, cpu, cuda; got 'tpu'"),
    ((*RUN, "--device", "cuda"), "device must be auto or cpu for figure1, which trains no networks; got 'cuda'"),
    (("run", "table1", "--device", "cuda"), "device must be one that is here, got 'cuda'"),
    ((*RUN, "--seeds", "0"), "seeds must be at least 1, got 0"),
    ((*RUN, "--seeds", "-3"), "seeds must be at least 1, got -3"),
    ((*RUN, "--seeds", "1.5"), "argument --seeds: invalid int value: '1.5'"),
    ((*RUN, "--seeds", "many"), "argument --seeds: invalid int value: 'many'"),
    ((*RUN, "--jobs", "0"), "jobs must be at least 1, got 0"),
    ((*RUN, "--threads", "-1"), "threads must be at least 1, got -1"),
    ((*RUN, "--backend", "mpi"), "backend must be one of joblib, dask; got 'mpi'"),
    ((*RUN, "--backend", "dask"), "scheduler goes with backend dask, and only with it; got dask and None"),
    ((*RUN, "--scheduler", "tcp://127.0.0.1:1"), "scheduler goes with backend dask"),
    ((*RUN, "--out", "/dev/null/here"), "/dev/null/here"),
    ((*RUN, "--out", "/proc/nowhere"), "/proc/nowhere"),
    (
        ("run", "table1", "--preset", "cpu", "--seeds", "1", "--out", "{empty}", "--root", "/nowhere"),
        "MNIST is missing",
    ),
    (("data",), "required: action"),
    (("data", "burn"), "invalid choice: 'burn'"),
    (("data", "verify", "--root", "/nowhere"), "MNIST is missing: neither train-images-idx3-ubyte"),
    (("data", "verify", "--root", "/nonexistent/place"), "/nonexistent/place"),
    (("data", "verify", "--root", "/dev/null"), "/dev/null/MNIST/raw; run `companion data fetch"),
    (("claims", "--html"), "unrecognized arguments: --html"),
]


@pytest.mark.parametrize(("argv", "told"), ARGUMENTS, ids=[" ".join(a) or "nothing" for a, _ in ARGUMENTS])
def test_a_bad_command_gives_code_2_and_one_line(capsys, tmp_path, argv, told):
    if "cuda" in argv:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a CUDA device")
    code, out, err = call(capsys, *(word.replace("{empty}", str(tmp_path)) for word in argv))
    said = err[err.rindex("companion:") :]
    assert code == 2
    assert told in said
    assert said.count("\n") == 1
    assert re.sub("^table1 on cpu: .*\n", "", err) == said, "nothing before it but what device trains"
    assert "Traceback" not in err
    assert out == ""
    assert not list(tmp_path.rglob("*.json")), "no result, no piece"


@pytest.mark.parametrize("name", names())
def test_every_experiment_refuses_in_one_line(capsys, tmp_path, name):
    """The doors of the command line, and, where an experiment reads real images, a folder without any."""
    presets = experiment(name).presets
    wrong = [(f"preset of {name} must be one of", "--preset", "huge"), ("seeds must be at least 1", "--seeds", "0")]
    wrong += [("device must be", "--device", device) for device in ("tpu", "cuda:x", "cuda:99")]
    wrong += [
        ("run `companion data fetch --root", "--preset", p, "--root", str(tmp_path))
        for p, settings in presets.items()
        if getattr(settings, "source", getattr(settings, "data", "")) == "real"
        and name != "composed"  # its linear trials read no image, and come first
    ]
    for told, *words in wrong:
        code, out, err = call(capsys, "run", name, "--device", "cpu", "--out", str(tmp_path / "out"), *words)
        assert (code, out) == (2, ""), words
        assert told in err
        assert re.sub(rf"^{name} on cpu: .*\n", "", err).count("\n") == 1
    assert not list(tmp_path.rglob("*.json"))


WORDS = [
    *("--preset", "--device", "--seeds", "--jobs", "--threads", "--root", "--backend", "--scheduler", "--fresh"),
    *("--pieces", "--markdown", "--version", "-h", "--se", "--o=x", "--", "-", "=", "", " ", "0", "1", "-1", "1.5"),
    *(
        "nan",
        "1e3",
        "9" * 30,
        "٣",
        "1_000",
        "0x10",
        "~nobody-of-this-name",
        "/dev/null",
        "x" * 300,
        "x/" * 3000,
        "a\nb",
    ),
    *(
        "x" * 300,
        "smoke",
        "huge",
        "auto",
        "cuda",
        "cpu:0",
        "mps",
        "joblib",
        "tcp://",
        "\udcff",
        "é",
        "figure1",
        "verify",
    ),
]


@given(
    start=st.sampled_from([("run", "figure1"), ("repeat", "figure1"), ("data",), ("list",), ("claims", "-x"), ()]),
    words=st.lists(st.sampled_from(WORDS), max_size=5),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_typed_the_answer_is_a_code_and_at_most_one_line(capsys, tmp_path, start, words):
    out = ("--out", str(tmp_path)) if start[:1] in (("run",), ("repeat",)) else ()
    code, _, err = call(capsys, *start, *out, *words)
    assert code in (0, 2)
    assert err.count("\n") == (code == 2), "one line says what is wrong"


@pytest.fixture
def broken_data(tmp_path):
    """A data root whose first MNIST file is cut short, and whose second is a folder."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(10_000))[:20])
    return tmp_path


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f\x8b", b"not gzip at all", gzip.compress(b"other", mtime=0)],
    ids=["empty", "cut off", "no gzip", "other content"],
)
def test_wrong_data_files_are_named_with_the_fix(capsys, broken_data, content):
    (broken_data / "MNIST" / "raw" / "train-images-idx3-ubyte.gz").write_bytes(content)
    code, out, err = call(capsys, "data", "verify", "--root", str(broken_data))
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert all(words in err for words in ("train-images-idx3-ubyte", str(broken_data), "companion data fetch --root"))


def test_the_installed_program_shows_no_traceback(nothing_written):
    """The whole way, in a process of its own: code, one line on stderr, nothing on stdout."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "companion", "run", "figure1", "--seeds", "0", "--out", str(nothing_written / "x")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert done.stderr == "companion: seeds must be at least 1, got 0\n"
    assert done.stdout == ""


def test_a_scheduler_that_is_not_there_gives_code_1_and_keeps_the_folder_clean(capsys, tmp_path):
    pytest.importorskip("distributed")
    code, out, err = call(capsys, *RUN, "--backend", "dask", "--scheduler", "tcp://127.0.0.1:9", "--out", str(tmp_path))
    assert code == 1
    assert "companion: no Dask scheduler answers at 'tcp://127.0.0.1:9'" in err
    assert "Traceback" not in err
    assert out == ""
    assert not list(tmp_path.rglob("*.json"))


def test_an_interrupt_says_how_to_go_on(capsys, monkeypatch):
    def stop(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("companion.runner.run.run", stop)
    code, _, err = call(capsys, *RUN, "--out", "unused")
    assert code == 130
    assert err == "companion: interrupted; finished pieces are kept, the same command goes on\n"
