"""A number with a point that knows how it was written.

To YAML 65000.1 and 65000.10 are one number. As AS numbers they are two (RFC 5396).
"""

from __future__ import annotations

from typing import Self


class Decimal(float):
    """A number, and its text."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Read a number as float() does."""
        made = super().__new__(cls, text)
        made.text = text
        return made
