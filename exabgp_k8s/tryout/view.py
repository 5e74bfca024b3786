"""What ``try`` prints, as it happens, for somebody who has never seen this project."""

from __future__ import annotations

import contextlib
import os
import shutil
import textwrap
import threading
import time
from dataclasses import dataclass

import click

from exabgp_k8s.tryout import router
from exabgp_k8s.tryout.stage import NODE, NODE_ASN, PODS, ROUTER_ASN, SERVICES, Stage

WIDTH, NARROWEST = 79, 40
INDENT = "   "
NAMES = {SERVICES: "services", PODS: "pods"}
COLOURS = {"+": "green", "-": "red"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two tables of the router."""

    sign: str
    """+ or - for a prefix, * for the session."""
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step went; moments are seconds on the monotonic clock."""

    cause: str
    changes: tuple[Change, ...]
    """The difference that it made to the router's table."""
    begun_at: float
    changed_at: float
    """When the router's routes became what they had to be."""
    ended_at: float

    @property
    def seconds(self) -> float:
        """From the cause to its effect at the router."""
        return self.changed_at - self.begun_at

    @property
    def effect(self) -> str:
        """The changed routes in a few words; the session where it is all that changed."""
        routes = [each for each in self.changes if each.what in NAMES]
        return " ".join(
            f"{each.sign} {NAMES.get(each.what, each.what)}" for each in routes or self.changes
        )


class View:
    """Prints; lines of the parts' logs too where they are asked for.

    Args:
        program: how the reader calls us, for commands to be typed.
        is_verbose: whether the logs are asked for.
    """

    def __init__(self, program: str, *, is_verbose: bool) -> None:
        self._program, self._is_verbose = program, is_verbose
        self._lock = threading.Lock()

    def hear(self, name: str, line: str) -> None:
        """Show a line of a part's log; called from any thread."""
        if self._is_verbose:
            # Nobody reads any more: that is for the main thread to act upon.
            with contextlib.suppress(OSError):
                self._say(click.style(f"{INDENT}{name} | {line}", dim=True), is_log=True)

    def scene(self, stage: Stage) -> None:
        """Say who takes part, and show the settings."""
        self._say("A Kubernetes node and its router, on this machine's loopback.\n")
        for name, address, text in (
            (NODE, stage.address, f"AS {NODE_ASN}: the real `exabgp-k8s run` with its ExaBGP"),
            ("router", stage.router_address, f"AS {ROUTER_ASN}: a second ExaBGP"),
            (
                "API server",
                stage.api_address,
                "a small one with one Node, changed as by kubectl",
            ),
        ):
            self._say(f"{INDENT}{name:<10}  {address:<14} {text}")
        self._say(f"\nIts files are in {stage.directory}, and removed at the end.")
        self._say("settings.yaml of the node (on a cluster: a ConfigMap):\n")
        self._say(textwrap.indent(stage.settings, INDENT))
        self._say(
            "Below, + and - are changes of the router's own table, each with the time since\n"
            "its cause."
        )

    def step(self, number: int, title: str, happening: str) -> None:
        """Begin a step."""
        self._say(click.style(f"\n{number}. {title}", bold=True))
        self._say(_paragraph(happening))

    def change(self, before: router.Table, after: router.Table, seconds: float | None) -> None:
        """Show what changed at the router: so long after the cause, or at this time of day."""
        when = time.strftime("%H:%M:%S") if seconds is None else duration(seconds)
        for each in changes(before, after):
            line = click.style(f"{each.sign} {each.what}", fg=COLOURS.get(each.sign))
            if each.what in NAMES:
                line += " " * (16 - len(each.what)) + NAMES[each.what]
            if each.sign == "+":
                line += f" via {after.routes[each.what]}"
            self._say(f"{INDENT}{when:>10}   {line}")

    def remark(self, text: str) -> None:
        """Say what to learn from a step."""
        self._say(_paragraph(text))

    def keep(self, stage: Stage) -> None:
        """Say how to look at what is running, and how to make something happen."""
        where = f"--state-dir {stage.state_dir}"
        node = f"{stage.api.url}/api/v1/nodes/{NODE}"
        patch = """-d '{"spec": {"unschedulable": true}}'"""
        self._say(
            f"""
It goes on until Ctrl-C, and changes at the router are shown here. In another terminal:

  {self._program} status {where}
  {self._program} why {where}
  {self._program} sessions {where}
  curl http://{stage.http}/metrics

To cordon the node (and with null instead of true, to uncordon it):

  curl -X PATCH -H 'Content-Type: application/merge-patch+json' \\
    {patch} {node}
"""
        )

    def _say(self, text: str, *, is_log: bool = False) -> None:
        with self._lock:
            click.echo(text, err=is_log, color=False if "NO_COLOR" in os.environ else None)


def changes(before: router.Table, after: router.Table) -> tuple[Change, ...]:
    """Return what differs between two tables."""
    opened = [Change("*", "session up")] if after.is_up and not before.is_up else []
    closed = [Change("*", "session closed")] if before.is_up and not after.is_up else []
    gone = [Change("-", prefix) for prefix in before.routes if prefix not in after.routes]
    come = [
        Change("+", prefix)
        for prefix, hop in after.routes.items()
        if before.routes.get(prefix) != hop
    ]
    return (*opened, *gone, *come, *closed)


def sentence(table: router.Table) -> str:
    """Return what the router has, as a part of a sentence."""
    if not table.is_up:
        return "no session"
    return " and ".join(table.routes) or "a session and no routes"


def duration(seconds: float) -> str:
    """Return milliseconds, with one decimal while that says something."""
    return f"{seconds * 1000:.{1 if seconds < 0.1 else 0}f} ms"  # noqa: PLR2004 - three digits


def _paragraph(text: str) -> str:
    # The terminal may be narrow, and its width change meanwhile.
    width = max(NARROWEST, min(WIDTH, shutil.get_terminal_size().columns - 1))
    further = INDENT + "  " * text.startswith("$ ")
    return textwrap.fill(
        text,
        width,
        initial_indent=INDENT,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
