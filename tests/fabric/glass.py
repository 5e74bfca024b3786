"""A looking glass beside the API server of five nodes, and pictures of its pages.

``python -m tests.fabric.glass`` makes the pictures of the documentation anew. Needs root, as all
beds do, a chromium, and a real API server (``KUBEBUILDER_ASSETS``).
"""

from __future__ import annotations

import sys

from tests.architecture import repository
from tests.fabric import five, waiting

PORT = 9180
FOLDER = repository.ROOT / "docs" / "how-to" / "looking-glass"
PICTURES = (
    ("cluster", "/", (1000, 860), False),
    ("router", "/routers/tor-a1", (1000, 860), False),
    ("node", f"/nodes/{five.REFUSED}", (390, 844), True),
)
"""Name, path, size of the screen, and whether it is dark."""


class Glass:
    """The process; it ends with the bed.

    Args:
        bed: the five nodes.
    """

    def __init__(self, bed: five.Five, address: str = "127.0.0.1") -> None:
        self._bed, self.url = bed, f"http://{address}:{PORT}"
        command = [sys.executable, "-m", "exabgp_k8s", "looking-glass"]
        command += ["--listen", f"{address}:{PORT}", "--kubeconfig", str(bed.kubeconfig)]
        bed.fabric.control.start(command, log=bed.fabric.directory / "looking-glass.log")
        waiting.until(lambda: "ok" in self.page("/readyz"), "the looking glass has read all")

    def page(self, path: str) -> str:
        """Return a page."""
        return self._bed.run("curl", "--silent", "--max-time", "30", self.url + path).stdout


def main() -> int:
    """Build the cluster and make the pictures."""
    bed = five.Five("real")
    try:
        shown = Glass(bed)
        FOLDER.mkdir(exist_ok=True)
        # What a thread in there starts is in there, too.
        bed.fabric.control.inside(lambda: _take(shown))
    finally:
        bed.close()
    return 0


def _take(shown: Glass) -> None:
    from tests.looking_glass import browser  # noqa: PLC0415 - a test needs no browser

    with browser.browser() as window:
        for name, path, size, is_dark in PICTURES:
            window.size(*size)
            window.prefer(dark=is_dark)
            window.open(shown.url + path)
            waiting.until(lambda: window.text("#live") == "Live", "the page is told of changes")
            (FOLDER / f"{name}.png").write_bytes(window.picture(*size))


if __name__ == "__main__":
    sys.exit(main())
