"""From the text of the settings document to core values, or to every mistake in it.

Whoever may write it may write anything: a refusal is limited in the number and the length of what
it says.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pydantic

from exabgp_k8s import errors
from exabgp_k8s.core.facts import config
from exabgp_k8s.settings import (
    contradictions,
    convert,
    mounted,
    places,
    portions,
    problems,
    reading,
    schema,
)

LARGEST = mounted.LARGEST
"""Bytes of a document."""


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
    return parse(mounted.read_text(path), str(path))


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
    for problem in itertools.chain(contradictions.find(written), portions.find(written)):
        found.add(problem)
    if settings is None or found.count:
        raise errors.SettingsError(places.located(text, found.told()), source)
    return settings
