"""Log lines on standard error, one JSON object each, set up before anything can log.

An unconfigured structlog prints to standard output, which under ExaBGP is the command pipe. And
a line that cannot be written, because the disk or the pipe is full, must not end who writes it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from typing import TextIO, cast

import structlog

from exabgp_k8s.core import printable


class _StandardError(io.TextIOBase):
    """Standard error, each line in one write, and lost where it cannot be written."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            # What strangers wrote moves no cursor; in JSON it is escaped already.
            os.write(2, printable.lines(text).encode("utf-8", "backslashreplace"))
        return len(text)


def set_up(*, is_terminal: bool | None = None) -> None:
    """Send every log line to standard error: JSON, or text for people at a terminal."""
    if is_terminal is None:
        is_terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if is_terminal:
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
