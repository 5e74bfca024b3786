"""``cluster``: five nodes, as the command line shows them from an API server's objects."""

from __future__ import annotations

import datetime as dt
import gc
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from exabgp_k8s.cli import cluster, cluster_asking
from exabgp_k8s.cluster import rows
from exabgp_k8s.tryout.kubeapi import api, apiserver, store
from tests.cluster import samples
from tests.support import kubeapi

EVIL = "\x1b[2Jshut\x07 by\u202e <b>admin</b>"


def put(server: kubeapi.KubeApi, nodes: list[Any], speakers: list[Any]) -> None:
    """Store objects, the agents' as if just written."""
    now = dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for node in nodes:
        server.put_node(node)
    for said in speakers:
        said["status"]["lastContact"] = now
        server.store.create(api.BGP_SPEAKERS, said)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi() as running:
        (tmp_path / "kubeconfig").write_text(apiserver.kubeconfig(running))
        yield running


@pytest.fixture
def five(server: kubeapi.KubeApi) -> kubeapi.KubeApi:
    put(server, *samples.five())
    return server


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("COLUMNS", "100")

    def run_one(*arguments: str) -> Result:
        kubeconfig = ["--kubeconfig", str(tmp_path / "kubeconfig")]
        return CliRunner().invoke(cluster.group, [*arguments, *kubeconfig])

    yield run_one
    # The command leaves it to the end of its process, which here is that of other tests as well.
    gc.enable()


@pytest.mark.usefixtures("five")
def test_each_node_is_in_one_word_with_its_reason(run: Any) -> None:
    result = run("nodes")
    lines = result.stdout.splitlines()

    assert result.exit_code == 1
    assert lines[0].split() == ["Node", "State", "Reason", "Since", "Sessions", "Services", "Pods"]
    assert [line.split()[0] for line in lines[1:6]] == ["n1", "n2", "n3", "n4", "n5"]
    assert "withheld" in lines[2]
    assert "cordoned" in lines[2]


@pytest.mark.usefixtures("five")
def test_what_is_to_be_mended_stands_below_with_what_to_do(run: Any) -> None:
    _, ill = run("nodes").stdout.split("To be mended:\n")

    assert [line.split()[0] for line in ill.splitlines() if line[2:3] == "n"] == ["n3", "n4", "n5"]
    assert "n4  tor-a 192.0.2.1: Active; notification 2/2 (bad peer AS), since" in ill
    assert "-> Compare the AS numbers" in ill


def test_only_what_somebody_did_on_purpose_is_well(server: kubeapi.KubeApi, run: Any) -> None:
    put(
        server,
        [samples.node("n1"), samples.node("n2", is_cordoned=True)],
        [samples.well(1), samples.cordoned(2)],
    )

    for command in (("nodes",), ("routes",), ("peers",), ("why", "n2"), ("sessions",)):
        assert run(*command).exit_code == 0, command


@pytest.mark.parametrize("command", [("nodes",), ("sessions",), ("routes",), ("peers",)])
@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
@pytest.mark.usefixtures("five")
def test_json_and_yaml_are_the_rows(run: Any, command: tuple[str], form: str, read: Any) -> None:
    shown = read(run(*command, "-o", form).stdout)

    assert shown
    assert all(isinstance(each, dict) for each in shown)


@pytest.mark.usefixtures("five")
def test_a_wide_table_has_each_node_in_one_line_with_the_moment(run: Any) -> None:
    lines = run("nodes", "-o", "wide").stdout.splitlines()

    assert samples.HAPPENED in lines[2]
    assert lines[5].split()[0] == "n5"


@pytest.mark.usefixtures("five")
def test_a_router_shows_who_is_missing_why_and_since_when(run: Any) -> None:
    result = run("peers", "tor-a")

    assert result.exit_code == 1
    assert "tor-a 192.0.2.1 AS 64513: 4 of 5 sessions up" in result.stdout
    assert "10.96.0.0/16 (services): 2 of 5 nodes; 3 could announce it" in result.stdout
    assert f"n2  cordoned, since {samples.HAPPENED}" in result.stdout
    assert f"n4  notification 2/2 (bad peer AS), since {samples.HAPPENED}" in result.stdout
    assert "tor-b" not in result.stdout


@pytest.mark.usefixtures("five")
def test_a_peer_that_is_not_there_is_answered_with_those_that_are(run: Any) -> None:
    result = run("peers", "tor-x")

    assert result.exit_code == 1
    assert "there are: tor-a, tor-b" in result.stderr


