"""GTSM (RFC 5082) on our side only: what comes of it, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional


def test_a_router_without_gtsm_gets_no_session_and_the_reason_names_it(tmp_path: Path) -> None:
    """A router listens with a TTL of 255 for whoever comes, so the connection itself comes up."""
    with Lab(tmp_path) as lab:
        document = lab.document()
        document["peers"][0]["ttlSecurity"] = True
        lab.write(document)
        lab.start()

        # ExaBGP waits 20 s for an OPEN.
        words = "without ttlSecurity (GTSM) at the router, its packets are dropped here"
        until(lambda: words in lab.json("sessions")[0]["problem"], lab.state)
        assert not lab.router.is_up
