"""Log lines on standard error, one JSON object each, set up before anything can log.

An unconfigured structlog prints to standard output, which under ExaBGP is the command pipe.
"""

from __future__ import annotations

import logging
import sys

import structlog


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
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
