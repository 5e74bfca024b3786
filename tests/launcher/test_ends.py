"""What the launcher makes of ExaBGP's ends, and of the kernel's counters."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from exabgp_k8s.launcher import ends

NETSTAT = """TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPAOBad
TcpExt: 7 1 2 3 9
IpExt: InNoRoutes TCPMD5Failure
IpExt: 5 77
"""


def lost(code: int) -> Exception:
    """Return ExaBGP's error of a lost connection, as it raises it."""
    error = ConnectionError("issue reading on the socket")
    error.__context__ = OSError(code, "as the kernel said")
    return error


def test_the_counters_are_those_of_tcp_md5(tmp_path: Path) -> None:
    path = tmp_path / "netstat"
    path.write_text(NETSTAT)

    assert ends.md5_counters(str(path)) == {
        "TCPMD5NotFound": 1,
        "TCPMD5Unexpected": 2,
        "TCPMD5Failure": 3,
    }


def test_this_kernel_has_the_counters() -> None:
    assert set(ends.md5_counters()) == set(ends.MD5_COUNTERS)


@pytest.mark.parametrize("text", ["", "TcpExt: A\n", None], ids=["empty", "torn", "absent"])
def test_a_kernel_without_the_counters_costs_nothing(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "netstat"
    if text is not None:
        path.write_text(text)

    assert ends.md5_counters(str(path)) == {}


@pytest.mark.parametrize(
    ("message", "problem", "told"),
    [
        ("closing connection", lost(errno.ECONNRESET), "lost ECONNRESET in OPENSENT"),
        ("closing connection", lost(errno.EPIPE), "lost EPIPE in OPENSENT"),
        (
            "closing connection",
            ConnectionError("the TCP connection was closed by the remote end"),
            "lost FIN in OPENSENT",
        ),
        ("closing connection", ConnectionError("ETIMEDOUT"), "lost ETIMEDOUT in OPENSENT"),
        (
            "closing connection",
            ConnectionError("ETIMEDOUT [md5 TCPMD5NotFound]"),
            "lost ETIMEDOUT in OPENSENT [md5 TCPMD5NotFound]",
        ),
        ("notification sent (2,2)", "any", "notification sent (2,2) peer-as 64513"),
        ("notification received (6,2)", "any", "notification received (6,2)"),
        ("", "", ""),
    ],
)
def test_an_end_is_told_with_its_cause(message: str, problem: object, told: str) -> None:
    assert ends.reason(message, problem, "OPENSENT", 64513) == told


class Notify(Exception):
    """A NOTIFICATION that ExaBGP sends, with its data."""

    def __init__(self, data: bytes) -> None:
        self.data = data


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"waited for open too long, we do not like stuck in active", " no-open"),
        (b"The packet received does not contain a BGP marker", ""),
    ],
)
def test_an_open_waited_for_in_vain_is_no_wrong_header(data: bytes, told: str) -> None:
    said = "notification sent (1,1)"

    assert ends.reason(said, Notify(data), "OPENSENT", 0) == said + told
