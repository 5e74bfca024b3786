"""``python -m tests.architecture``: bring every generated file up to date, in the order they need.

What needs a bed, a browser or another language's tools is not among them: CONTRIBUTING names it.
"""

from __future__ import annotations

import runpy

GENERATORS = (
    "tests.architecture.settings_page",
    "tests.architecture.bgpspeaker_page",
    "tests.architecture.alert_rules",
    "tests.dashboard.document",
    # It has the settings, the definition, the rules and the dashboard in it.
    "tests.architecture.chart",
    "tests.architecture.drawing",
    "tests.architecture.fault_matrix",
    "tests.architecture.outputs_page",
    "tests.configurations",
)


def main() -> None:
    """Run each of them."""
    for name in GENERATORS:
        runpy.run_module(name, run_name="__main__")


if __name__ == "__main__":
    main()
