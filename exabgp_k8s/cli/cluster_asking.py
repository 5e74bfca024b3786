"""Asks the API server for BGPSpeakers and Nodes, and shows what is made of them, once or always.

Who asks is a person with a kubeconfig, or a pod with an account; both may lack the right, and the
cluster may lack the objects. Each of these says what to apply or to ask for.
"""

from __future__ import annotations

import concurrent.futures
import functools
import gc
import os
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from exabgp_k8s.adapters.kube import client, pages
from exabgp_k8s.cli import exits, output
from exabgp_k8s.cluster import glance, member, speaker
from exabgp_k8s.errors import KubeError
from exabgp_k8s.wire import kube

SPEAKERS = "/apis/exabgp-k8s.io/v1alpha1/bgpspeakers"
NODES = "/api/v1/nodes"
PAGE = 250
"""Objects in one answer: BGPSpeakers fill some megabytes then, and of Nodes fewer fit."""

FORBIDDEN, NOT_FOUND, BAD_REQUEST = 403, 404, 400

FORMS = ("table", "wide", "json", "yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to read, and how to show it."""

    kubeconfig: str | None
    context: str
    selector: str
    form: str
    is_watched: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether everything that is known is to have a column."""
        return self.form == "wide"


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer: as a value, and for people."""

    value: Any
    table: str
    is_well: bool


KUBECONFIG = click.option(
    "--kubeconfig",
    envvar="KUBECONFIG",
    show_envvar=True,
    help="How to reach the API server; without one ~/.kube/config, or the pod's account.",
)
CONTEXT = click.option("--context", default="", help="Which context of the kubeconfig.")
_SELECTOR = click.option(
    "-l", "--selector", default="", help="Only Nodes with these labels, such as rack=a."
)
_WATCH = click.option("-w", "--watch", is_flag=True, help="Show it again whenever it changes.")
_FORM = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(FORMS),
    default="table",
    show_default=True,
    help="JSON and YAML are the stable forms; tables are for people.",
)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what every command about all nodes understands."""
    return _asked(command, KUBECONFIG, CONTEXT, _SELECTOR, _WATCH, _FORM)


def options_of_one(command: Callable[..., None]) -> Callable[..., None]:
    """Add what a command about one node understands."""
    return _asked(command, KUBECONFIG, CONTEXT, _WATCH, _FORM)


def options_of_text(command: Callable[..., None]) -> Callable[..., None]:
    """Add what a command with one form only understands."""
    return _asked(command, KUBECONFIG, CONTEXT, _SELECTOR)


def _asked(command: Callable[..., None], *added: Any) -> Callable[..., None]:
    @functools.wraps(command)
    def call(
        *,
        kubeconfig: str | None,
        context: str,
        selector: str = "",
        watch: bool = False,
        form: str = "table",
        **others: Any,
    ) -> None:
        asked = Asked(
            kubeconfig=kubeconfig,
            context=context,
            selector=selector,
            form=form,
            is_watched=watch,
        )
        command(asked=asked, **others)

    for each in reversed(added):
        call = each(call)
    return call


def answer(asked: Asked, show: Callable[[glance.Glance], Shown], node: str = "") -> None:
    """Show what there is; exit code 1 if something is to be mended.

    Args:
        asked: what to read, and how to show it.
        show: makes the answer.
        node: the only node that is wanted; empty: all of them.
    """
    api = client.Client(access(asked.kubeconfig, asked.context))
    # A million values come, none of them in a circle: looking for circles takes a third of all.
    gc.disable()
    try:
        found = _one(api, node) if node else _all(api, asked.selector)
    except KubeError as error:
        _fail(error)
    finally:
        api.close()
    shown = show(found)
    output.show(shown.value, asked.form, shown.table)
    if asked.is_watched:
        _show_again(asked, show, shown, node)
    if not shown.is_well:
        raise SystemExit(exits.Code.NO)


def _show_again(
    asked: Asked, show: Callable[[glance.Glance], Shown], shown: Shown, node: str
) -> None:
    """Show it whenever it is another answer, until Ctrl-C."""
    from exabgp_k8s.cli import cluster_watching  # noqa: PLC0415 - who asks once does without

    gc.enable()
    last = [shown.value]

    def say(found: glance.Glance) -> None:
        if node and node not in found.nodes:
            exits.fail(f"there is no Node {node} any more", exits.Code.NO)
        again = show(found)
        if not is_same(again.value, last[0]):
            last[0] = again.value
            output.show(again.value, asked.form, f"\n{again.table}")

    how = access(asked.kubeconfig, asked.context)
    cluster_watching.follow(how, asked.selector, node, say)


def is_same(one: Any, other: Any) -> bool:
    """Return whether two answers say the same, but for when the agents wrote last."""
    return _told(one) == _told(other)


def _told(value: Any) -> list[Any]:
    rows = value if isinstance(value, list) else [value]
    return [{**row, "last_contact": None} for row in rows]


def access(given: str | None, context: str) -> client.Access:
    """Return how to reach the API server, as kubectl would."""
    home = Path("~/.kube/config").expanduser()
    if not given and home.is_file():
        given = str(home)
    if not given and not (client.SERVICE_ACCOUNT / "token").is_file():
        exits.fail(
            f"there is no kubeconfig {home}; name one with --kubeconfig or KUBECONFIG",
            exits.Code.UNREACHABLE,
        )
    for each in (given or "").split(os.pathsep):
        if each and not Path(each).is_file():
            exits.fail(f"there is no kubeconfig {each}")
    return client.Access(
        kubeconfig=Path(given) if given else None,
        context=context,
        connect_timeout=10,
        answer_timeout=30,
    )


def _all(api: client.Client, selector: str) -> glance.Glance:
    query = {"labelSelector": selector} if selector else {}
    # The server works on the one list while the other is read.
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as beside:
        members = beside.submit(
            lambda: list(pages.read(api, NODES, member.parse, size=PAGE, query=query))
        )
        speakers = list(pages.read(api, SPEAKERS, speaker.parse, size=PAGE))
        return glance.take(members.result(), speakers, time.time(), is_selected=bool(selector))


def _one(api: client.Client, node: str) -> glance.Glance:
    said = _object(api, SPEAKERS, node)
    found = _object(api, NODES, node)
    if said is None and found is None:
        exits.fail(f"there is no Node {node}; `kubectl get nodes` shows which there are",
                   exits.Code.NO)  # fmt: skip
    return glance.take([member.parse(found)], [speaker.parse(said)], time.time())


def _object(api: client.Client, path: str, name: str) -> object:
    try:
        return kube.parse_object(api.request("GET", f"{path}/{urllib.parse.quote(name, safe='')}"))
    except KubeError as error:
        # Without the definition of the objects none of them is found, and that is another matter.
        if error.status == NOT_FOUND and f'"{name}" not found' in str(error):
            return None
        raise


def _fail(error: KubeError) -> NoReturn:
    """Say why nothing can be shown, and what to apply or to ask for."""
    match error.status:
        case code if code == NOT_FOUND:
            todo = (
                "This cluster does not know BGPSpeakers yet. Their definition is among the "
                "manifests of this version: `kubectl apply -k daemonset`"
            )
        case code if code == FORBIDDEN:
            todo = (
                "Reading needs the ClusterRole exabgp-k8s-view. Whoever may give it writes\n"
                "  kubectl create clusterrolebinding bgp-view "
                "--clusterrole exabgp-k8s-view --user YOU"
            )
        case code if code == BAD_REQUEST:
            exits.fail(f"{error}\nWrite --selector as kubectl has it, such as rack=a,tier!=test")
        case _:
            todo = "Does `kubectl get nodes` work, with the same --kubeconfig and --context?"
    exits.fail(f"{error}\n{todo}", exits.Code.UNREACHABLE)
