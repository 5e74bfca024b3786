"""When to read the API servers' own addresses: they change once in years, and may be out of reach.

Without them all else works, through the ClusterIP. So a right that is missing, or a list that is
not there, is looked at again as seldom as a list that was read; anything else that fails, soon.
"""

from __future__ import annotations

import random

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client, due
from exabgp_k8s.wire import servers

_SETTLED = {403, 404}
"""Answers that stay the same until somebody changes the cluster."""


class Addresses:
    """Has the servers that ``api`` asks learn their addresses, now and then.

    Args:
        api: where to ask.
        every: seconds from one answer to the next question.
        soon: the longest pause after a failure that may be over by then.
    """

    def __init__(self, api: client.Client, every: float, soon: float) -> None:
        self._api, self._every, self._soon = api, every, min(every, soon)
        self._due = due.Due()

    def read(self) -> None:
        """Read them if it is time; a failure is logged and no more."""
        if not self._api.servers.are_learned or not self._due.is_now:
            return
        pause = self._every
        try:
            self._api.servers.learn(servers.parse(self._api.request("GET", servers.SLICE)))
        except errors.KubeError as error:
            self._api.servers.cannot_be_learned(str(error), str(error.status or type(error)))
            if error.status not in _SETTLED:
                pause = self._soon * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
        self._due.after(pause)
