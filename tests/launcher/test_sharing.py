"""A change for several neighbors: what is copied of it, and what is not."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = r"""
import sys
from exabgp_k8s.launcher import sharing
if sys.argv[1] == "ours":
    sharing.install()
from exabgp.configuration.configuration import Configuration
from exabgp.environment import getenv
from exabgp.logger import log
from exabgp.reactor.api import API

log.init(getenv())
text = "process agent { run /bin/cat; encoder json; }\n"
for number in (1, 2):
    text += (
        f"neighbor 192.0.2.{number} {{ local-address 192.0.2.1{number}; router-id 192.0.2.11;"
        " local-as 64512; peer-as 64513; family { ipv4 unicast; } api { processes [ agent ]; } }\n"
    )
configuration = Configuration([text], True)
assert configuration.reload() is True, configuration.error
command = f"announce route 10.96.0.0/16 next-hop {sys.argv[2]} med 7"
(change,) = API(None).api_route(command)
configuration.inject_change(list(configuration.neighbors), change)
first, second = (
    next(each.rib.outgoing.queued_changes()) for each in configuration.neighbors.values()
)
print(first.attributes is second.attributes, first.nlri is second.nlri)
print(first.nlri.nexthop, second.nlri.nexthop)
"""


def found(which: str, next_hop: str) -> list[str]:
    """Return what ExaBGP's own process found, line by line."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, which, next_hop], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("which", "shared"), [("ours", "True False"), ("exabgp", "False False")])
def test_neighbors_share_the_attributes_of_a_change(which: str, shared: str) -> None:
    """Alone it copies them for each."""
    assert found(which, "192.0.2.99") == [shared, "192.0.2.99 192.0.2.99"]


def test_a_next_hop_of_self_is_another_one_for_each_neighbor() -> None:
    assert found("ours", "self") == ["False False", "192.0.2.11 192.0.2.12"]
