"""Five nodes, four of them with one fault each: whoever asks, and whomever, hears the same."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fabric import addresses, conftest, five, glass, waiting
from tests.support import controlplane

pytestmark = [pytest.mark.fabric, pytest.mark.long]


@pytest.fixture(params=controlplane.KINDS)
def bed(request: pytest.FixtureRequest, _privileges: None) -> Iterator[five.Five]:
    found = five.Five(request.param)
    request.node.stash[conftest.FABRICS] = [found.fabric]
    yield found
    found.close()


def rows(bed: five.Five, *command: str) -> list[Any]:
    """Return what ``exabgp-k8s cluster`` shows, exit code 1, for something is to be mended."""
    done = bed.cluster(*command, "-o", "json")
    assert done.returncode == 1, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_everybody_says_the_same_words_with_the_same_since_when(bed: five.Five) -> None:
    """One bed for all of it: it takes long to build, and nothing here changes it."""
    the_nodes_are_in_the_words_of_their_objects(bed)
    sessions_and_prefixes_are_those_of_the_objects(bed)
    the_sets_are_those_that_the_routers_kernels_have(bed)
    the_nodes_themselves_say_the_same(bed)
    why_says_what_to_do(bed)
    the_metrics_count_them(bed)
    the_pages_say_the_same(bed)
    if bed.has_kubectl:
        kubectl_shows_the_same(bed)


STATES = {
    "n1": ("announcing", None),
    five.CORDONED: ("withheld", "cordoned"),
    five.FAILING: ("partly", "unhealthy:kube-proxy"),
    five.REFUSED: ("sessions down", "waiting for the session"),
    five.STALE: ("stale settings", "settings-refused"),
}


def the_nodes_are_in_the_words_of_their_objects(bed: five.Five) -> None:
    shown, stored = {row["node"]: row for row in rows(bed, "nodes")}, bed.speakers()

    assert {name: (row["state"], row["reason"]) for name, row in shown.items()} == STATES
    for name, row in shown.items():
        summary = stored[name]["summary"]
        for key in ("sessions", "services", "pods"):
            assert row[key] == summary[key], (name, key)
        if "reason" in summary:
            assert (row["reason"], row["since"]) == (summary["reason"], summary["since"])
    (refused,) = (
        each for each in stored[five.STALE]["conditions"] if each["type"] == "SettingsCurrent"
    )
    assert shown[five.STALE]["since"] == refused["lastTransitionTime"]


def sessions_and_prefixes_are_those_of_the_objects(bed: five.Five) -> None:
    # A session that is down is dialled again and again, and its state is another one each time.
    def are_the_same() -> bool:
        stored = bed.speakers()
        sessions = {
            (name, each["peer"]): (each["state"], each["since"], each.get("lastError"))
            for name, status in stored.items()
            for each in status["sessions"]
        }
        prefixes = {
            (name, each["prefix"]): (each["state"], each["since"], each["sent"], each["sentTo"])
            for name, status in stored.items()
            for each in status["prefixes"]
        }
        return sessions == {
            (row["node"], row["peer"]): (row["state"], row["since"], row["last_error"])
            for row in rows(bed, "sessions")
        } and prefixes == {
            (row["node"], row["prefix"]): (row["state"], row["since"], row["sent"], row["sent_to"])
            for row in rows(bed, "routes")
        }

    waiting.until(are_the_same, "sessions and prefixes are those of the objects")


def the_sets_are_those_that_the_routers_kernels_have(bed: five.Five) -> None:
    names = {node.address: node.name for node in bed.fabric.nodes}
    peers = {row["addresses"][0]: row for row in rows(bed, "peers")}
    for router in bed.fabric.routers:
        (services, services6) = peers[router.address]["prefixes"]
        assert services["prefix"] == addresses.SERVICES
        assert services6["prefix"] == addresses.SERVICES6
        assert set(services["nodes"]) == {
            names[each] for each in router.nexthops(addresses.SERVICES)
        }
        assert (services["width"], services["healthy"], services["meant"]) == (2, 3, 5)
        missing = {each["node"]: each["reason"] for each in services["missing"]}
        assert missing.pop(five.REFUSED).startswith("notification 2/2 (bad peer AS)")
        assert missing == {five.CORDONED: "cordoned", five.FAILING: "unhealthy:kube-proxy"}


def the_nodes_themselves_say_the_same(bed: five.Five) -> None:
    for name, (_, reason) in STATES.items():
        status = bed.agents[name].status()
        summary = bed.speakers()[name]["summary"]
        assert {each: status["classes"][each]["state"] for each in status["classes"]} == {
            each: summary[each] for each in status["classes"]
        }
        causes = [each["cause"] for each in status["causes"]]
        assert causes == ([reason] if name in {five.CORDONED, five.FAILING} else [])


def why_says_what_to_do(bed: five.Five) -> None:
    for name, todo in (
        (five.CORDONED, "kubectl uncordon n2"),
        (five.FAILING, "exabgp-k8s checks"),
        (five.REFUSED, "Compare the AS numbers"),
        (five.STALE, "config validate"),
    ):
        done = bed.cluster("why", name)
        assert todo in done.stdout
        assert done.returncode == (0 if name == five.CORDONED else 1)


def the_metrics_count_them(bed: five.Five) -> None:
    lines = bed.cluster("metrics").stdout.splitlines()

    assert 'exabgp_k8s_cluster_nodes{state="announcing"} 1' in lines
    assert "exabgp_k8s_cluster_nodes_not_well 3" in lines


def the_pages_say_the_same(bed: five.Five) -> None:
    shown = glass.Glass(bed)
    known = {row["node"]: row for row in rows(bed, "nodes")}
    found = {row["node"]: row for row in json.loads(shown.page("/cluster.json"))["rows"]}

    assert {name: (row["state"], row["reason"]) for name, row in found.items()} == STATES
    assert {name: row["since"] for name, row in found.items()} == {
        name: row["since"] for name, row in known.items()
    }
    for name, row in known.items():
        page = shown.page(f"/nodes/{name}")
        assert f">{row['state']}</span></h1>" in page
        for fault in row["faults"]:
            assert html.escape(fault["reason"].partition(";")[0]) in page
            assert f'datetime="{fault["since"]}"' in page
    for router in rows(bed, "peers"):
        page = shown.page(f"/routers/{router['peer']}")
        assert '>2</span><span class="more">of 3 healthy</span>' in page
        for each in (five.CORDONED, five.FAILING, five.REFUSED):
            assert f'<a href="/nodes/{each}">' in page


def kubectl_shows_the_same(bed: five.Five) -> None:
    """A real kubectl, with the printer columns of the definition and with our plugin."""
    plugin = json.loads(bed.kubectl("bgp", "nodes", "-o", "json").stdout)
    listed = json.loads(bed.kubectl("get", "bgpspeakers", "-o", "json").stdout)["items"]
    table = bed.kubectl("get", "bgpspeakers").stdout.splitlines()
    wanted = {name: each["summary"] for name, each in bed.speakers().items()}

    assert {row["node"]: (row["state"], row["reason"]) for row in plugin} == STATES
    assert {each["metadata"]["name"]: each["status"]["summary"] for each in listed} == wanted
    assert table[0].split()[:5] == ["NAME", "SESSIONS", "SERVICES", "PODS", "REASON"]
    for line in table[1:]:
        name, sessions, services, pods = line.split()[:4]
        summary = wanted[name]
        assert [sessions, services, pods] == [
            summary[key] for key in ("sessions", "services", "pods")
        ]
        assert summary.get("reason", "") in line
    waited = bed.kubectl(
        "wait", "--for=condition=Announcing=false", f"bgpspeaker/{five.CORDONED}", "--timeout=120s"
    )
    assert "condition met" in waited.stdout
