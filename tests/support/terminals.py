"""The terminals of router daemons, without the programs that people type into.

``birdc`` and ``vtysh`` carry lines to a socket of the daemon and back. A test that waits asks many
times a second, and a process for each question costs more than all that is being waited for.
"""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path

LIMIT = 60.0
"""Seconds until a daemon that does not answer is an error; for a machine that is busy."""

_CODE = re.compile(r"(\d{4})([ -])(.*)")
_READY, _DONE = "0001", "0000"
_END = b"\0\0\0"
_NOBODY = contextlib.suppress(FileNotFoundError, ConnectionError)
"""A daemon that is not there, or leaves meanwhile, is no error."""


def ask_bird(path: Path, command: str) -> str:
    """Return what ``birdc`` prints below its greeting; nothing where no BIRD listens.

    Each line has a code; a space after it ends the answer, a dash or no code does not.
    """
    printed = list[str]()
    with _NOBODY, _connect(path) as link, link.makefile("r", errors="replace") as lines:
        link.sendall(f"{command}\n".encode())
        for line in lines:
            found = _CODE.match(line)
            code, more, text = found.groups() if found else ("", "", line.removeprefix(" "))
            if code == _READY:
                continue
            if code != _DONE:
                printed.append(text.rstrip("\n"))
            if more == " ":
                return "\n".join(printed)
    return ""


def ask_frr(path: Path, command: str) -> str:
    """Return what a daemon of FRR answers to ``show ...``; nothing where none listens.

    An answer ends with three zeros and the command's result.
    """
    with _NOBODY, _connect(path) as link:
        link.sendall(b"enable\0")
        _answer(link)
        link.sendall(command.encode() + b"\0")
        return _answer(link)
    return ""


def _answer(link: socket.socket) -> str:
    answer = b""
    while answer[-4:-1] != _END:
        part = link.recv(1 << 16)
        if not part:
            raise ConnectionAbortedError
        answer += part
    return answer[:-4].decode(errors="replace")


def _connect(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(LIMIT)
    try:
        link.connect(str(path))
    except BaseException:
        link.close()
        raise
    return link
