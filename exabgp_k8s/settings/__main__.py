"""``python -m exabgp_k8s.settings SOURCE``: check the document on standard input, and end.

What checks a document is heavier than everything else that the agent imports, and is needed for a
tenth of a second after an edit. Here it takes its memory along when it ends, and whatever a
document makes of it (memory without end, a loop without one) ends with it and not the agent.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import traceback
from typing import NoReturn

from exabgp_k8s.errors import SettingsError

REFUSED = 3
"""The exit code for a document with mistakes; one, two and above 128 are Python's and signals'."""
MEMORY = 96 * 2**20
"""Bytes of data; the dearest document needs half as much."""
SECONDS = 60
"""Whoever asked has given up long before; nobody else would end us."""


def main() -> NoReturn:
    """Print the checked settings, or a list of what is wrong with them."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    signal.alarm(SECONDS)
    (source,) = sys.argv[1:]
    # After the limits, which are for these.
    from exabgp_k8s.settings import load, mounted  # noqa: PLC0415
    from exabgp_k8s.wire import checked  # noqa: PLC0415

    try:
        text = mounted.text_of(sys.stdin.buffer, source)
        sys.stdout.write(checked.dump(load.parse(text, source), text))
    except SettingsError as error:
        _refuse([each.in_line for each in error.problems])
    except MemoryError:
        # Another time there may be enough: nothing was found out about the document.
        raise
    except Exception as error:  # noqa: BLE001 - a bug of ours, and the same the next time
        traceback.print_exc()
        _refuse([f"the settings could not be read: {error!r}"])
    sys.exit(0)


def _refuse(problems: list[str]) -> NoReturn:
    json.dump(problems, sys.stdout)
    sys.exit(REFUSED)


if __name__ == "__main__":
    main()
