"""Hypothesis profiles: `default` (a few hundred designs), `extended` (HYPOTHESIS_PROFILE=extended, thousands).

Random designs are counted, over all xdist workers; the last lines of a run say how many there were. `derandomize` makes
a run repeatable, not the next one: hypothesis takes constants from the modules that are loaded, so that its examples
change with the tests that ran before in the same process. A failure that is seen once is a failure.

`browser` is Debian's or Playwright's Chromium; what asks for it is skipped with a reason where there is none.

No test reaches a network: connections are allowed to this machine alone (pytest-socket), and no name is looked up.
"""

import os
import shutil
import socket

import pytest
from hypothesis import HealthCheck, settings

from tests.linear.designs import DRAWN

_quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
settings.register_profile(
    "default", max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=_quiet
)
settings.register_profile("extended", max_examples=300, deadline=None, database=None, suppress_health_check=_quiet)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["designs"] = [DRAWN["all"], sorted(DRAWN["distinct"])]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    count, distinct = getattr(node, "workeroutput", {}).get("designs", (0, ()))
    DRAWN["all"] += count
    DRAWN["distinct"].update(distinct)


def pytest_terminal_summary(terminalreporter):
    if DRAWN["all"]:
        terminalreporter.write_line(
            f"{DRAWN['all']:,} random designs drawn for the solvers, {len(DRAWN['distinct']):,} of them different"
        )


HERE = ["127.0.0.1", "::1", "localhost"]


def pytest_collection_modifyitems(config, items):
    if config.pluginmanager.hasplugin("socket"):  # test_offline.py fails where it is not installed
        for item in items:
            item.add_marker(pytest.mark.allow_hosts(HERE))


@pytest.fixture(autouse=True)
def _names_stay_here(monkeypatch):
    """Refuse to ask a name server: pytest-socket refuses connections, which come after that."""
    real = socket.getaddrinfo

    def guarded(host, *args, **options):
        name = host.decode() if isinstance(host, bytes) else host
        numeric = name is None or name.replace(".", "").isdigit() or ":" in name
        if not numeric and name not in ("", "localhost", socket.gethostname()):
            raise OSError(f"a test asked for the address of {name!r}; tests use no network")
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)


FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("COMPANION_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except sync.Error as error:
            pytest.skip(f"no Chromium to be had: {str(error).splitlines()[0]}")
        yield browser
        browser.close()
