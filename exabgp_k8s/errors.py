"""Every error this package raises on purpose, as a tree.

::

    errors.Error
    ├── SettingsError        the settings file is not usable; carries every problem found
    ├── DialogueError        ExaBGP's side of the pipe broke its own rules: exit and be respawned
    │   └── Unanswered       it answers too late or not at all
    ├── KubeError            the API server could not be asked, or answered with an error
    │   ├── Unreachable      no answer came, or not the whole of it
    │   ├── TooLarge         an answer is larger than we read into memory: ask for less
    │   └── Expired          410: the resource version is too old, list again
    └── AgentUnreachable     nothing answers on the agent's unix socket

``tryout`` adds its own two below ``Error``. Only ``cli`` turns one of them into an exit code.
"""

from __future__ import annotations

from dataclasses import dataclass


class Error(Exception):
    """Base of all errors of this package."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the settings: where it is, and what to write instead."""

    path: str
    message: str
    line: int = 0
    """Where it stands in the text, from 1; 0: not known."""
    column: int = 0

    @property
    def in_line(self) -> str:
        """The problem with its line and column, where they are known."""
        return f"line {self.line}, column {self.column}: {self}" if self.line else str(self)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class SettingsError(Error):
    """The settings cannot be used; ``problems`` names every mistake, not only the first.

    ``source`` is the name of the file; it stands in the text of the error only.
    """

    def __init__(self, problems: tuple[Problem, ...], source: str = "settings") -> None:
        super().__init__(f"{source}: " + "; ".join(problem.in_line for problem in problems))
        self.problems = problems


class DialogueError(Error):
    """ExaBGP answered out of turn, too late, or with something that cannot be read."""


class Unanswered(DialogueError):
    """ExaBGP's answer did not come: it may hang, and then nobody starts another agent."""


class KubeError(Error):
    """A request to the API server failed; ``status`` is the HTTP status, 0 when none came.

    ``retry_after`` is what the server asked for, in seconds, 0 when it did not ask.
    ``lack`` is what we had too little of to ask at all: that says nothing of the API server.
    """

    def __init__(
        self, message: str, *, status: int = 0, retry_after: float = 0, lack: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.lack = lack


class Unreachable(KubeError):
    """No answer came: refused, reset, cut off, not trusted, or not there in time."""


class TooLarge(KubeError):
    """The answer is larger than any is read: less of it has to be asked for."""


class Expired(KubeError):
    """410 Gone, as a status or inside the stream: the resource version has been compacted."""


class AgentUnreachable(Error):
    """The agent's unix socket is absent or nobody answers on it."""
