"""What ExaBGP logs, as lines like all others: one for each message, with a level.

ExaBGP writes text with the local time of day, a message of several lines as several of them, a
panic as a page. And it writes a warning for each end of each connection: a router that is away
costs thousands of lines an hour, none of which says more than ``ends`` tells the agent, which
knows the peer's name and when it has said enough. So messages of single connections and of our
own signals are left out here, and of the rest so many and no more.

Replaced in ExaBGP 5.0.15: ``logger.log.logger``, through which every message goes; the module
``logger.handler``, which would load a library for it; and the interpreter's hook for a panic, in
place of ``debug.intercept.intercept``, which prints a page.
Noticed by: ``test_a_peer_that_is_away_costs_a_few_lines_and_none_of_exabgp`` and
``test_a_panic_of_exabgp_is_one_line``.
"""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from exabgp_k8s.logs import lines, quota

CONNECTIONS = ("outgoing-", "incoming-", "peer-")
"""What the source of a message about one connection begins with."""
OWN_SIGNALS = ("SIG", "scheduling ", "signal deferred", "processing ", "ignoring - still",
               "performing shutdown")  # fmt: skip
"""What the messages begin with that only say that we told it to reload or to end."""
LEVELS = {"FATAL": "critical", "CRITICAL": "critical", "ERROR": "error", "WARNING": "warning"}
HANDLER = "exabgp.logger.handler"
BURST, REFILL = 30, 120.0
"""Lines at once, and seconds for each further one."""


class Log:
    """Where ExaBGP's messages go: standard error, as whole lines."""

    def __init__(self, form: str, is_wanted: Callable[[str, str], bool]) -> None:
        self._form, self._is_wanted = form, is_wanted
        self._quota = quota.Quota(BURST, REFILL)

    def message(self, _: object, message: Any, source: str, level: str) -> None:
        """Take a message, in place of ``exabgp.logger.log.logger``."""
        if source.startswith(CONNECTIONS) or not self._is_wanted(source, level):
            return
        text = str(message() if callable(message) else message).strip()
        if text.startswith(OWN_SIGNALS):
            return
        self._write("exabgp.said", LEVELS.get(level, "info"), source=source, text=text)

    def panic(
        self, kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
    ) -> None:
        """Take what ended ExaBGP, in place of ``exabgp.debug.intercept.intercept``."""
        import traceback  # noqa: PLC0415 - large, and needed once at most

        text = "".join(traceback.format_exception(kind, error, trace))
        self._write("exabgp.crashed", "critical", text=text)

    def _write(self, event: str, level: str, **fields: str) -> None:
        if not self._quota.take(time.monotonic()):
            self._quota.untold += 1
            return
        untold, self._quota.untold = self._quota.untold, 0
        counted = {"untold": untold} if untold else {}
        # ExaBGP's own clock only counts; what people read is the wall clock's time.
        now = time.clock_gettime(time.CLOCK_REALTIME)
        try:
            os.write(2, lines.render(self._form, event, level, now, **fields, **counted))
        except OSError:
            # A log that nobody reads costs nothing.
            return


class Unheard:
    """What ExaBGP takes for its logger, and hands to ``Log.message`` in parts."""

    debug = info = warning = error = critical = fatal = None

    def __init__(self, *_: object, **__: object) -> None:
        """Be the logger of any name and destination."""


class Handler(types.ModuleType):
    """In place of ``exabgp.logger.handler``."""

    get_logger = Unheard
    levels = (*LEVELS, "INFO", "DEBUG", "NOTSET")


def install() -> None:
    """Have this process's ExaBGP, which is not imported yet, log in our form."""
    sys.modules.setdefault(HANDLER, Handler(HANDLER))
    from exabgp import logger  # noqa: PLC0415 - a new clock comes before ExaBGP

    form = os.environ.get(lines.VARIABLE, lines.JSON)
    log = Log(form, logger.option.log_enabled)
    if not callable(logger.log.logger):
        raise TypeError("exabgp.logger.log.logger is no function")
    logger.log.logger = log.message
    sys.excepthook = log.panic
