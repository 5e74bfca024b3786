"""What strangers wrote becomes one short printable line."""

from __future__ import annotations

import pytest

from exabgp_k8s.core.facts import printable


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        (" two\r\n lines\t\tand\x00more ", "two lines and more"),
        ("\x1b]0;title\x07", "]0;title"),
        ("right\u202eleft", "right left"),
        ("", ""),
        (200 * "x", 200 * "x"),
        (100_000 * "x", 199 * "x" + "…"),
    ],
)
def test_a_text_is_one_printable_line_of_200_characters(text: str, line: str) -> None:
    assert printable.one_line(text) == line


def test_a_quoted_value_is_short_and_moves_no_cursor() -> None:
    assert printable.quoted("\x1b[31mred") == "'\\x1b[31mred'"
    assert len(printable.quoted("a" * 100_000)) == 82


def test_lines_stay_lines_and_nothing_else_moves_the_cursor() -> None:
    assert printable.lines("a\x1b[2J\r\nb\tc") == "a [2J \nb c"
