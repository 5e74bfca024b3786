"""What anybody may write into an object of the API: reading it never raises anything unexpected.

Each property takes a true object, puts something foreign into a place of it, and has it read as
the agent reads it and used as the agent uses it.
"""

from __future__ import annotations

import contextlib
import copy
import json
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s import errors
from exabgp_k8s.core.facts import budget, config
from exabgp_k8s.core.judge import budget as counting
from exabgp_k8s.tryout.kubeapi import nodes
from exabgp_k8s.wire import kube, kube_node, leases, pods, remembered

NOW = 1_764_000_000.0
SKEW = 30.0

FOREIGN: tuple[Any, ...] = (
    *("9" * 5000, "9" * 21, "9" * 20, "\u0663", "\u00b2", "-1", "+1", "1_0", " 1"),
    *("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999-14:00"),
    *("9999-12-31T23:59:59Z", "2026-01-01", "2026-W01-1T00", "1e400"),
    *("2026-01-01T00:00:00.000000+23:59:59.999999", "\ud800", "a\x1b[31m", "x" * 100_000, ""),
    *(None, True, 0, -1, 2**31, 2**63, 10**4299, -(10**4299), 1.5, float("inf"), float("nan")),
    *([], {}, [[]], {"": None}, [None]),
)
ANYTHING = st.recursive(
    st.sampled_from(FOREIGN) | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)

