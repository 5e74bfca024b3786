"""Languages of blocks that Pygments does not know: shown plainly, and held to by the tests.

On a forge the word behind the fence is only a hint. For the tests it says which program has to
accept the block.
"""

from __future__ import annotations

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

PLAIN = ("mermaid", "frr", "bird", "unbound", "dnsmasq", "named", "nft")


def setup(app: Sphinx) -> dict[str, bool]:
    """Name the languages."""
    for name in PLAIN:
        app.add_lexer(name, TextLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
