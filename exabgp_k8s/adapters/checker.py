"""The process that checks an edit of the settings, and every way in which it may not.

A refusal says something of the document. That no process could be started, that it was killed or
did not end says something of this node only: the document is as good or bad as before, and it is
asked about again.
"""

from __future__ import annotations

import json
import subprocess
import sys

import structlog

from exabgp_k8s.adapters import shortage
from exabgp_k8s.core.facts import config
from exabgp_k8s.errors import Error
from exabgp_k8s.wire import checked

COMMAND = (sys.executable, "-m", "exabgp_k8s.settings")
REFUSED = 3
"""The exit code of a document with mistakes."""
LIMIT = 30.0
"""Seconds; 0.4 are usual, and the dearest document needs 3."""
LONGEST = 300
"""Characters of what a checker that failed wrote last."""
LONGEST_TRACE = 10_000
"""Bytes of all that it wrote."""

log = structlog.get_logger()


class Refused(Error):
    """The document has mistakes; ``problems`` are all of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Unchecked(Error):
    """Nothing is known of the document."""


def check(text: str, source: str) -> config.Config:
    """Return what a document means; this takes a process, and as long as that needs.

    Raises:
        Refused: it has mistakes.
        Unchecked: it could not be checked.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            [*COMMAND, source],
            input=text.encode(),
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unchecked(f"the checker did not end within {LIMIT:g} s") from None
    except (OSError, MemoryError) as error:
        lack = shortage.of(error) or str(error)
        raise Unchecked(f"the checker could not be started: {lack}") from error
    if ended.returncode == 0:
        found = checked.load(ended.stdout.decode("utf-8", "replace"))
        if found is not None and found.digest == checked.digest(text):
            return found.config
    elif ended.returncode == REFUSED and (problems := _problems(ended.stdout)):
        if ended.stderr:
            log.error("settings.unreadable", file=source, trace=_text(ended.stderr))
        raise Refused(problems)
    raise Unchecked(f"the checker {_end_of(ended)}")


def _problems(output: bytes) -> tuple[str, ...]:
    try:
        return tuple(str(each) for each in json.loads(output))
    except (ValueError, TypeError, RecursionError):
        return ()


def _end_of(ended: subprocess.CompletedProcess[bytes]) -> str:
    if ended.returncode < 0:
        return f"was killed by signal {-ended.returncode}"
    said = _text(ended.stderr).splitlines()
    last = f": {said[-1][:LONGEST]}" if said else ""
    return f"ended with exit code {ended.returncode} and without a usable answer{last}"


def _text(output: bytes) -> str:
    return output[-LONGEST_TRACE:].decode("utf-8", "replace").strip()
