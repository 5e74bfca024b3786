"""What was answered, however it was asked."""

from __future__ import annotations

import email.message
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server answered."""

    status: int
    headers: email.message.Message
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def rows(self) -> Any:
        """The rows of a page that was asked for as JSON."""
        return json.loads(self.body)["rows"]
