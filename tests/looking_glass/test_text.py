"""What strangers wrote is text, in every page and in its JSON."""

from __future__ import annotations

import html.parser
import json
import urllib.parse

import pytest

from exabgp_k8s.looking_glass import rendering
from tests.looking_glass import evil, inside

PATHS = (
    "/",
    "/nodes/evil",
    "/routers",
    f"/routers/{urllib.parse.quote(evil.MARKUP)}",
    "/prefixes",
    f"/prefixes/{urllib.parse.quote(evil.MARKUP)}",
    "/changes",
    f"/search?q={urllib.parse.quote(evil.EVERYTHING)}",
    f"/?q={urllib.parse.quote(evil.EVERYTHING)}&state={urllib.parse.quote(evil.ATTRIBUTE)}",
    f"/changes?node={urllib.parse.quote(evil.EVERYTHING)}",
    f"/nodes/{urllib.parse.quote(evil.EVERYTHING.replace('/', ''))}",
    f"/{urllib.parse.quote(evil.EVERYTHING)}",
)


class Elements(html.parser.HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.scripts = 0
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.scripts += tag == "script"
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("path", PATHS)
def test_no_page_has_an_element_or_attribute_that_a_stranger_wrote(
    hostile: inside.Inside, path: str
) -> None:
    page = hostile.ask(path).text
    found = Elements()
    found.feed(page)

    assert found.scripts == 1
    assert found.names.isdisjoint({"img", "style", "iframe", "object", "svg", "base"})
    assert not [name for name in found.attributes if name.startswith("on") or name == "style"]
    assert "1337" not in found.text


@pytest.mark.parametrize("path", PATHS)
def test_no_page_moves_a_cursor_or_turns_the_direction_of_text(
    hostile: inside.Inside, path: str
) -> None:
    page = hostile.ask(path).text

    assert not [each for each in page if not each.isprintable() and each != "\n"]


def test_what_was_written_can_be_read(hostile: inside.Inside) -> None:
    found = Elements()
    found.feed(hostile.ask("/nodes/evil").text)

    assert evil.MARKUP in found.text
    assert evil.ATTRIBUTE in found.text
    assert evil.TEMPLATE in found.text


@pytest.mark.parametrize("path", PATHS)
def test_json_is_plain_and_no_page(hostile: inside.Inside, path: str) -> None:
    answer = hostile.ask(f"{path}{'&' if '?' in path else '?'}format=json")

    assert answer.body.isascii()
    assert all(each.isprintable() or each == "\n" for each in answer.text)
    assert json.loads(answer.body)["version"] >= 1
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("run `a <b>` now", "run <code>a &lt;b&gt;</code> now"),
        ("`</code><script>`", "<code>&lt;/code&gt;&lt;script&gt;</code>"),
        ("no end: `<i>", "no end: <code>&lt;i&gt;</code>"),
    ],
)
def test_what_stands_in_backticks_is_code_and_text(written: str, shown: str) -> None:
    template = rendering.environment().from_string("{{ text | code }}")

    assert template.render(text=written) == shown
