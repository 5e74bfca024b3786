"""The two mounted things: a ConfigMap's document and a Secret's directory, read and not judged.

Whoever may write either may write anything, so what is read is limited in size. Nothing here
knows what a document means: the agent reads both, and what understands documents is too heavy
for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from exabgp_k8s import errors
from exabgp_k8s.core.facts import config, model

LARGEST = 256 * 1024
"""Bytes; thousands of peers fit."""
LONGEST_PASSWORD = 80
"""Bytes; TCP_MD5SIG_MAXKEYLEN of Linux, and ExaBGP's own limit."""
PRINTABLE = frozenset(map(chr, range(0x20, 0x7F)))
"""Of ASCII."""


def read_text(path: Path, largest: int = LARGEST) -> str:
    """Return the text of a settings file of at most so many bytes.

    Raises:
        SettingsError: where it cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            return text_of(file, str(path), largest)
    except OSError as error:
        raise _refusal(str(path), f"cannot be read: {error.strerror}") from error


def text_of(file: IO[bytes], source: str, largest: int = LARGEST) -> str:
    """Return the text in an open file, which ``source`` names.

    Raises:
        SettingsError: where it is too large or is not UTF-8.
    """
    raw = file.read(largest + 1)
    if len(raw) > largest:
        raise _refusal(source, f"is larger than {largest} bytes; is it the right file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(source, f"is not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _refusal(source: str, message: str) -> errors.SettingsError:
    return errors.SettingsError((errors.Problem("", message),), source)


def read_passwords(
    directory: Path, peers: Iterable[config.Entry]
) -> tuple[Mapping[str, model.Secret], tuple[errors.Problem, ...]]:
    """Return the passwords that the peers name, by key, and why the others have none.

    A peer whose password is not among them stays down. No message holds a password.
    """
    found: dict[str, model.Secret] = {}
    missing: list[errors.Problem] = []
    for peer in peers:
        if peer.password_from is None:
            continue
        try:
            found[peer.password_from] = _password(directory / peer.password_from)
        except ValueError as error:
            path = f"peers[{peer.entry}].passwordFrom"
            missing.append(errors.Problem(path, f"peer {peer.name} stays down: {error}"))
    return found, tuple(missing)


def _password(path: Path) -> model.Secret:
    """Read one key of the mounted Secret; one newline at its end is an editor's, and ignored."""
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_PASSWORD + 2).removesuffix(b"\n")
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); add the key {path.name} to the Secret"
        ) from None
    if not 1 <= len(raw) <= LONGEST_PASSWORD:
        raise ValueError(f"{path} is not 1 to {LONGEST_PASSWORD} bytes long, as TCP MD5 needs")
    # Not decode() first: its error would carry the password.
    text = raw.decode("ascii", "replace")
    if not set(text) <= PRINTABLE:
        raise ValueError(f"{path} holds something else than printable ASCII")
    return model.Secret(text)
