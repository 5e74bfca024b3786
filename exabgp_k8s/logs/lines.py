"""One log line: JSON for what collects logs, text for people at a terminal.

Three processes and a relay write the log of one container, and whoever reads it wants one form
and one form of time. The agent has a library for that; PID 1 and ExaBGP's process have this, so
that neither loads one. No I/O in here, and the time is an argument.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

VARIABLE = "EXABGP_K8S_LOG_FORMAT"
JSON, TEXT = "json", "text"
FORMATS = (JSON, TEXT)

SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
"""What JSON has two characters for, so that a traceback can be read as it is."""

Value = str | int | float | Sequence[str]


def render(form: str, event: str, level: str, now: float, **fields: Value) -> bytes:
    """Return a whole line; ``now`` is a Unix time."""
    stamp = timestamp(now)
    if form == TEXT:
        pairs = "".join(f" {name}={_shown(value)}" for name, value in fields.items())
        return f"{stamp} [{level:<8}] {event:<24}{pairs}\n".encode("utf-8", "backslashreplace")
    pairs = "".join(f'"{name}": {_json(value)}, ' for name, value in fields.items())
    text = f'{{"event": "{event}", {pairs}"level": "{level}", "timestamp": "{stamp}"}}\n'
    return text.encode("ascii")


def timestamp(now: float) -> str:
    """Return a moment as all our lines have it: ISO 8601, UTC, microseconds."""
    second, part = divmod(int(now * 1_000_000), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))}.{part:06d}Z"


def _json(value: Value) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float):
        return str(value)
    return f"[{', '.join(_quoted(each) for each in value)}]"


def _shown(value: Value) -> str:
    """Return a value for a terminal: nothing in it may move the cursor or end the line."""
    text = value if isinstance(value, str) else _json(value)
    is_plain = text.isprintable() and text and not set(text) & set(' "=')
    return text if is_plain else _quoted(text) if isinstance(value, str) else text


def _quoted(text: str) -> str:
    """Return a JSON string (RFC 8259 section 7) of ASCII only."""
    return f'"{"".join(c if _is_plain(c) else _escaped(c) for c in text)}"'


def _is_plain(character: str) -> bool:
    return " " <= character <= "~" and character not in '"\\'


def _escaped(character: str) -> str:
    if character in SHORT:
        return SHORT[character]
    code = ord(character)
    if code <= 0xFFFF:  # noqa: PLR2004 - what four digits hold
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
