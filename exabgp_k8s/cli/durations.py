"""Durations on the command line: as in the settings, or plain seconds."""

from __future__ import annotations

import re

import click

from exabgp_k8s.core.facts import durations


class Duration(click.ParamType[float]):
    """``30s``, ``1m30s`` or ``30``; the value is seconds.

    Settings want the unit. Here 30 has always been seconds, and every tool beside us has it so.
    """

    name = "duration"

    def __init__(self, at_least: float = 0) -> None:
        self._at_least = at_least

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds, or say what to write instead."""
        text = f"{value}s" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", str(value), re.ASCII) else value
        try:
            seconds = durations.parse(text)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds < self._at_least:
            least = durations.write(self._at_least)
            self.fail(f"{value} is too short; write at least {least}", param, ctx)
        return seconds
