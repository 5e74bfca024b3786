"""What each neighbor gets of a change: a route of its own, and the attributes of all.

ExaBGP copies a change for each neighbor and prefix with everything in it, down to the single
addresses, because "next-hop self" becomes another address for each. The agent always names the
address; so the copies differed in nothing, and were half of the time that a command took.

Here only the route is copied, which says whether it is announced or withdrawn. The attributes are
shared, as ExaBGP itself shares them among the prefixes of one command. Where the next hop is
"self" ExaBGP does it its own way.

Replaced in ExaBGP 5.0.15: ``bgp.neighbor.Neighbor.remove_self``.
Noticed by: ``test_neighbors_share_the_attributes_of_a_change``.
"""

from __future__ import annotations

import copy
from typing import Any


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, copy no more than it has to."""
    from exabgp.bgp import neighbor  # noqa: PLC0415 - a new clock comes before ExaBGP

    adapt = neighbor.Neighbor.remove_self

    def own(one: Any, change: Any) -> Any:
        if change.nlri.nexthop.SELF:
            return adapt(one, change)
        made = copy.copy(change)
        made.nlri = copy.copy(change.nlri)
        return made

    neighbor.Neighbor.remove_self = own
