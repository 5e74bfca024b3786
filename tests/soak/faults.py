"""Everything that is done to the cluster: what it does to the bed, and what to the model.

Each fault is one line of the journal. It names its target, so that a run is replayed by its seed
alone: which faults are possible depends on the model, never on time.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from exabgp_k8s.cli import exits
from tests.fabric import addresses, agents, cluster, routers, waiting
from tests.soak import bed as soaked
from tests.soak import model
from tests.support import processes

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
ANNOUNCE = "exabgp-k8s.io/announce"

KILLS_APART = 70
"""Steps; each takes more than a second, and ExaBGP counts the respawns of 64 seconds."""
KILLS = 4
STOPS_APART = 60
"""Steps; the supervisor's ``watchdog.FAULTS_APART`` in seconds."""

API = frozenset({"api"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing to do."""

    name: str
    target: str
    do: Callable[[], None]
    """Carries it out on the bed."""
    note: Callable[[], None] = lambda: None
    """Carries it out on the model."""
    is_silent: bool = False
    """No router may see anything of it."""
    is_repair: bool = False
    """It takes an earlier one back."""
    also: frozenset[str] = frozenset()
    """Other targets that must be left alone in the same step: the order would decide."""

    @property
    def touches(self) -> frozenset[str]:
        """Everything that no other fault of the same step may touch."""
        return self.also | {self.target}


def possible(bed: cluster.Cluster, known: model.Model, step: int) -> list[Fault]:
    """Return every fault that makes sense now, in a stable order."""
    found = [*_of_the_control_plane(bed, known), *_of_the_settings(bed, known)]
    for number in sorted(known.routers):
        found += _of_a_router(bed, known, number)
    for name in sorted(known.nodes):
        if known.nodes[name].is_running:
            found += _of_an_object(bed, known, name)
            found += _of_the_processes(bed, known, name, step)
        found += _of_a_node(bed, known, name)
    return found


def _of_the_control_plane(bed: cluster.Cluster, known: model.Model) -> Iterator[Fault]:
    def gone() -> None:
        known.is_api_up = False

    def back() -> None:
        known.is_api_up = True
        known.inform(known.nodes)

    if known.is_api_up:
        yield Fault(name="API server stops", target="api", do=bed.api.stop, note=gone,
                    is_silent=True)  # fmt: skip
    else:
        yield Fault(name="API server starts", target="api", do=bed.listen, note=back,
                    is_repair=True)  # fmt: skip


def _of_the_settings(bed: cluster.Cluster, known: model.Model) -> Iterator[Fault]:
    def broken() -> None:
        known.are_settings_good = False

    every = frozenset(known.routers)

    def write(name: str, peers: frozenset[int], tag: int) -> Fault:
        def note() -> None:
            known.are_settings_good, known.peers = True, peers

        others = frozenset(f"r{number}" for number in peers ^ known.peers)
        return Fault(name=name, target="settings", is_silent=True, also=others, note=note,
                     is_repair=peers == every != known.peers or not known.are_settings_good,
                     do=lambda: bed.write(_document(bed, peers, tag)))  # fmt: skip

    yield Fault(name="settings broken", target="settings", is_silent=True, note=broken,
                do=lambda: bed.write({**bed.document(), "mistake": True}))  # fmt: skip
    # No MED: while the edit is on its way, nodes with the lower one would take all the traffic.
    for tag in (1, 2):
        yield write(f"community {tag} to every peer", every, tag)
    for number in sorted(every):
        yield write(f"only peer r{number}", frozenset({number}), 1)


def _document(bed: cluster.Cluster, routers: frozenset[int], tag: int) -> dict[str, Any]:
    document = bed.document()
    document.pop("mistake", None)
    document["peers"] = [
        {**soaked.PEER, "name": f"r{number}", "address": bed.fabric.routers[number - 1].address,
         "attributes": {"communities": [f"{addresses.NODE_ASN}:{tag}"]}}
        for number in sorted(routers)
    ]  # fmt: skip
    return document


def _of_a_router(bed: cluster.Cluster, known: model.Model, number: int) -> Iterator[Fault]:
    router = bed.fabric.routers[number - 1]

    def note(is_up: bool) -> Callable[[], None]:
        return lambda: known.routers.__setitem__(number, is_up)

    if not known.routers[number]:
        yield Fault(name="router starts", target=f"r{number}", do=router.start, note=note(True),
                    is_repair=True)  # fmt: skip
    elif all(known.routers.values()):
        yield Fault(name="router stops", target=f"r{number}", do=router.stop, note=note(False))
        yield Fault(name="router loses its power", target=f"r{number}",
                    do=lambda: _power_off(router),
                    note=note(False))  # fmt: skip


def _of_an_object(bed: cluster.Cluster, known: model.Model, name: str) -> Iterator[Fault]:
    facts = known.nodes[name].object

    def patch(what: str, document: dict[str, Any], **changes: bool | str) -> Fault:
        return Fault(
            name=what,
            is_repair=not any(changes.values()),
            target=name,
            also=API,
            do=lambda: bed.api.patch_node(name, document),
            note=lambda: known.change(name, **changes),
        )

    word = "uncordon" if facts.is_cordoned else "cordon"
    yield patch(word, {"spec": {"unschedulable": not facts.is_cordoned}},
                is_cordoned=not facts.is_cordoned)  # fmt: skip
    value = None if facts.is_excluded else ""
    yield patch("exclude label", {"metadata": {"labels": {EXCLUDED: value}}},
                is_excluded=not facts.is_excluded)  # fmt: skip
    for announce in ("always", "never", ""):
        if announce != facts.announce:
            document = {"metadata": {"annotations": {ANNOUNCE: announce or None}}}
            yield patch(f"announce {announce!r}", document, announce=announce)


def _of_the_processes(
    bed: cluster.Cluster, known: model.Model, name: str, step: int
) -> Iterator[Fault]:
    state, agent = known.nodes[name], bed.agents[name]

    def killed() -> None:
        state.agent_kills.append(step)

    def stopped() -> None:
        killed()
        state.agent_stops.append(step)

    def drained(is_drained: bool) -> Callable[[], None]:
        return lambda: setattr(state, "is_drained", is_drained)

    if sum(step - at < KILLS_APART for at in state.agent_kills) < KILLS:
        yield Fault(name="agent is killed", target=name, note=killed, is_silent=True,
                    do=lambda: _signal(agent.agent, signal.SIGKILL))  # fmt: skip
        if all(step - at > STOPS_APART for at in state.agent_stops):
            yield Fault(name="agent is stopped", target=name, note=stopped, is_silent=True,
                        do=lambda: _signal(agent.agent, signal.SIGSTOP))  # fmt: skip
    yield Fault(name="ExaBGP is killed", target=name, do=lambda: _replace_exabgp(agent))
    if state.is_drained:
        yield Fault(name="undrain", target=name, note=drained(False), is_repair=True,
                    do=lambda: _ask(agent.run_cli, "undrain"))  # fmt: skip
    else:
        yield Fault(name="drain", target=name, note=drained(True),
                    do=lambda: _ask(agent.run_cli, "drain"))  # fmt: skip


def _of_a_node(bed: cluster.Cluster, known: model.Model, name: str) -> Iterator[Fault]:
    state, agent, node = known.nodes[name], bed.agents[name], bed.fabric.node(name)

    def setting(field: str, value: bool) -> Callable[[], None]:
        return lambda: setattr(state, field, value)

    def linked() -> None:
        state.is_linked = not state.is_linked
        known.inform([name])

    def started() -> None:
        state.is_running = True
        known.inform([name])

    def rebooted() -> None:
        state.is_running = state.is_linked = state.is_kube_proxy_up = True
        state.is_drained, state.seen, state.agent_kills = False, None, []
        known.inform([name])

    if state.is_running:
        yield Fault(name="container is ended", target=name, do=lambda: _end(agent),
                    note=setting("is_running", False))  # fmt: skip
    else:
        yield Fault(name="container starts", target=name, also=API, do=agent.start, note=started,
                    is_repair=True)  # fmt: skip
    if state.is_kube_proxy_up:
        yield Fault(name="kube-proxy is killed", target=name, do=node.kill_kube_proxy,
                    note=setting("is_kube_proxy_up", False))  # fmt: skip
    else:
        yield Fault(name="kube-proxy starts", target=name, do=node.start_kube_proxy,
                    is_repair=True, note=setting("is_kube_proxy_up", True))  # fmt: skip
    word = "down" if state.is_linked else "up"
    yield Fault(name=f"link {word}", target=name, also=API, is_repair=not state.is_linked,
                do=lambda: bed.fabric.switch.ip(f"link set {name} {word}"),
                note=linked)  # fmt: skip
    if known.are_settings_good:
        # What it has kept is gone; with bad settings it would not start at all.
        yield Fault(name="node loses its power and boots", target=name, also=API | {"settings"},
                    do=lambda: _reboot(bed, known, name), note=rebooted)  # fmt: skip


def _power_off(router: routers.Router) -> None:
    """End a router without a word; its kernel's routes are gone when it boots."""
    router.kill()
    for family in ("-4", "-6"):
        for route in router.namespace.ip_json(family, "route", "show", "proto", router.protocol):
            router.namespace.run("ip", family, "route", "del", route["dst"])


def _replace_exabgp(agent: agents.NodeAgent) -> None:
    """Kill ExaBGP and wait for its successor: by then every router has seen the end of it.

    A table that is read before that is the one of before, and clients sent by it find nobody.
    """
    killed = agent.exabgp().pid
    _signal(agent.exabgp, signal.SIGKILL)
    waiting.until(lambda: agent.exabgp().pid != killed, "another ExaBGP runs")
    # Whatever it answers: the API server may be away, and that is no success.
    waiting.until(
        lambda: agent.run_cli("status").returncode != exits.Code.UNREACHABLE, "its agent answers"
    )


def _signal(process: Callable[[], psutil.Process], number: int) -> None:
    """Send a signal to a process that may be just ending by itself."""

    def is_sent() -> bool:
        try:
            process().send_signal(number)
        except (psutil.NoSuchProcess, AssertionError):
            return False
        return True

    waiting.until(is_sent, "the process is there to be hit")


def _ask(run: Callable[[str], Any], command: str) -> None:
    """Repeat a command until an agent answers: a new one may be starting."""
    waiting.until(lambda: run(command).returncode == 0, command)


def _end(agent: Any) -> None:
    """End the container as the kernel ends it when its process 1 is killed."""
    processes.kill_with_all_below(agent.process.pid)
    agent.process.wait(60)


def _reboot(bed: cluster.Cluster, known: model.Model, name: str) -> None:
    """Cut the power: nothing is withdrawn, and what was in memory is gone.

    It comes back after the routers' hold timers expired: before that they show old routes.
    """
    node, agent = bed.fabric.node(name), bed.agents[name]
    node.power_off()
    for router in bed.fabric.routers:
        if known.routers[router.number]:
            waiting.until(lambda: not router.nexthops(node.pod_cidr), "hold time over")  # noqa: B023
    node.power_on()
    shutil.rmtree(agent.state_dir, ignore_errors=True)
    agent.start()
