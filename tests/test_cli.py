"""The command line: teaches, runs and stores. What it refuses: `bad_calls/test_command_line.py`."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import companion
from companion import experiments
from companion.__main__ import _device
from companion.experiments import experiment, names
from tests.calling import call


def test_list_names_every_experiment(capsys):
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert all(name in out for name in names())


def test_help_teaches_presets_and_examples(capsys):
    code, out, _ = call(capsys, "run", "--help")
    assert code == 0
    assert "smoke" in out
    assert "companion run figure1 --preset paper" in out


def test_run_stores_and_says_where(capsys, tmp_path):
    code, out, _ = call(capsys, "run", "figure1", "--seeds", "2", "--out", str(tmp_path))
    assert code == 0
    assert (tmp_path / "figure1-smoke.json").is_file()
    assert "figure1-smoke.json" in out
    assert "2 seeds" in out


def test_the_device_of_a_cluster_is_taken_at_its_word():
    """The machine where the command is typed need not have the workers' GPU."""
    known = experiment("table1")
    assert _device("cuda", known, elsewhere=True) == "cuda"
    assert _device("auto", known, elsewhere=True) == "cpu"
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda; got 'tpu'"):
        _device("tpu", known, elsewhere=True)


@pytest.fixture
def gpu(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


def test_auto_is_a_gpu_for_what_trains_and_the_cpu_for_what_does_not(gpu):
    assert _device("auto", experiment("table1")) == "cuda"
    assert _device("cpu", experiment("table1")) == "cpu"
    assert _device("cuda:0", experiment("table1")) == "cuda:0"
    assert _device("auto", experiment("figure1")) == "cpu"
    with pytest.raises(
        ValueError, match="device must be auto or cpu for figure1, which trains no networks; got 'cuda'"
    ):
        _device("cuda", experiment("figure1"))


def test_the_command_asks_torch_whether_there_is_a_gpu(gpu, monkeypatch, capsys, tmp_path):
    """Nothing that runs before has loaded torch, so the command must."""
    asked = {}

    def refuse(known, preset, **options):
        asked.update(options, name=known.name)
        raise ValueError("enough")

    monkeypatch.setattr("companion.runner.run.run", refuse)
    for name, device in (("table1", "cuda"), ("figure1", "cpu")):
        assert call(capsys, "run", name, "--preset", "paper", "--out", str(tmp_path))[0] == 2
        assert (asked["name"], asked["device"]) == (name, device)


def test_an_experiment_trains_if_it_uses_the_device():
    for name in experiments.names():
        source = Path(sys.modules[experiment(name).run.__module__].__file__).read_text(encoding="utf-8")
        of_another = r"import (epochs|fullsize)|protocols\.(measured|judged|run|cells)"
        used = re.search(rf"resources\.device|train_one\(|{of_another}", source)
        assert experiment(name).trains == bool(used), name


def test_a_log_says_what_device_trains_and_holds_no_bar(capsys, tmp_path):
    code, _, err = call(capsys, "run", "planted", "--seeds", "1", "--device", "cpu", "--out", str(tmp_path))
    assert code == 0
    assert re.fullmatch(r"planted on cpu: (\d+) of \1 pieces to compute\n", err)


def program(*words, **options):
    """The program in a process of its own, by way of a shell: `words` are its line."""
    line = " ".join(words).replace("companion ", f"{shlex.quote(sys.executable)} -m companion ")
    environment = {**os.environ, "PYTHONPATH": str(Path(companion.__file__).parents[1]), **options.pop("env", {})}
    return subprocess.run(["bash", "-c", line], capture_output=True, env=environment, timeout=120, **options)


@pytest.mark.parametrize("words", ["run --help", "run figure1 --seeds 1 --out {}"])
def test_a_reader_that_goes_away_ends_the_program_without_a_word(tmp_path, words):
    done = program(f"companion {words.format(tmp_path)} | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) in ((141, b""), (0, b"")), "0 where the reader took it all"


@pytest.mark.parametrize("words", ["--version", "run figure1 --seeds 1 --out {}"])
def test_a_full_disk_behind_the_output_is_one_line(tmp_path, words):
    done = program(f"companion {words.format(tmp_path)} > /dev/full")
    assert (done.returncode, done.stderr) == (2, b"companion: [Errno 28] No space left on device\n")


@pytest.mark.parametrize(
    ("closed", "name"), [("2>&-", "forgetting"), (">&-", "forgetting"), ("<&- >&- 2>&-", "planted")]
)
def test_closed_streams_do_no_harm(tmp_path, closed, name):
    done = program(f"companion run {name} --seeds 1 --device cpu --out {tmp_path} {closed}")
    assert done.returncode == 0
    assert (f"{name}-smoke" in done.stdout.decode()) == (">&-" not in closed.replace("2>&-", ""))
    json.loads((tmp_path / f"{name}-smoke.json").read_text())
    if name == "planted":
        assert program(f"companion run nothing {closed}").returncode == 2


def test_shares_of_blocks_make_one_result(tmp_path, capsys):
    """As on two machines: each fills its share, the folders are put together, and the run only reads them."""
    pytest.importorskip("torch")
    blocks, run = tmp_path / "blocks", ("run", "real-scores", "--device", "cpu", "--out", str(tmp_path))
    for share in ("1/2", "2/2"):
        code, said, _ = call(capsys, *run, "--blocks", str(blocks), "--share", share)
        assert (code, said) == (0, f"{blocks}\nshare {share} is there; no result was stored\n")
    made = {file: file.stat().st_mtime_ns for file in blocks.iterdir()}
    assert {file.name for file in made} == {"block-0-0.npz", "block-0-20.npz"}
    assert call(capsys, *run, "--blocks", str(blocks))[0] == 0
    assert {file: file.stat().st_mtime_ns for file in blocks.iterdir()} == made
    code, _, err = call(capsys, *run, "--blocks", str(blocks), "--share", "half")
    assert (code, err) == (2, "companion: share must be K/M, such as 1/2, got 'half'\n")


@pytest.mark.parametrize("name", ["a é", "\udcff"])
def test_a_folder_of_any_name_can_be_printed(tmp_path, name):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    out = tmp_path / name
    command = [sys.executable, "-m", "companion", "run", "figure1", "--seeds", "1", "--out", os.fsencode(out)]
    environment = {**os.environ, "PYTHONPATH": str(Path(companion.__file__).parents[1]), **ascii_only}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (out / "figure1-smoke.json").is_file()


@pytest.mark.parametrize(("sent", "code", "said"), [("SIGTERM", 143, "terminated"), ("SIGINT", 130, "interrupted")])
def test_a_signal_is_answered_with_one_line(tmp_path, sent, code, said):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "companion", "run", "figure1", "--preset", "paper", "--fresh", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(Path(companion.__file__).parents[1])}
    # a shell in the background has its children ignore SIGINT, and these tests may be among them
    heed = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    started = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, preexec_fn=heed
    )
    deadline = time.monotonic() + 60
    while not list(out.glob(".partial/*/")) and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(getattr(signal, sent))
    _, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (
        code, f"companion: {said}; finished pieces are kept, the same command goes on\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [("claims", "claims are checked anew each time"), ("data verify", "whole files are kept"), ("list", "interrupted")],
)
def test_an_interrupt_promises_only_what_is_so(capsys, monkeypatch, words, said):
    def stop(*_args, **_options):
        raise KeyboardInterrupt

    for place in ("book.shared.ledger.missing", "companion.neural.images.verify", "companion.experiments.names"):
        monkeypatch.setattr(place, stop)
    code, _, err = call(capsys, *words.split())
    assert code == 130
    assert said in err
    assert "pieces" not in err


@pytest.mark.parametrize(
    "words", ["run figure1 --out", "repeat figure1 --out", "run table1 --root", "data verify --root"]
)
def test_tilde_is_a_home_wherever_a_path_enters(capsys, monkeypatch, tmp_path, words):
    for wrong in ("~nobody-of-this-name/x", ""):
        code, out, err = call(capsys, *words.split(), wrong)
        option = words.split()[-1]
        assert (code, out) == (2, "")
        assert err == f"companion: {option} must be a path, with ~ only for a user of this machine; got {wrong!r}\n"
    monkeypatch.setenv("HOME", str(tmp_path))
    if "run figure1" in words:
        code, out, _ = call(capsys, "run", "figure1", "--seeds", "1", "--out", "~/mine")
        assert out.startswith(f"{tmp_path}/mine/figure1-smoke.json\n")
    if "data" in words:
        assert f"{tmp_path}/mine/MNIST" in call(capsys, "data", "verify", "--root", "~/mine")[2]
