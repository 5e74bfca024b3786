"""``docs/reference/outputs.md``: what the commands of inspection print, by these commands.

A sample that somebody typed is wrong after the next change of a word. So the commands are run and
asked, and the page is what they said. ``python -m tests.architecture.outputs_page`` writes it.
"""

from __future__ import annotations

from tests.architecture import outputs_cluster, outputs_node, outputs_settings, repository

NAME = "docs/reference/outputs.md"
INTRODUCTION = (
    "What the commands of inspection print: of one node in four situations, of the whole cluster, "
    "and of the settings. "
    "This page is made by the commands themselves (`python -m tests.architecture.outputs_page`), "
    "so it is what this version says. Long outputs are cut, and end in `...`. "
    "The words are explained in [Inspect the sessions](../how-to/inspect.md)."
)


def render() -> str:
    """Return the whole page."""
    parts = ["# Sample outputs", "", INTRODUCTION]
    for each in (outputs_node, outputs_cluster, outputs_settings):
        for section in each.sections():
            parts += ["", *section.lines()]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    (repository.ROOT / NAME).write_text(render(), encoding="utf-8")
