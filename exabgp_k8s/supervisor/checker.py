"""The check of the settings at the start: a process of its own, beside everything that starts.

What checks them takes as long to load as the agent and as much memory, and both would stay with
process 1. A fork of it needs no new interpreter, and takes all of that along when it ends.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

LIMIT = 60
"""Seconds; 0.3 are usual. One that hangs is ended, and with it the container."""
FAILED = 1
"""The exit code of one that came to no result."""


def begin(check: Callable[[], int], *, closed: int) -> int:
    """Run a check in a process of its own, which exits with what it returns; return its id.

    Args:
        check: what to do there.
        closed: a descriptor that only that process keeps open.
    """
    pid = os.fork()
    if pid:
        os.close(closed)
        return pid
    code = FAILED
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(LIMIT)
        code = check()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else FAILED
    except BaseException:  # noqa: BLE001 - a fork must not go on as its parent would
        import traceback  # noqa: PLC0415 - not for as long as process 1 lives

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
