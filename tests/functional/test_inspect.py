"""What somebody reads of one node: a session in depth, the page, the history; one node for all."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import terminals
from tests.support.lab import Lab, until
from tests.support.processes import is_gone

pytestmark = pytest.mark.functional

EVIL = "moved to <b>rack 7</b> \x1b[2J"
"""What a router's admin may write: markup, and what clears a terminal."""


class Node:
    """A node that is up, whose router can be shut and opened."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def tell(self, what: str) -> None:
        """Say something to the router's own command line."""
        terminals.ask_bird(self.lab.directory / "bird.ctl", what)

    def flap(self) -> None:
        """Have the router's admin shut the session, with words, and open it again."""
        until(self._is_known, self.lab.state)
        before = self.lab.json("session?name=tor")
        lost = before["times_lost"]
        self.tell(f'disable node "{EVIL}"')
        until(lambda: self.lab.json("session?name=tor")["times_lost"] > lost, self.lab.state)
        self.tell("enable node")
        self.lab.expect(self.lab.services, self.lab.pods)
        # The router knows of the session before the agent does, and the table of neighbors is
        # read a moment after that; until then the row may be that of the session before.
        until(lambda: self._is_known(before["local_port"]), self.lab.state)

    def _is_known(self, former_port: int | None = None) -> bool:
        """Whether the agent has read all of a session that is up, and is not the former one."""
        found = self.lab.json("session?name=tor")
        return bool(
            found["up"]
            and found["local_port"] not in {None, former_port}
            and found["messages"]["sent"].get("update", 0) > 0
            and not found["unacknowledged"]
        )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Give the one node of all tests that only read."""
    folder: Path = tmp_path_factory.mktemp("node")
    with Lab(folder) as lab:
        lab.up()
        found = Node(lab)
        found.flap()
        yield found


def test_both_sides_of_a_session_are_shown_with_what_came_of_it(node: Node) -> None:
    row = node.lab.json("session?name=tor")

    assert row["remote_port"] == 1790
    assert row["local_port"] not in {None, 0, 1790}
    assert row["timers"]["hold_time"] == {
        "configured": row["timers"]["hold_time"]["configured"],
        "sent": row["timers"]["hold_time"]["configured"],
        "received": 9,
        "negotiated": 9,
    }
    assert row["timers"]["keepalive"]["negotiated"] == 3
    assert row["opens"]["received"] == {"as": 64513, "hold_time": 9, "router_id": "192.0.2.1"}
    found = {each["capability"]: each for each in row["capabilities"]}
    assert found["multiprotocol"]["sent"] == ["ipv4 unicast", "ipv6 unicast"]
    assert found["multiprotocol"]["received"] == ["ipv4 unicast"]
    assert found["multiprotocol"]["negotiated"]
    assert found["4-octet AS"]["received"] == ["64513"]
    assert not found["graceful restart"]["negotiated"], "we did not offer it"
    assert row["messages"]["received"]["open"] >= 1
    assert row["messages"]["sent"]["update"] >= 1


def test_a_loss_stays_readable_with_its_notification_and_the_routers_words(node: Node) -> None:
    row = node.lab.json("session?name=tor")

    assert (row["times_up"], row["times_lost"]) == (2, 1)
    (flap,) = row["flaps"]
    assert flap["seconds"] >= 0
    assert flap["lasted_seconds"] > 0
    assert flap["problem"].startswith("notification 6/2 (administrative shutdown)")
    said = row["last_notification"]
    assert (said["direction"], said["code"], said["subcode"]) == ("received", 6, 2)
    assert said["name"] == "administrative shutdown"
    assert "moved to" in said["text"] or said["text"] == "", "text that does not print is dropped"


def test_a_session_for_people_fits_a_terminal_and_moves_no_cursor(node: Node) -> None:
    shown = node.lab.cli("sessions", "tor").stdout

    assert all(line.isprintable() and len(line) <= 80 for line in shown.splitlines())
    words = " ".join(shown.split())
    assert "hold time 9 s: we offer" in words
    assert "multiprotocol ipv4 unicast, ipv6 unicast ipv4 unicast yes" in words
    assert "notification 6/2 (administrative shutdown)" in words


def get(lab: Lab, accept: str) -> tuple[Any, str]:
    """Return the headers and the body of the node's page."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{lab.http_port}/", headers={"Accept": accept}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers, answer.read().decode()


def test_curl_is_answered_with_the_node_on_one_page(node: Node) -> None:
    headers, shown = get(node.lab, "*/*")

    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "BGP of the node n1" in shown
    assert f"{node.lab.services} (services): announced to 1 of 1: tor" in shown
    assert "Established" in shown
    assert all(line.isprintable() and len(line) <= 80 for line in shown.splitlines())


def test_a_browser_is_given_html_that_runs_nothing(node: Node) -> None:
    headers, shown = get(node.lab, "text/html,application/xhtml+xml,*/*;q=0.8")

    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Vary"] == "Accept"
    assert "<h1>BGP of the node n1</h1>" in shown
    assert "<script" not in shown


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Give a node of one's own, to whoever changes what the others read."""
    with Lab(tmp_path) as made:
        made.up()
        yield made


def test_the_history_says_what_left_and_came_and_outlives_the_agent(lab: Lab) -> None:
    lab.api.cordon(lab.name, True)
    lab.expect()
    # The router has it before the agent hears so, and the next decision may supersede it.
    until(lambda: _last(lab.json("history"))["acknowledged_seconds"] is not None, lab.state)
    lab.api.cordon(lab.name, False)
    lab.expect(lab.services, lab.pods)
    until(lambda: _last(lab.json("history"))["acknowledged_seconds"] is not None, lab.state)
    before = lab.json("history")

    (withdrawn,) = (row for row in before if "withdrawn" in _words(row))
    assert {prefix for each in withdrawn["changes"] for prefix in each["prefixes"]} == {
        lab.services,
        lab.pods,
    }
    assert {tuple(each["reasons"]) for each in withdrawn["changes"]} == {("cordoned",)}
    assert {tuple(each["peers"]) for each in withdrawn["changes"]} == {("tor",)}
    assert 0 <= withdrawn["acknowledged_seconds"] < withdrawn["seconds"]
    assert "announced" in _words(before[-1])

    # It is written a moment later, after the routers were told.
    file = lab.state_dir / "history.jsonl"
    until(lambda: f'"number":{before[-1]["number"]},' in file.read_text(), file.read_text)
    agent = lab.agent
    agent.kill()
    until(lambda: is_gone(agent), lab.state)
    until(lambda: len(lab.json("history")) > len(before), lab.state)

    after = lab.json("history")
    assert [row["number"] for row in after] == [
        *(row["number"] for row in before),
        after[-1]["number"],
    ]
    assert [row["changes"] for row in after[:-1]] == [row["changes"] for row in before]
    assert (after[-1]["event"], after[-1]["changes"]) == ("start", [])
    shown = lab.cli("history", "-n", "3", "--since", "1h").stdout
    assert "cordoned" in shown
    assert "started" in shown
    assert "Latest decisions" in get(lab, "*/*")[1]


def _last(rows: Any) -> Any:
    return rows[-1]


def _words(row: Any) -> set[str]:
    return {each["change"] for each in row["changes"]}