LEASE = json.loads(
    json.dumps(
        leases.render(
            leases.Lease(
                node="n1",
                standing=budget.Standing.SLOT,
                version="7",
                claim=5,
                since=NOW,
                renewed=NOW,
                lasts=180,
                uid="u",
            )
        )
    )
)
NODE: dict[str, Any] = nodes.node_object("n1")
NODE["metadata"] |= {"resourceVersion": "7", "uid": "u"}
NODE["spec"]["taints"] = [{"key": "k", "effect": "NoSchedule"}]
RANGES = {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/16"]}}
OWNER = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "u", "controller": True}
POD = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [OWNER]}}
DAEMON_SET = {
    "metadata": {"uid": "u"},
    "spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a document."""
    yield path
    if isinstance(value, dict | list):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in steps:
            yield from places(inner, (*path, key))


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return the document with one place of it replaced."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def mutated(document: Any) -> st.SearchStrategy[Any]:
    """Return the documents that differ from one in up to three places."""
    return st.lists(
        st.tuples(st.sampled_from([*places(document)]), ANYTHING), min_size=1, max_size=3
    ).map(lambda changes: _changed(document, changes))


def _changed(document: Any, changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    for path, value in changes:
        # An earlier change may have taken the place away.
        with contextlib.suppress(KeyError, IndexError, TypeError):
            document = put(document, path, value)
    return document


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


def use(lease: leases.Lease) -> None:
    """Do with a Lease what the agent does."""
    assert -1 < lease.key < 10**20
    assert 0 <= lease.lasts <= leases.LONGEST_LIFE
    holding = lease.holding(NOW, SKEW)
    assert lease.is_live(NOW, SKEW) == holding.is_live
    counting.count([holding], "n2", 9, config.Budget())
    json.dumps(leases.render(lease))


@pytest.mark.parametrize("value", FOREIGN, ids=range(len(FOREIGN)))
def test_a_lease_may_hold_anything_anywhere(value: Any) -> None:
    for path in places(LEASE):
        document = body(put(LEASE, path, value))
        with contextlib.suppress(errors.KubeError):
            use(leases.parse(document, "n1"))
        for each in leases.parse_page(b'{"metadata": {}, "items": [%b]}' % document).leases:
            use(each)


@hypothesis.given(document=mutated(LEASE))
def test_any_lease_of_ours_is_read_as_our_own_and_can_be_written_again(document: Any) -> None:
    with contextlib.suppress(errors.KubeError):
        found = leases.parse(body(document), "n1")
        assert found.node == "n1"
        use(found)


@hypothesis.given(
    document=mutated({"metadata": {"remainingItemCount": 3, "continue": "x"}, "items": [LEASE]})
)
def test_any_list_of_leases_is_a_page_or_an_error_of_the_api(document: Any) -> None:
    with contextlib.suppress(errors.KubeError):
        page = leases.parse_page(body(document))
        assert 0 <= page.size <= leases.MOST_NODES
        for each in page.leases:
            use(each)


@hypothesis.given(
    document=mutated({"metadata": {"resourceVersion": "8"}, "items": [NODE]}),
    line=mutated({"type": "MODIFIED", "object": NODE}),
)
def test_any_node_in_a_list_or_a_watch_is_read_or_an_error_of_the_api(
    document: Any, line: Any
) -> None:
    with contextlib.suppress(errors.KubeError):
        for item in kube.parse_list(body(document))[0]:
            facts = kube_node.parse(item)
            remembered.load(remembered.dump(facts, None), "n1")
    with contextlib.suppress(errors.KubeError):
        facts = kube_node.parse(kube.parse_watch_line(body(line)).object)
        remembered.dump(facts, None).encode()


@hypothesis.given(document=mutated([RANGES]))
def test_any_list_of_service_ranges_is_read_or_an_error_of_the_api(document: Any) -> None:
    if isinstance(document, list):
        with contextlib.suppress(errors.KubeError):
            kube.parse_service_cidrs(document)


@hypothesis.given(
    document=mutated({"code": 429, "message": "m", "details": {"retryAfterSeconds": 1}})
)
def test_any_status_is_a_short_error(document: Any) -> None:
    error = kube.parse_status(document)
    assert len(str(error)) < 400
    assert str(error).isascii()
    min(error.retry_after, 60)


@hypothesis.given(pod=mutated(POD), owner=mutated(DAEMON_SET))
def test_any_pod_and_daemon_set_is_understood_or_an_error_of_the_api(pod: Any, owner: Any) -> None:
    with contextlib.suppress(errors.KubeError):
        found = pods.parse_pod(body(pod))
        pods.why_nobody_comes(found, pods.parse_daemon_set(body(owner)), {"a": "b"})


@pytest.mark.parametrize("opening", [b"[", b'{"metadata":', b'{"items":[{"metadata":'])
def test_nesting_without_an_end_is_an_error_of_the_api(opening: bytes) -> None:
    for read in (
        kube.parse_list,
        kube.parse_watch_line,
        leases.parse_page,
        pods.parse_pod,
        pods.parse_daemon_set,
    ):
        with pytest.raises(errors.KubeError):
            read(opening * 100_000)
    with pytest.raises(errors.KubeError):
        leases.parse(opening * 100_000, "n1")


def test_a_claim_of_five_thousand_digits_is_ordered_by_its_version() -> None:
    claim = ("metadata", "annotations", leases.CLAIM)
    found = leases.parse(body(put(LEASE, claim, "9" * 5000)), "n1")
    assert found.key == 7


def test_a_lease_does_not_last_longer_than_ours_do_whatever_it_says() -> None:
    found = leases.parse(body(put(LEASE, ("spec", "leaseDurationSeconds"), 2**31 - 1)), "n1")
    assert not found.is_live(NOW + leases.LONGEST_LIFE + SKEW + 1, SKEW)


def test_a_lease_renewed_in_the_far_future_is_nobodys() -> None:
    found = leases.parse(body(put(LEASE, ("spec", "renewTime"), "9000-01-01T00:00:00Z")), "n1")
    assert not found.is_live(time.time(), SKEW)


def test_a_lease_whose_name_is_not_that_of_its_node_is_nobodys() -> None:
    """Else one name that may be written would be as many nodes as its writer likes."""
    page = {"metadata": {}, "items": [put(LEASE, ("spec", "holderIdentity"), "n2"), LEASE]}
    assert [each.node for each in leases.parse_page(body(page)).leases] == ["n1"]


def test_our_own_lease_is_ours_whatever_somebody_wrote_into_it() -> None:
    found = leases.parse(body({"metadata": {"resourceVersion": "9"}, "spec": "mine"}), "n1")
    assert found == leases.Lease(node="n1", standing=budget.Standing.IN, version="9")
