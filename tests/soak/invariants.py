"""What must hold during a step, read from every message of the routers' kernels.

A table that is right before and after says nothing about the time between. A node that no fault
of the step names, and that is announced before and after it, must have been there throughout.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tests.fabric import addresses, nodes


def violations(messages: Collection[str], pods: Collection[nodes.Node],
               services: Collection[nodes.Node]) -> Iterator[str]:  # fmt: skip
    """Yield every message of a router that takes away what nothing was to take away.

    Args:
        messages: lines of ``ip -oneline monitor route``.
        pods: the nodes whose pod ranges stay.
        services: the nodes that stay next hops of the service range.
    """
    ranges = {node.pod_cidr for node in pods}
    hops = {node.address for node in services}
    for message in messages:
        is_deleted = message.startswith("Deleted ")
        prefix = message.removeprefix("Deleted ").split(maxsplit=1)[0]
        if is_deleted and prefix in ranges:
            yield message
        if prefix == addresses.SERVICES and hops:
            left = set() if is_deleted else set(re.findall(r"\bvia (?:inet )?(\S+)", message))
            if not hops <= left:
                yield message
