"""How long a page takes and what the server holds, at 3, 50 and 2,000 nodes.

``python -m tests.looking_glass.measure`` prints the table of the decision; a quiet machine.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.looking_glass import bed, browser
from tests.support import kubeapi

SIZES = (3, 50, 2000)
PAGES = ("/", "/nodes/n2", "/routers/tor-a0", "/prefixes/10.96.0.0/16", "/cluster.json")
ROUNDS = 9
NUMBER = 1
"""Of the node that changes."""
SAMPLE = (
    "const [wanted, done] = arguments;"
    "const look = () => document.body.textContent.includes(wanted)"
    " ? done(Date.now()) : requestAnimationFrame(look); look();"
)


def main() -> None:
    """Measure and print."""
    print("| nodes | page | bytes | first byte | complete |\n|--:|---|--:|--:|--:|")
    told = []
    with browser.browser() as window:
        for size in SIZES:
            with (
                tempfile.TemporaryDirectory() as folder,
                bed.glass(Path(folder), *bed.many(size, routers=max(2, size // 10))) as shown,
            ):
                for page in PAGES:
                    print(_page(shown, size, page))
                late = _live(shown, window)
                told.append(
                    f"| {size} | {statistics.median(late):.0f} ms, at most {max(late):.0f} ms "
                    f"| {shown.memory:.0f} MiB |"
                )
    print("\n| nodes | change of the object → in the open page | memory |\n|--:|--:|--:|")
    print("\n".join(told))


def _page(shown: bed.Glass, size: int, page: str) -> str:
    firsts, wholes, length = [], [], 0
    for number in range(ROUNDS):
        # A page that nobody has asked for yet: it is not a kept one.
        began = time.monotonic()
        with urllib.request.urlopen(f"{shown.url}{page}?round={number}", timeout=60) as answer:
            body = answer.read(1)
            firsts.append(time.monotonic() - began)
            body += answer.read()
        wholes.append(time.monotonic() - began)
        length = len(body)
    first, whole = (1000 * statistics.median(each) for each in (firsts, wholes))
    return f"| {size} | `{page}` | {length:,} | {first:.0f} ms | {whole:.0f} ms |"


def _live(shown: bed.Glass, window: browser.Browser) -> list[float]:
    """Return the milliseconds from a write to the API server to its words in an open page."""
    window.open(f"{shown.url}/nodes/n{NUMBER}")
    kubeapi.until(lambda: window.text("#live") == "Live", bed.LIMIT)
    late = []
    for number in range(ROUNDS):
        time.sleep(3)
        version = f"version 0.1.{number}"
        began = time.time() * 1000
        shown.update(f"n{NUMBER}", version=version.removeprefix("version "), phase="serving")
        late.append(window.driver.execute_async_script(SAMPLE, version) - began)
    return late


if __name__ == "__main__":
    main()
