"""Pictures of every page, wide and narrow, light and dark, to look at.

``python -m tests.looking_glass.screenshots FOLDER``; those of the documentation are made from a
real cluster, by ``python -m tests.fabric.glass``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import samples
from tests.looking_glass import bed, browser
from tests.support import kubeapi

PAGES = {
    "cluster": "/",
    "router": "/routers/tor-a",
    "node": "/nodes/n4",
    "routers": "/routers",
    "prefixes": "/prefixes",
    "prefix": "/prefixes/10.96.0.0/16",
    "changes": "/changes",
    "search": "/search?q=n",
}


def main(folder: Path) -> None:
    """Make the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as work,
        browser.browser() as window,
        bed.glass(Path(work), *bed.five()) as shown,
    ):
        # Something has happened since it began to look.
        shown.publish(bed.heard([samples.cordoned(1)])[0])
        kubeapi.until(lambda: len(shown.ask("/changes.json").rows) == 1, bed.LIMIT)
        shown.publish(bed.heard([samples.well(1)])[0])
        kubeapi.until(lambda: len(shown.ask("/changes.json").rows) > 1, bed.LIMIT)
        for name, width, is_dark in _all():
            window.size(width)
            window.prefer(dark=is_dark)
            window.open(shown.url + PAGES[name])
            kubeapi.until(lambda: window.text("#live") == "Live", bed.LIMIT)
            path = folder / f"{name}-{width}-{'dark' if is_dark else 'light'}.png"
            path.write_bytes(window.picture())
            print(path)


def _all() -> Iterator[tuple[str, int, bool]]:
    for name in PAGES:
        for width in (browser.PHONE, browser.DESK):
            for is_dark in (False, True):
                yield name, width, is_dark


if __name__ == "__main__":
    main(Path(sys.argv[1]))
