"""The page of one node: for a terminal and for a browser, whatever strangers wrote."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html.parser
import json
from typing import Any

import pytest

from exabgp_k8s.agent import front
from exabgp_k8s.core import step
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import routes, rows, summary
from exabgp_k8s.shown import markup, page, status
from tests.support import builders
from tests.support.builders import START, TOR_A

EVIL = "</td><script>alert(1)</script>&<b a='\"'>\x1b[2J\u202e"
NOW = START + 10


class Reader(html.parser.HTMLParser):
    """Reads a document back: its tags, its text, and whether they are nested as they must be."""

    VOID = frozenset({"meta"})

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(document)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def facts(world: World) -> page.Facts:
    turn = step.step(world, (events.Tick(),), NOW)
    return page.Facts(
        version="0.1.0",
        moment="2026-11-26 02:31:07 UTC",
        status=summary.status(turn, NOW),
        sessions=rows.sessions(turn, NOW),
        why=routes.why(turn, None, NOW),
        checks=rows.checks(turn, NOW),
    )


def cordoned() -> World:
    world = builders.a_serving_world(settings=builders.a_config(checks=(builders.a_check(),)))
    node = dataclasses.replace(builders.a_node(), is_unschedulable=True)
    said = events.NotificationReceived(peer=TOR_A, code=6, subcode=2, message="moved")
    return builders.after(
        world,
        events.NodeSeen(node=node),
        said,
        builders.down(TOR_A, "notification received (6,2)"),
        now=NOW,
    )


def evil() -> page.Facts:
    """Return a page in which every word that is a stranger's is meant badly."""
    written: Any = json.loads(json.dumps(dataclasses.asdict(facts(cordoned()))))
    for row in written["sessions"]:
        row["problem"] = row["description"] = row["peer"] = EVIL
    written["status"]["node"] = EVIL
    written["status"]["causes"] = [{"cause": EVIL, "seconds": 1}]
    written["checks"][0]["message"] = EVIL
    for row in written["why"]:
        row["withheld"][0]["reason"] = EVIL
    return page.Facts(**written)


def test_a_terminal_is_told_who_when_what_and_where_there_is_more() -> None:
    shown = page.text(page.of(facts(cordoned())))

    assert shown.startswith("BGP of the node node-3\nexabgp-k8s 0.1.0, 2026-11-26 02:31:07 UTC\n")
    for words in ("cordoned", "notification 6/2 (administrative shutdown) moved", "tor-b"):
        assert words in shown
    assert "10.96.0.0/16 (services): withdrawn because of cordoned" in shown
    assert all(path in shown for path in page.PATHS)


def test_no_line_is_longer_than_eighty_columns() -> None:
    shown = page.text(page.of(facts(cordoned())))

    assert max(len(line) for line in shown.splitlines()) <= 80


def test_a_node_that_knows_nothing_yet_has_a_page() -> None:
    shown = page.of(facts(World()))

    assert "none" in page.text(shown)
    assert "none" in Reader(page.html(shown)).text


@pytest.mark.parametrize("world", [World(), builders.a_serving_world(), cordoned()])
def test_both_forms_say_the_same_words(world: World) -> None:
    shown = page.of(facts(world))
    told = "".join(Reader(page.html(shown)).text.split())

    for section in shown.sections:
        assert "".join(section.heading.split()) in told
    for name, value in status.lines(facts(world).status):
        assert "".join(name.split()) in told
        assert "".join(value.split()) in told


def test_what_strangers_wrote_is_text() -> None:
    shown = page.of(evil())
    document = page.html(shown)
    read = Reader(document)

    assert "script" not in read.tags
    assert "b" not in read.tags
    assert "<script>alert(1)</script>" in read.text
    assert {name for name, _ in read.attributes} <= {
        "lang", "charset", "name", "content", "id", "scope", "role", "tabindex",
        "aria-labelledby", "href",
    }  # fmt: skip
    for form in (document, page.text(shown)):
        assert "\x1b" not in form
        assert "\u202e" not in form


def test_a_browser_is_allowed_this_style_and_nothing_else() -> None:
    """A style of another hash would not be taken."""
    document = page.html(page.of(facts(cordoned())))
    style = document.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert markup.POLICY.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in markup.POLICY
    assert " style=" not in document
    assert " on" not in "".join(name for name, _ in Reader(document).attributes if name)


def test_the_page_can_be_read_aloud() -> None:
    read = Reader(page.html(page.of(facts(cordoned()))))

    assert ("lang", "en") in read.attributes
    assert read.tags.count("h1") == 1
    assert read.tags.count("h2") == 4
    assert "title" in read.tags
    assert read.tags.count("th") > read.tags.count("table")
    named = {value for name, value in read.attributes if name == "aria-labelledby"}
    assert named <= {value for name, value in read.attributes if name == "id"}


def test_a_page_has_an_end_and_says_where_the_rest_is() -> None:
    found = facts(cordoned())
    many = dataclasses.replace(found, sessions=list(found.sessions) * 500)
    shown = page.of(many)

    assert "There is more; all of it: /v1/sessions" in page.text(shown)
    assert len(page.html(shown)) < 64 * 1024


@pytest.mark.parametrize(
    ("accept", "is_html"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html;q=0.1, text/plain", False),
        ("text/html;q=0", False),
        ("TEXT/HTML", True),
        ("text/html;q=x", False),
        (",;,;q=;", False),
    ],
)
def test_the_form_is_the_one_that_the_client_takes(accept: str, is_html: bool) -> None:
    assert front.is_html_wanted(accept) is is_html
