"""For every test: what hypothesis judges, what Ctrl-C does, and in which order the tests begin."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest

from tests.support import chromium, controlplane

# What is true counts, never how fast the machine is.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))

# A shell has what it starts in the background ignore Ctrl-C, and that is inherited: what tests
# start and interrupt would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the long tests, in whatever order: one that begins last runs alone."""
    if not chromium.IS_THERE:
        left_out = [item for item in items if item.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out for want of a program, where it would have run."""
    wanted = terminalreporter.config.getoption("-m")
    if wanted not in {"functional", "fabric"}:
        return
    if not chromium.IS_THERE and wanted == "functional":
        terminalreporter.write_line(chromium.MISSING)
    if not controlplane.is_available():
        terminalreporter.write_line(controlplane.MISSING)
