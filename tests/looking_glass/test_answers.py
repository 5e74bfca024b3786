"""What the server answers to anybody: headers, refusals, the same rows as page and as JSON."""

from __future__ import annotations

import json
import re
import urllib.parse
from typing import Any

import pytest

from exabgp_k8s.looking_glass import rendering
from tests.cluster import samples
from tests.looking_glass import inside

PATHS = (
    "/",
    "/nodes/n4",
    "/routers",
    "/routers/tor-a",
    "/prefixes",
    "/prefixes/10.96.0.0/16",
    "/changes",
    "/search?q=n1",
)
EVERYWHERE = (*PATHS, "/nowhere", "/nodes/n99", "/metrics", "/healthz", "/readyz")


@pytest.mark.parametrize("path", EVERYWHERE)
def test_no_answer_lets_a_browser_load_or_run_what_is_not_ours(
    five: inside.Inside, path: str
) -> None:
    headers = five.ask(path).headers

    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers
    assert "Server" not in headers


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_script_and_no_style_of_its_own(five: inside.Inside, path: str) -> None:
    page = five.ask(path).text

    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert re.findall(r"<script[^>]*>[^<]*", page) == re.findall(
        r'<script src="/static/\w+/live.js" defer>', page
    )
    assert not re.search(r"(src|href|action)=\"(?!/|\?|#)", page)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_can_be_written(five: inside.Inside, method: str) -> None:
    answer = five.ask("/", method)

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("header", [{"Content-Length": "5"}, {"Transfer-Encoding": "chunked"}])
def test_a_request_with_a_body_is_refused(five: inside.Inside, header: dict[str, str]) -> None:
    assert five.ask("/", **header).status == 413


@pytest.mark.parametrize("host", ["attacker.example", "[::1]:1", "a b", ""])
def test_the_host_header_makes_no_difference(five: inside.Inside, host: str) -> None:
    assert five.ask("/nodes/n2", Host=host).body == five.ask("/nodes/n2").body
    assert five.ask("/nodes/", Host=host).status == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("way", ["suffix", "parameter", "header"])
def test_every_page_has_its_rows_as_json(five: inside.Inside, path: str, way: str) -> None:
    before, mark, query = path.partition("?")
    asked = {
        "suffix": five.ask(("/cluster" if before == "/" else before) + ".json" + mark + query),
        "parameter": five.ask(f"{path}{'&' if mark else '?'}format=json"),
        "header": five.ask(path, Accept="application/json"),
    }[way]

    assert asked.headers["Content-Type"] == "application/json"
    assert json.loads(asked.body)["rows"] is not None


def test_the_page_of_each_node_says_its_fault_since_when_and_what_to_do(
    five: inside.Inside,
) -> None:
    said: dict[str, Any] = {
        "n2": ("cordoned", "kubectl uncordon n2"),
        "n3": ("unhealthy:kube-proxy", "exabgp-k8s checks"),
        "n4": ("notification 2/2 (bad peer AS)", "Compare the AS numbers"),
        "n5": ("settings-refused", "exabgp-k8s config validate"),
    }
    for name, (reason, do) in said.items():
        page = five.ask(f"/nodes/{name}").text

        assert reason in page, name
        assert do in page, name
        assert f'datetime="{samples.HAPPENED}"' in page, name


def test_the_page_of_a_router_says_its_width_and_who_is_out(five: inside.Inside) -> None:
    page = five.ask("/routers/tor-a").text
    (row,) = five.ask("/routers/tor-a.json").rows["prefixes"]

    assert (row["width"], row["meant"]) == (2, 5)
    for each in row["missing"]:
        assert f'<a href="/nodes/{each["node"]}">' in page
        assert each["reason"] in page


def test_filters_stand_in_the_url(five: inside.Inside) -> None:
    def names(query: str) -> list[str]:
        return [row["node"] for row in five.ask(f"/cluster.json?{query}").rows]

    assert names("reason=cordoned") == ["n2"]
    assert names("state=ill") == ["n3", "n4", "n5"]
    assert names("router=tor-b&q=n5") == ["n5"]
    assert names("q=rack%3Da&state=announcing") == ["n1"]
    assert names("router=nobody") == []


def test_nodes_that_need_a_look_come_first(five: inside.Inside) -> None:
    rows = five.ask("/cluster.json").rows

    assert [row["node"] for row in rows] == ["n3", "n4", "n5", "n2", "n1"]


@pytest.mark.parametrize(
    ("sought", "link"),
    [
        ("n4", "/nodes/n4"),
        ("rack=a", "/nodes/n1"),
        ("bad peer", "/nodes/n4"),
        ("64513", "/routers/tor-a"),
        ("192.0.2.2", "/routers/tor-b"),
        ("10.96.3.7", "/prefixes/10.96.0.0/16"),
    ],
)
def test_search_finds_what_is_known_of(five: inside.Inside, sought: str, link: str) -> None:
    assert f'href="{link}"' in five.ask(f"/search?q={sought.replace(' ', '+')}").text


@pytest.mark.parametrize("page", ["x", "-1", "0", "99999999999", "٣", "1e9"])
def test_a_page_number_that_is_none_shows_a_page_that_there_is(
    five: inside.Inside, page: str
) -> None:
    assert "<h1>Cluster</h1>" in five.ask(f"/?page={urllib.parse.quote(page)}").text


@pytest.mark.parametrize("path", ["/nodes/n99", "/routers/x", "/prefixes/::/0", "/nowhere"])
def test_what_there_is_not_is_said_with_a_way_back(five: inside.Inside, path: str) -> None:
    answer = five.ask(path)

    assert answer.status == 404
    assert "There is no " in answer.text or "No node has " in answer.text
    assert five.ask(path, Accept="application/json").rows["error"]


def test_what_a_browser_keeps_for_ever_has_another_name_when_it_changes(
    five: inside.Inside,
) -> None:
    for name in rendering.STATIC:
        path = f"/static/{rendering.digest(name)}/{name}"
        answer = five.ask(path)

        assert answer.body == rendering.static(name)
        assert "immutable" in answer.headers["Cache-Control"]
    assert five.ask("/").headers["Cache-Control"] == "no-store"


def test_its_own_metrics_are_those_of_the_cluster(five: inside.Inside) -> None:
    assert "exabgp_k8s_cluster_ecmp_width{" in five.ask("/metrics").text