@pytest.mark.usefixtures("five")
def test_why_says_what_to_do(run: Any) -> None:
    result = run("why", "n3", "10.96.0.10")

    assert result.exit_code == 1
    assert result.stdout.startswith(f"n3: partly, unhealthy:kube-proxy, since {samples.HAPPENED}")
    assert "exabgp-k8s checks" in result.stdout
    assert "10.244.3.0/24" not in result.stdout
    assert run("why", "n3", "10.244.3.7").exit_code == 0


@pytest.mark.usefixtures("five")
def test_why_of_what_is_not_there_says_what_is(run: Any) -> None:
    assert "it has: 10.96.0.0/16, 10.244.3.0/24" in run("why", "n3", "192.0.2.0/24").stderr
    assert "there is no Node n9" in run("why", "n9").stderr
    assert run("why", "n3", "ten").exit_code == 2


def test_why_asks_for_one_node_only(five: kubeapi.KubeApi, run: Any) -> None:
    run("why", "n3")

    assert [each.path.rpartition("/")[2] for each in five.requests] == ["n3", "n3"]


def test_a_selector_leaves_the_other_nodes_out(server: kubeapi.KubeApi, run: Any) -> None:
    other = samples.node("n2")
    other["metadata"]["labels"] = {"rack": "b"}
    put(server, [samples.node("n1"), other], [samples.well(1), samples.well(2)])

    shown = json.loads(run("nodes", "-l", "rack=b", "-o", "json").stdout)
    assert [each["node"] for each in shown] == ["n2"]
    assert run("nodes", "-l", "rack~b").exit_code == 2


def test_many_nodes_are_read_page_by_page(server: kubeapi.KubeApi, run: Any) -> None:
    numbers = range(1, 261)
    put(server, [samples.node(f"n{i}") for i in numbers], [samples.well(i) for i in numbers])

    assert run("nodes").exit_code == 0
    lists = [each for each in server.requests if each.method == "GET"]
    assert len(lists) > 2
    assert all(each.query["limit"] for each in lists)


def test_a_page_that_is_too_large_is_asked_for_in_parts(server: kubeapi.KubeApi, run: Any) -> None:
    nodes = [samples.node(f"n{i}") for i in range(1, 10)]
    for node in nodes:
        node["metadata"]["annotations"] = {"large": "x" * 300_000}
    put(server, nodes, [samples.well(i) for i in range(1, 10)])

    assert len(json.loads(run("nodes", "-o", "json").stdout)) == 9


def test_a_cluster_without_the_definition_is_told_what_to_apply(
    server: kubeapi.KubeApi, run: Any
) -> None:
    server.inject_always(kubeapi.status(404, reason="NotFound"))

    for command in (("nodes",), ("why", "n1")):
        result = run(*command)
        assert result.exit_code == 3
        assert "kubectl apply -k daemonset" in result.stderr


def test_whoever_may_not_read_is_told_which_right(server: kubeapi.KubeApi, run: Any) -> None:
    server.inject_always(kubeapi.status(403, reason="Forbidden"))
    result = run("nodes")

    assert result.exit_code == 3
    assert "--clusterrole exabgp-k8s-view" in result.stderr


def test_an_api_server_that_is_away_is_a_sentence(server: kubeapi.KubeApi, run: Any) -> None:
    server.stop()
    result = run("nodes")

    assert result.exit_code == 3
    assert "kubectl get nodes" in result.stderr


@pytest.mark.usefixtures("five")
def test_a_kubeconfig_or_a_context_that_is_not_there_is_named(run: Any, tmp_path: Path) -> None:
    missing = CliRunner().invoke(cluster.group, ["nodes", "--kubeconfig", str(tmp_path / "no")])
    wrong = run("nodes", "--context", "elsewhere")

    assert (missing.exit_code, wrong.exit_code) == (2, 3)
    assert "there is no kubeconfig" in missing.stderr
    assert "elsewhere" in wrong.stderr


