"""Log lines on standard error, one JSON object each, set up before anything can log.

An unconfigured structlog prints to standard output, which under ExaBGP is the command pipe. And
a line that cannot be written, because the disk or the pipe is full, must not end who writes it.

What others write is a line of the same form: the warnings of libraries, and what ends a thread or
the process, as one line with its traceback. And nothing may fill a disk: of each event, for each
peer or check that it names, so many lines pass at once and then one now and then. What has a last
state to be told bounds itself, and more tightly: the journal.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import threading
import time
from types import TracebackType
from typing import TextIO, cast

import structlog

from exabgp_k8s.core.facts import printable
from exabgp_k8s.logs import lines, quota

BURST, REFILL = 30, 120.0
"""Lines of one event at once, and seconds for each further one."""
KINDS = 1000
"""Of so many events with what they name the number of lines is remembered at most."""
NAMED = "peer", "check"
"""What a line may name; each one is counted for itself."""

Kind = tuple[str, ...]
"""An event with what it names."""


class _StandardError(io.TextIOBase):
    """Standard error, each line in one write, and lost where it cannot be written."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            # What strangers wrote moves no cursor; in JSON it is escaped already.
            os.write(2, printable.lines(text).encode("utf-8", "backslashreplace"))
        return len(text)


class Bounded:
    """A processor that drops what is told too often, and says later how much that was."""

    def __init__(self) -> None:
        self._quotas: dict[Kind, quota.Quota] = {}

    def __call__(
        self, _: object, __: str, line: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """Pass a line on, or raise structlog's word for dropping it."""
        now = time.monotonic()
        mine = self._quota((str(line["event"]), *(str(line.get(each, "")) for each in NAMED)), now)
        if not mine.take(now):
            mine.untold += 1
            raise structlog.DropEvent
        if mine.untold:
            line["untold"], mine.untold = mine.untold, 0
        return line

    def _quota(self, kind: Kind, now: float) -> quota.Quota:
        if kind not in self._quotas and len(self._quotas) >= KINDS:
            self._quotas = {
                each: found for each, found in self._quotas.items() if not found.is_full(now)
            }
            while len(self._quotas) >= KINDS:
                del self._quotas[next(iter(self._quotas))]
        return self._quotas.setdefault(kind, quota.Quota(BURST, REFILL))


class _Library(logging.Handler):
    """What libraries log and warn of, as our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info if record.exc_info and record.exc_info[0] else None
        level = "error" if record.levelno >= logging.ERROR else "warning"
        fields = {"library": record.name, "text": record.getMessage(), "exc_info": error}
        getattr(structlog.get_logger(), level)("library.said", **fields)


def set_up(form: str = lines.JSON) -> None:
    """Send every log line to standard error: JSON, or text for people at a terminal."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if form == lines.TEXT:
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            Bounded(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Library()], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log = structlog.get_logger()
    log.critical("agent.crashed", exc_info=(kind, error, trace), effect="the agent starts anew")


def _thread_crashed(found: threading.ExceptHookArgs) -> None:
    error = found.exc_value or found.exc_type()
    name = found.thread.name if found.thread else "?"
    log = structlog.get_logger()
    log.critical(
        "thread.crashed", thread=name, exc_info=(found.exc_type, error, found.exc_traceback)
    )
