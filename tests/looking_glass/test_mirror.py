"""What is held of the objects, and who hears of it."""

from __future__ import annotations

from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client
from exabgp_k8s.looking_glass import sources
from exabgp_k8s.wire import kube
from tests.cluster import samples


class Heard:
    """The objects, and how often there was news of them."""

    def __init__(self) -> None:
        self.news = 0
        self.sources = sources.Sources(client.Access(), self._count)
        self.speakers = self.sources.speakers

    def _count(self) -> None:
        self.news += 1

    def changed(self, item: dict[str, Any], kind: kube.LineType = kube.LineType.MODIFIED) -> bool:
        """Show a change."""
        return self.speakers.changed(kube.WatchLine(type=kind, version="1", object=item))


def test_a_heartbeat_is_held_and_is_no_news() -> None:
    heard = Heard()
    heard.changed(samples.well(1))
    before = heard.news
    heard.changed(samples.well(1, lastContact="2026-11-26T03:00:00Z"))

    assert heard.news == before
    assert heard.speakers.values()["n1"].last_contact == "2026-11-26T03:00:00Z"


def test_whatever_else_changes_is_news() -> None:
    heard = Heard()
    heard.changed(samples.well(1))
    for each in (samples.cordoned(1), samples.well(1, version="2"), samples.well(2)):
        before = heard.news
        heard.changed(each)

        assert heard.news == before + 1
    heard.changed(samples.well(1), kube.LineType.DELETED)
    assert set(heard.speakers.values()) == {"n2"}


def test_a_list_replaces_all_and_what_has_no_name_is_left_out() -> None:
    heard = Heard()
    heard.changed(samples.well(1))
    listed = [samples.well(2), {"metadata": {}}, {"metadata": {"name": 3}}]
    heard.speakers.listed([heard.speakers.taken(each) for each in listed])

    assert set(heard.speakers.values()) == {"n2"}
    assert not heard.changed({"metadata": {}})


def test_a_loss_keeps_what_is_known_and_says_what_to_do() -> None:
    heard = Heard()
    heard.changed(samples.well(1))
    heard.speakers.lost(errors.KubeError("the API server answered 404: not found", status=404))

    assert set(heard.speakers.values()) == {"n1"}
    assert heard.sources.problem == (
        "the API server answered 404: not found. "
        "Their definition is among the manifests: kubectl apply -k daemonset"
    )
    heard.speakers.contact()
    assert heard.sources.problem == ""
