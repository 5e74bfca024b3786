"""The service ranges from the API: read beside the Node, and never in its way."""

from __future__ import annotations

import pathlib
import threading
from collections.abc import Callable

import pytest

from exabgp_k8s.adapters.kube import reflector
from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import api
from tests.adapters import reflecting
from tests.support import kubeapi


@pytest.mark.fault(
    area="control plane",
    what="the ServiceCIDR objects cannot be read",
    sees="the pod range; cordons are heard",
    within="45 s until they are asked for again",
)
def test_service_ranges_that_cannot_be_read_do_not_keep_the_node_from_being_watched(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.inject(kubeapi.status(403), kubeapi.SERVICE_CIDRS)
    timings = reflector.Timings(watch=(1, 1), short_life=0)
    with reflecting.Run(server, tmp_path, timings, lambda: True) as run:
        number = run.got.wait_for(reflecting.is_lost)
        run.synced()
        run.sees_a_cordon()
        run.got.wait_for(lambda event: isinstance(event, events.ServiceCidrsSeen), after=number)
    assert "announce.services.cidrs" in run.got.of(events.KubeLost)[0].problem


def test_a_service_range_added_later_is_delivered_and_an_unchanged_one_is_not_repeated(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    timings = reflector.Timings(watch=(1, 1), reread=0, short_life=0)
    with reflecting.Run(server, tmp_path, timings, lambda: True) as run:
        kubeapi.until(lambda: server.count(kubeapi.SERVICE_CIDRS) >= 2)
        add_range(server, "10.97.0.0/16")
        run.got.wait_for(has_ranges("10.96.0.0/16", "10.97.0.0/16"))
    assert len(run.got.of(events.ServiceCidrsSeen)) == 2


def test_an_empty_list_of_service_ranges_is_told_once_and_asked_for_again_soon(
    tmp_path: pathlib.Path,
) -> None:
    timings = reflector.Timings(watch=(1, 1), short_life=0)
    with (
        kubeapi.KubeApi(nodes=[reflecting.NODE]) as server,
        reflecting.Run(server, tmp_path, timings, lambda: True) as run,
    ):
        kubeapi.until(lambda: server.count(kubeapi.SERVICE_CIDRS) >= 2)
        add_range(server, "10.97.0.0/16")
        run.got.wait_for(has_ranges("10.97.0.0/16"))
        asked, watched = server.count(kubeapi.SERVICE_CIDRS), server.count(kubeapi.WATCH)
        kubeapi.until(lambda: server.count(kubeapi.WATCH) > watched + 1)
        assert server.count(kubeapi.SERVICE_CIDRS) == asked
    first, _ = run.got.of(events.ServiceCidrsSeen)
    assert first.cidrs == ()
    assert not run.got.of(events.KubeLost)


def test_service_ranges_that_are_not_wanted_cost_no_request(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    timings = reflector.Timings(watch=(1, 1), reread=0, short_life=0)
    with reflecting.Run(server, tmp_path, timings):
        kubeapi.until(lambda: server.count(kubeapi.WATCH) >= 3)
    assert len(server.requests) == server.count(kubeapi.WATCH) + 1


def add_range(server: kubeapi.KubeApi, cidr: str) -> None:
    """Create one more ServiceCIDR object."""
    written = {"metadata": {"name": "more"}, "spec": {"cidrs": [cidr]}}
    server.store.create(api.find_collection("networking.k8s.io/v1", "servicecidrs"), written)


def has_ranges(*cidrs: str) -> Callable[[events.Event], bool]:
    return lambda event: (
        isinstance(event, events.ServiceCidrsSeen) and {*map(str, event.cidrs)} == {*cidrs}
    )


def test_service_ranges_wanted_later_are_read_after_a_refresh(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    wanted = threading.Event()
    with reflecting.Run(server, tmp_path, reflecting.QUICK, wanted.is_set) as run:
        run.synced()
        wanted.set()
        run.reflector.refresh()
        run.got.wait_for(lambda event: isinstance(event, events.ServiceCidrsSeen))
    assert server.count(kubeapi.LIST) == 2
    assert not run.got.of(events.KubeLost)