@pytest.mark.usefixtures("five")
def test_a_context_chooses_the_cluster(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    known = yaml.safe_load(path.read_text())
    (context,) = known["contexts"]
    known["contexts"].append({"name": "other", "context": {**context["context"], "user": "none"}})
    known["current-context"] = "nothing"
    path.write_text(yaml.safe_dump(known))

    assert run("nodes").exit_code == 3
    assert run("nodes", "--context", context["name"]).exit_code == 1


@pytest.mark.usefixtures("five")
def test_the_metrics_are_printed(run: Any) -> None:
    result = run("metrics")

    assert result.exit_code == 0
    assert 'exabgp_k8s_cluster_nodes{state="withheld"} 1' in result.stdout.splitlines()


@pytest.mark.parametrize(
    "command",
    [("nodes",), ("sessions",), ("routes",), ("peers",), ("why", "n1"), ("metrics",)],
    ids=" ".join,
)
@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml"])
def test_evil_text_is_text(
    server: kubeapi.KubeApi, run: Any, command: tuple[str, ...], form: str
) -> None:
    """A router's shutdown message, a label and what else anybody may write."""
    node = samples.node("n1")
    node["metadata"]["labels"] = {"rack": EVIL}
    down = samples.session("tor-a", state="Active", lastError=EVIL, since=samples.HAPPENED)
    why = {"reason": EVIL, "since": samples.HAPPENED}
    prefix = samples.prefix(samples.SERVICES, "services", state=EVIL, reasons=[why])
    put(server, [node], [samples.well(1, sessions=[down], prefixes=[prefix])])

    options = () if command == ("metrics",) else ("-o", form)
    shown = run(*command, *options).stdout
    assert shown
    assert all(line.isprintable() for line in shown.splitlines())


@pytest.mark.usefixtures("five")
def test_the_plugin_is_the_same_commands(tmp_path: Path) -> None:
    called = subprocess.run(
        [
            Path(sys.executable).with_name("kubectl-bgp"), "nodes",
            "--kubeconfig", tmp_path / "kubeconfig",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert called.returncode == 1
    assert "To be mended:" in called.stdout


def test_every_command_is_understood_with_the_same_options() -> None:
    context = click.Context(cluster.group)
    for name in cluster.group.list_commands(context):
        command = cluster.group.get_command(context, name)
        assert command is not None
        assert {"kubeconfig", "context"} <= {each.name for each in command.params}


def test_sets_that_say_the_same_are_one(server: kubeapi.KubeApi, run: Any) -> None:
    """Of both families of a range the same nodes are missing, nearly always."""
    both = (samples.SERVICES, "fd00:96::/112")
    kept = [samples.prefix(each, "services", **samples.withheld("cordoned")) for each in both]
    put(server, [samples.node("n1")], [samples.well(1, prefixes=kept)])

    assert "  10.96.0.0/16, fd00:96::/112 (services): 0 of 1 nodes" in run("peers", "tor-a").stdout


class Watching:
    """A command with ``--watch``, and what it has said so far."""

    def __init__(self, kubeconfig: Path, *command: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "exabgp_k8s", "cluster", *command, "--watch",
                "--kubeconfig", kubeconfig,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def until(self, words: str) -> list[str]:
        """Return the lines up to the one with these words."""
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.append(line)
            if words in line:
                return lines
        raise AssertionError(f"ended without {words}: {lines} {self.process.communicate()}")

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit code and what is on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def change(server: kubeapi.KubeApi, said: dict[str, Any]) -> None:
    """Write an object anew, as its agent does."""
    now = dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    scope = store.Scope(name=said["metadata"]["name"])
    with server.store.changed:
        stored = server.store.get(api.BGP_SPEAKERS, scope)
        status = {**said["status"], "lastContact": now}
        server.store.replace(api.BGP_SPEAKERS, scope, {**stored, "status": status})


def test_a_heartbeat_is_no_other_answer() -> None:
    later = samples.well(1)
    later["status"]["lastContact"] = "2026-11-26T02:26:00Z"
    one, other = (
        rows.nodes(samples.take([samples.node("n1")], [each])) for each in (samples.well(1), later)
    )

    assert one != other
    assert cluster_asking.is_same(one, other)
    assert cluster_asking.is_same(one[0], other[0])
    assert not cluster_asking.is_same(one, [{**one[0], "state": "silent"}])


@pytest.mark.parametrize("command", [("nodes",), ("why", "n1")], ids=" ".join)
def test_what_is_watched_is_shown_again_when_it_is_another_answer_until_ctrl_c(
    server: kubeapi.KubeApi, tmp_path: Path, command: tuple[str, ...]
) -> None:
    put(server, [samples.node("n1")], [samples.well(1)])
    with Watching(tmp_path / "kubeconfig", *command) as watching:
        watching.until("announc")
        kubeapi.until(lambda: server.watches == 2, seconds=120)

        change(server, samples.well(1))
        change(server, samples.cordoned(1))

        between = watching.until("cordoned")
        assert not [line for line in between if "announcing" in line], "a heartbeat is no answer"
        assert watching.interrupt() == (130, "")
