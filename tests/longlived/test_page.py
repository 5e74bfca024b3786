"""The figures on their way to the page."""

from __future__ import annotations

import collections

import pytest

from tests.architecture import repository
from tests.longlived import changes, held, page

PAGE = "docs/explanation/long-lived-connections.md"


def test_the_figures_replace_the_old_ones_and_nothing_else() -> None:
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"

    assert page.filled(text, "new\n") == f"before\n{page.BEGIN}\nnew\n{page.END}\nafter\n"


def test_a_page_without_a_place_for_the_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="write the lines"):
        page.filled("text\n", "new\n")


def test_the_page_has_a_place_for_both_tables() -> None:
    text = repository.read(PAGE)

    assert page.filled(text, "new\n") != text
    for head in (page.LEAVING, page.FLAPPING):
        assert page.table(head, []) in text


def test_a_row_tells_resets_from_silence_and_a_nodes_own_connections_from_the_others() -> None:
    change = changes.Change(
        node="n1",
        before=collections.Counter(n1=4, n2=5),
        left=held.Verdict(alive={}, reset={"n1": 4, "n2": 2}, silent={"n2": 1}),
        joined=held.Verdict(alive={"n2": 9}, reset={}, silent={}),
        afterwards={"n1": 3, "n2": 7},
    )

    row = page.leaving("BIRD", "default", change)

    assert row == ("BIRD", "default", "n1", "4", "4", "2, 1 silent", "0", "3 of 10")
