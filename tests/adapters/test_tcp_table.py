"""Which routers still have a connection with this node."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from exabgp_k8s.adapters import tcp_table


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_connection_is_seen_until_it_has_ended(family: socket.AddressFamily, host: str) -> None:
    """By an address of its own, so that no other connection of this machine is meant."""
    own = "127.83.65.66" if family == socket.AF_INET else host
    address = ipaddress.ip_address(own)
    with socket.create_server((own, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2], source_address=(host, 0)) as ours:
            assert address in set(tcp_table.connected())
            theirs, _ = server.accept()
        theirs.close()
        ours.close()
    if family == socket.AF_INET:
        assert address not in set(tcp_table.connected())
