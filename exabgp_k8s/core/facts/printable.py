"""What strangers wrote, as one short printable line.

A router's NOTIFICATION, an HTTP client's path, a value of the settings and a command's stderr all
end in log lines, tables and Events. A control character would reach somebody's terminal, and four
kilobytes would stand in each of a thousand lines; so they are cut and cleaned here, where they
come in.
"""

from __future__ import annotations

LIMIT = 200
"""Characters of a message; a status table has one row for each."""


def one_line(text: str, limit: int = LIMIT) -> str:
    """Return the text as one printable line of at most ``limit`` characters."""
    # Cut first: the text may be a body of 64 KiB, and this runs every second.
    head = text[: 4 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    is_whole = len(line) <= limit and len(head) == len(text)
    return line if is_whole else line[: limit - 1] + "…"


def quoted(text: str, limit: int = 80) -> str:
    """Return the beginning of a text in quotes, with escapes for what does not print."""
    # ``repr`` keeps letters of every script and escapes whatever moves a cursor.
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def lines(text: str) -> str:
    """Return a text of several lines without anything that moves a cursor within them."""
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
