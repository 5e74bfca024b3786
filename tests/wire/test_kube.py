"""What is made of the API server's answers, the malformed and the hostile included."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s import errors
from exabgp_k8s.wire import kube
from tests.wire import documents


@hypothesis.given(body=st.binary() | documents.JSON.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("parse", [kube.parse_list, kube.parse_watch_line])
def test_whatever_the_server_sends_raises_nothing_but_a_kube_error(
    parse: Callable[[bytes], object], body: bytes
) -> None:
    with contextlib.suppress(errors.KubeError):
        parse(body)


def test_deep_nesting_is_a_kube_error() -> None:
    with pytest.raises(errors.KubeError, match="no JSON"):
        kube.parse_list(b"[" * 200_000)


def test_a_list_gives_its_items_and_its_version() -> None:
    body = b'{"metadata": {"resourceVersion": "17"}, "items": [{"a": 1}]}'
    assert kube.parse_list(body) == ([{"a": 1}], "17")


def test_a_list_whose_items_are_null_is_empty() -> None:
    body = b'{"metadata": {"resourceVersion": "17"}, "items": null}'
    assert kube.parse_list(body) == ([], "17")


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"items": []}', b'{"items": {}, "metadata": {"resourceVersion": "1"}}'],
)
def test_a_document_that_is_no_list_is_an_error(body: bytes) -> None:
    with pytest.raises(errors.KubeError, match="not a list"):
        kube.parse_list(body)


@pytest.mark.parametrize("kind", list(kube.LineType))
def test_a_line_gives_its_type_version_and_object(kind: kube.LineType) -> None:
    found = {"metadata": {"resourceVersion": "18"}}
    line = kube.parse_watch_line(json.dumps({"type": kind, "object": found}).encode())
    assert line == kube.WatchLine(type=kind, version="18", object=found)


def test_a_line_with_410_says_that_the_version_expired() -> None:
    line = b'{"type": "ERROR", "object": {"code": 410, "message": "too old"}}'
    with pytest.raises(errors.Expired, match="too old"):
        kube.parse_watch_line(line)


def test_a_line_with_another_error_keeps_its_code_and_its_wish_to_wait() -> None:
    status = {"code": 429, "message": "busy", "details": {"retryAfterSeconds": 7}}
    with pytest.raises(errors.KubeError) as caught:
        kube.parse_watch_line(json.dumps({"type": "ERROR", "object": status}).encode())
    assert (caught.value.status, caught.value.retry_after) == (429, 7)
    assert not isinstance(caught.value, errors.Expired)


@hypothesis.given(document=documents.JSON)
def test_any_body_makes_a_printable_error(document: object) -> None:
    error = kube.parse_status(document, 503)
    assert error.status == 503
    assert str(error).isprintable()


@pytest.mark.parametrize(
    "line",
    [b"garbage", b"{}", b'{"type": "ADDED", "object": {}}', b'{"type": "NEW", "object": {}}', b""],
)
def test_a_line_of_another_shape_is_an_error(line: bytes) -> None:
    with pytest.raises(errors.KubeError):
        kube.parse_watch_line(line)


def test_service_ranges_of_all_objects_are_listed_once() -> None:
    items = [
        {"spec": {"cidrs": ["10.96.0.0/16", "fd00:96::/112"]}},
        {"spec": {"cidrs": ["10.96.0.0/16", "10.97.0.0/16"]}},
    ]
    found = kube.parse_service_cidrs(items)
    assert [str(cidr) for cidr in found] == ["10.96.0.0/16", "fd00:96::/112", "10.97.0.0/16"]


def test_a_service_range_that_is_none_refuses_the_whole_list() -> None:
    with pytest.raises(errors.KubeError, match=r"items\[0\].spec.cidrs\[1\]"):
        kube.parse_service_cidrs([{"spec": {"cidrs": ["10.96.0.0/16", "x"]}}])


@hypothesis.given(items=st.lists(documents.JSON))
def test_no_service_cidr_object_raises_anything_else(items: list[Any]) -> None:
    with contextlib.suppress(errors.KubeError):
        kube.parse_service_cidrs(items)
