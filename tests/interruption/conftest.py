"""A server that starts runs which the tests may kill, and how many moments they are killed at."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTENDED = os.environ.get("HYPOTHESIS_PROFILE") == "extended"
PATIENCE = 300.0  # seconds; a machine under load is slow


class Run:
    """A run of the command line in a process group of its own."""

    def __init__(self, ask, argv, folder, limit):
        self.ask, self.output, self.log = ask, folder / "output.txt", folder / "steps.log"
        self.pid = ask("start", [str(word) for word in argv], str(self.output), str(self.log), limit)
        self.code = None

    def poll(self, wait=False):
        """The exit code, None while it runs; the system tells it once only, so it is kept."""
        if self.code is None:
            self.code = self.ask("status", self.pid, wait)
        return self.code

    def wait(self):
        """The exit code, once it is over."""
        return self.poll(wait=True)

    def kill(self):
        """What a power cut does: the whole group at once, with no chance to tidy up."""
        os.killpg(self.pid, signal.SIGKILL)
        return self.wait()

    def until(self, happened):
        """Wait until `happened()` is true or the run is over; returns its exit code, None if it still runs."""
        end = time.monotonic() + PATIENCE
        while (code := self.poll()) is None and not happened():
            assert time.monotonic() < end, f"nothing happened for {PATIENCE:.0f} s: {self.output.read_text()}"
            time.sleep(0.005)
        return code

    def killed(self, happened, pause):
        """Kill it `pause` seconds after `happened()`: true, or false if it was over before that."""
        self.until(happened)
        time.sleep(pause)
        if self.poll() is not None:
            return False
        code = self.kill()
        assert code in (-9, 0), "it ended with an error before the signal came"  # 0: it came to its end by itself
        return code == -9


@pytest.fixture(scope="session")
def ask():
    """Ask the server: ask("start", ...) or ask("status", ...)."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    # what counts covered lines would meet a limit before our own files do
    environment = {key: value for key, value in environment.items() if not key.startswith("COVERAGE_")}
    command = [sys.executable, str(Path(__file__).with_name("server.py"))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as server:
        assert server.stdout.readline() == "ready\n"

        def ask(*words):
            server.stdin.write(json.dumps(words) + "\n")
            server.stdin.flush()
            return json.loads(server.stdout.readline())

        yield ask
        server.stdin.close()


@pytest.fixture
def start(ask, tmp_path):
    return lambda *argv, limit=None: Run(ask, argv, tmp_path, limit)
