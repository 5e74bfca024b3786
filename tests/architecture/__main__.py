"""``python -m tests.architecture``: bring every generated file up to date, in the order they need.

What needs a bed, a browser or another language's tools is not among them: CONTRIBUTING names it.
"""

from __future__ import annotations

import runpy

GENERATORS = (
    "settings_page",
    "bgpspeaker_page",
    "alert_rules",
    # It has the settings, the definition and the rules in it.
    "chart",
    "drawing",
    "fault_matrix",
    "outputs_page",
)


def main() -> None:
    """Run each of them."""
    for name in GENERATORS:
        runpy.run_module(f"tests.architecture.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
