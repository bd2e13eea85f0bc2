"""The command line: teaches, runs and stores. What it refuses: `bad_calls/test_command_line.py`."""

import pytest

from companion.experiments import names
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
    from companion.__main__ import _device

    assert _device("cuda", elsewhere=True) == "cuda"
    assert _device("auto", elsewhere=True) == "cpu"
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda; got 'tpu'"):
        _device("tpu", elsewhere=True)
