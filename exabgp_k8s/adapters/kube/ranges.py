"""The service ranges of the cluster, where the settings leave them to the API server.

They come second: that they cannot be read must not keep the Node from being watched. Nor is a
watch of their own worth its connection: a range is added once in years. So they are listed after
each list of the Node, and now and then between two of its watches.
"""

from __future__ import annotations

from exabgp_k8s.adapters.kube import client, due
from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import kube

PATH = "/apis/networking.k8s.io/v1/servicecidrs"


class Ranges:
    """The ranges of all ServiceCIDR objects.

    Args:
        api: where to ask.
        every: seconds from one answer to the next question.
    """

    def __init__(self, api: client.Client, every: float) -> None:
        self._api, self._every = api, every
        self._due = due.Due()
        self._last: tuple[model.Network, ...] | None = None

    def expire(self) -> None:
        """Have them read next time, whenever that was done last."""
        self._due.at_once()

    def read(self) -> tuple[model.Network, ...] | None:
        """Read them if it is time, and return them if they are others than the last.

        Raises:
            errors.KubeError: they cannot be read.
        """
        if not self._due.is_now:
            return None
        items, _ = kube.parse_list(self._api.request("GET", PATH))
        cidrs = kube.parse_service_cidrs(items)
        # An API server that is new creates the first range soon; until then ask as if unread.
        if cidrs:
            self._due.after(self._every)
        if cidrs == self._last:
            return None
        self._last = cidrs
        return cidrs
