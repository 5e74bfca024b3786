"""What ExaBGP logs, as lines like all others: one for each message, with a level.

ExaBGP writes text with the local time of day, a message of several lines as several of them, a
panic as a page. And it writes a warning for each end of each connection: a router that is away
costs thousands of lines an hour, none of which says more than ``ends`` tells the agent, which
knows the peer's name and when it has said enough. So messages of single connections and of our
own signals are left out here, and of the rest so many and no more.

Replaced in ExaBGP 5.0.15: ``logger.log.logger``, through which every message goes, and
``debug.intercept.intercept``, which prints a panic.
Noticed by: ``test_a_peer_that_is_away_costs_a_few_lines_and_none_of_exabgp`` and
``test_a_panic_of_exabgp_is_one_line``.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from exabgp_k8s.logs import lines, quota

CONNECTIONS = ("outgoing-", "incoming-", "peer-")
"""What the source of a message about one connection begins with."""
OWN_SIGNALS = ("SIG", "scheduling ", "signal deferred", "processing ", "ignoring - still",
               "performing shutdown")  # fmt: skip
"""What the messages begin with that only say that we told it to reload or to end."""
LEVELS = {"FATAL": "critical", "CRITICAL": "critical", "ERROR": "error", "WARNING": "warning"}
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
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Take what ended ExaBGP, in place of ``exabgp.debug.intercept.intercept``."""
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


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, log in our form."""
    from exabgp import logger  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.debug import intercept  # noqa: PLC0415

    form = os.environ.get(lines.VARIABLE, lines.JSON)
    log = Log(form, logger.option.log_enabled)
    for owner, name in ((logger.log, "logger"), (intercept, "intercept")):
        if not callable(getattr(owner, name)):
            raise TypeError(f"{owner!r} has no function {name}")
    logger.log.logger = log.message
    intercept.intercept = log.panic
