"""A configuration on its way to ExaBGP: laid beside the one in force, then taken or refused.

What ExaBGP cannot read must never take the place of what it runs: it would refuse every later one
as well, and would not start again. So the agent only lays a candidate down. ExaBGP, by its
launcher, tries it and puts it in place, or leaves it and says why (``launcher.candidates``).

Standard library only: it is loaded into ExaBGP.
"""

from __future__ import annotations

import contextlib
import os

WAITING, REFUSED, UNFINISHED = ".new", ".refused", ".part"
"""What is appended to the name of the configuration in force."""


def lay_down(path: str | os.PathLike[str], text: str) -> None:
    """Lay a candidate down, whole or not at all; what became of an earlier one is forgotten."""
    forget(path)
    # It may hold TCP MD5 passwords.
    descriptor = os.open(_name(path, UNFINISHED), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
    os.replace(_name(path, UNFINISHED), waiting(path))


def waiting(path: str | os.PathLike[str]) -> str:
    """Return where a candidate lies until it is taken or refused."""
    return _name(path, WAITING)


def is_waiting(path: str | os.PathLike[str]) -> bool:
    """Return whether a candidate was neither taken nor refused yet."""
    return os.path.exists(waiting(path))


def take(path: str | os.PathLike[str]) -> None:
    """Put the candidate in place of the configuration in force."""
    os.replace(waiting(path), path)


def refuse(path: str | os.PathLike[str], why: str) -> None:
    """Say why the candidate is not taken, and remove it."""
    descriptor = os.open(_name(path, REFUSED), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(why)
    os.unlink(waiting(path))


def refusal(path: str | os.PathLike[str]) -> str | None:
    """Return why the last candidate was not taken; None: it was, or it waits."""
    try:
        with open(_name(path, REFUSED), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def forget(path: str | os.PathLike[str]) -> None:
    """Remove a candidate, and what became of an earlier one."""
    for each in (WAITING, REFUSED):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_name(path, each))


def _name(path: str | os.PathLike[str], ending: str) -> str:
    return f"{os.fspath(path)}{ending}"
