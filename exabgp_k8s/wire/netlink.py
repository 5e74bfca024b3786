"""What the kernel answers to a question for a whole table (Linux, netlink(7) and rtnetlink(7)).

An answer is a row of messages, and what a message says beside its fixed fields is a row of
attributes. Whatever a kernel answers, reading it ends and raises nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

ERROR, DONE = 2, 3
"""NLMSG_ERROR, NLMSG_DONE."""
REQUEST_DUMP = 0x301
"""NLM_F_REQUEST and NLM_F_DUMP."""
HEADER, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=HH")


def question(kind: int, body: bytes) -> bytes:
    """Return what asks for all entries of a table."""
    return HEADER.pack(HEADER.size + len(body), kind, REQUEST_DUMP, 1, 0) + body


def messages(answer: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the content of each message; nothing of one that is cut off."""
    while len(answer) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(answer)
        if not HEADER.size <= length <= len(answer):
            return
        yield kind, answer[HEADER.size : length]
        answer = answer[aligned(length) :]


def attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the content of each attribute; nothing of one that is cut off."""
    while len(content) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(content)
        if not ATTRIBUTE.size <= length <= len(content):
            return
        yield kind, content[ATTRIBUTE.size : length]
        content = content[aligned(length) :]


def aligned(length: int) -> int:
    """Return where the next one begins."""
    return (length + 3) & ~3
