"""What ExaBGP says to the routers when it is ended on purpose, as a file in the state directory.

ExaBGP learns of its end by a signal only, and its sessions are its own. So whoever knows why the
end comes, the agent mostly, writes it down as soon as it is known, and ``launcher.closing`` reads
it when the signal comes. No file: the end was not planned, and nothing is said.

The first line is the words; each further line is the address of a router that is told nothing,
because it shall keep the routes until the next pod is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

FILE_NAME = "parting"
LIMIT = 128
"""Bytes: routers that know no more than RFC 8203 refuse more, RFC 9003 allows 255."""


def compose(node: str, causes: Iterable[str]) -> str:
    """Return the words for a router's log: which node, and why."""
    text = f"{node[:63]}: {', '.join(causes)}"
    printable = "".join(each if " " <= each <= "~" else "?" for each in text)
    return printable if len(printable) <= LIMIT else f"{printable[: LIMIT - 3]}..."


def write(directory: str | os.PathLike[str], text: str, silent: Iterable[str] = ()) -> None:
    """Write the file, whole or not at all."""
    path = os.path.join(directory, FILE_NAME)
    with open(f"{path}.new", "w", encoding="ascii") as file:
        file.write("\n".join((text, *silent)))
    os.replace(f"{path}.new", path)


def read(directory: str | os.PathLike[str]) -> tuple[str, frozenset[str]] | None:
    """Return the words and who is not told; None: the end is not planned."""
    try:
        with open(os.path.join(directory, FILE_NAME), encoding="ascii") as file:
            text, *silent = file.read().splitlines()
    except (OSError, ValueError):
        return None
    return text[:LIMIT], frozenset(silent)


def forget(directory: str | os.PathLike[str]) -> None:
    """Remove what an earlier container left."""
    try:
        os.unlink(os.path.join(directory, FILE_NAME))
    except FileNotFoundError:
        pass
