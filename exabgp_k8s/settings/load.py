"""From the two mounted things, a ConfigMap's document and a Secret's directory, to core values.

Whoever may write either may write anything: what is read is limited in size, and a refusal in
the number and the length of what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

import pydantic

from exabgp_k8s import errors
from exabgp_k8s.core.facts import config, model
from exabgp_k8s.settings import contradictions, convert, places, problems, reading, schema, values

LARGEST = 256 * 1024
"""Bytes; thousands of peers fit."""
LONGEST_PASSWORD = 80
"""Bytes; TCP_MD5SIG_MAXKEYLEN of Linux, and ExaBGP's own limit."""


def parse(text: str, source: str) -> config.Config:
    """Return the configuration that a settings document means.

    Raises:
        SettingsError: with every mistake found; ``source`` names the document in its text.
    """
    return convert.to_core(document(text, source))


def load(path: Path) -> config.Config:
    """Return the configuration in a file.

    Raises:
        SettingsError: where the file cannot be read, and as with ``parse``.
    """
    return parse(read_text(path), str(path))


def document(text: str, source: str) -> schema.Settings:
    """Return the checked document itself: what ``config show`` shows.

    Raises:
        SettingsError: with every mistake found.
    """
    found = problems.Found()
    written = reading.read(text, source, found)
    settings: schema.Settings | None = None
    try:
        settings = schema.Settings.model_validate(written)
    except pydantic.ValidationError as error:
        problems.explain(error, schema.Settings, found)
    for problem in contradictions.find(written):
        found.add(problem)
    if settings is None or found.count:
        raise errors.SettingsError(places.located(text, found.told()), source)
    return settings


def read_text(path: Path) -> str:
    """Return the text of a settings file.

    Raises:
        SettingsError: where it cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            return text_of(file, str(path))
    except OSError as error:
        raise _refusal(str(path), f"cannot be read: {error.strerror}") from error


def text_of(file: IO[bytes], source: str) -> str:
    """Return the text in an open file, which ``source`` names.

    Raises:
        SettingsError: where it is too large or is not UTF-8.
    """
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise _refusal(source, f"is larger than {LARGEST} bytes; is it the right file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(source, f"is not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _refusal(source: str, message: str) -> errors.SettingsError:
    return errors.SettingsError((errors.Problem("", message),), source)


def read_passwords(
    directory: Path, peers: Iterable[config.Peer]
) -> tuple[Mapping[str, model.Secret], tuple[errors.Problem, ...]]:
    """Return the passwords that the peers name, by key, and why the others have none.

    A peer whose password is not among them stays down. No message holds a password.
    """
    found: dict[str, model.Secret] = {}
    missing: list[errors.Problem] = []
    for index, peer in enumerate(peers):
        if peer.password_from is None:
            continue
        try:
            found[peer.password_from] = _password(directory / peer.password_from)
        except ValueError as error:
            path = problems.path_of(("peers", index, "passwordFrom"))
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
    if not set(text) <= values.PRINTABLE:
        raise ValueError(f"{path} holds something else than printable ASCII")
    return model.Secret(text)
