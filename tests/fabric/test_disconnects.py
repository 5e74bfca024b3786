"""Each cause of a session that is down has words of its own, tried with the cause itself."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from tests.fabric import addresses, bird, cluster, routers, waiting

pytestmark = pytest.mark.fabric

NODE = "n1"
OPEN = bytes.fromhex("ff" * 16 + "001d0104fc010009c000020100")
"""An OPEN of AS 64513 without capabilities, hold time 9 s."""


class Down:
    """One node, and one router whose session with it is brought down."""

    def __init__(self, formed: cluster.Cluster) -> None:
        self.cluster = formed
        self.node = formed.fabric.node(NODE)
        self.agent = formed.agents[NODE]
        (self.router,) = formed.fabric.routers

    def await_words(self, *words: str) -> None:
        """Wait until ``sessions`` gives a cause with all of these words."""
        waiting.until(lambda: all(word in self.problem() for word in words), f"{words}")

    def problem(self) -> str:
        """Return why the session is down."""
        return str(self.agent.rows("sessions")[0]["problem"])

    def await_session(self) -> None:
        """Wait until the session is up."""
        waiting.until(lambda: bool(self.agent.rows("sessions")[0]["up"]), "it is up")


@pytest.fixture
def down(kind: type[routers.Router], form: cluster.Factory) -> Down:
    """A bed where everything is announced."""
    built = Down(form([kind], nodes_wanted=1))
    built.cluster.start()
    return built


def crowd(listening: socket.socket, answer: bytes, *, is_reset: bool) -> None:
    """Accept connections, read an OPEN, send an answer and close, until the socket is closed."""
    while True:
        try:
            accepted, _ = listening.accept()
        except OSError:
            return
        with accepted:
            accepted.recv(4096)
            accepted.sendall(answer)
            if is_reset:
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def odd(down: Down) -> Down:
    """A bed whose router is only a socket on port 179, which a test answers at."""
    down.router.stop()
    return down


def serve(odd: Down, answer: bytes, *, is_reset: bool) -> socket.socket:
    """Listen as the router, and end each connection after the answer."""
    listening = odd.router.namespace.listen(odd.router.address, 179)
    options = {"is_reset": is_reset}
    threading.Thread(target=crowd, args=(listening, answer), kwargs=options, daemon=True).start()
    return listening


def hang_up(listening: socket.socket) -> None:
    """End the listener: a thread waits in its accept."""
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@pytest.mark.long
@pytest.mark.fault(
    area="routers",
    what="a session cannot come up: refused, dropped, no route, no own address",
    sees="nothing; `sessions` and the log name each cause in words of its own",
    within="4.5 s after it began",
)
@pytest.mark.parametrize("kind", [bird.Bird], ids=["bird"])
def test_each_cause_of_no_connection_has_words_of_its_own(down: Down) -> None:
    node, router = down.node, down.router
    router.kill()
    down.await_words("connection refused", f"{router.address} port 179")

    router.namespace.run("iptables", "-A", "INPUT", "-p", "tcp", "-j", "DROP")
    down.await_words("no answer", "firewall", "or it expects a TCP MD5 password")
    router.namespace.run("iptables", "-F", "INPUT")
    down.await_words("connection refused")

    router.namespace.ip("link set eth0 down")
    down.await_words("no route", "unreachable", "nobody has that address")
    router.namespace.ip("link set eth0 up")
    down.await_words("connection refused")

    node.namespace.ip(f"route add throw {router.address}/32")
    down.await_words(f"no route: this host has none to {router.address}")
    node.namespace.ip(f"route del throw {router.address}/32")
    down.await_words("connection refused")

    node.namespace.ip(f"addr del {node.address}/24 dev eth0")
    down.await_words(f"our own address {node.address} is not on this host")


@pytest.mark.fault(
    area="routers",
    what="something at the router's address closes or resets each connection",
    sees="nothing; `sessions` and the log say by which side, and before or after its OPEN",
    within="4.5 s after it began",
)
@pytest.mark.parametrize("kind", [bird.Bird], ids=["bird"])
@pytest.mark.parametrize(
    ("answer", "is_reset", "words"),
    [
        (b"", False, ("closed by the router before its OPEN", "may not know 192.0.2.11")),
        (b"", True, ("reset by the router before its OPEN",)),
        (OPEN, False, ("closed by the router after its OPEN, without a NOTIFICATION",)),
        (OPEN, True, ("reset by the router after its OPEN",)),
    ],
    ids=["closed-before", "reset-before", "closed-after", "reset-after"],
)
def test_a_connection_that_the_router_ends_says_when(
    odd: Down, answer: bytes, words: tuple[str, ...], *, is_reset: bool
) -> None:
    listening = serve(odd, answer, is_reset=is_reset)
    odd.await_words(*words)
    hang_up(listening)


def test_the_loss_of_an_established_session_says_what_was_lost_and_stays_readable(
    down: Down,
) -> None:
    down.router.kill()
    down.await_words("connection refused")
    log = down.node.directory / "agent.log"
    words = "by the router without a NOTIFICATION; its daemon was stopped, killed or crashed"
    waiting.until(lambda: words in log.read_text(), "it is logged")

    down.router.start()
    down.await_session()
    (row,) = down.agent.rows("sessions")
    assert row["problem"] == ""
    assert "connection" in row["last_problem"]
    assert row["last_problem_seconds"] >= 0


@pytest.mark.fault(
    area="routers",
    what="one of the two has another AS than the other expects",
    sees="no session; `sessions` names both AS numbers",
    within="4.5 s and the handshake after it is mended",
)
def test_a_wrong_as_is_told_with_both_numbers(down: Down) -> None:
    down.router.change(routers.Variation.OTHER_ASN)
    down.await_words("notification 2/2 (bad peer AS)",
                     f"expects another AS of us than {addresses.NODE_ASN}")  # fmt: skip
    down.router.change()
    down.await_session()

    document = down.cluster.document()
    document["peers"][0]["asn"] = 4200000000
    down.cluster.write(document)
    down.await_words("notification sent 2/2 (bad peer AS)", f"the router is AS "
                     f"{addresses.ROUTER_ASN}, and the settings say 4200000000")  # fmt: skip


@pytest.mark.long
@pytest.mark.fault(
    area="routers",
    what="the TCP MD5 passwords of the two ends differ, or only one end has one",
    sees="no session; `sessions` says that there is no answer and that it may be the password",
    within="4.5 s and the handshake after both ends agree",
)
def test_silence_says_that_it_may_be_the_password(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=1, peer={"passwordFrom": cluster.PASSWORD_KEY})
    down = Down(formed)
    down.router.change(password="theirs")
    down.agent.passwords.write({cluster.PASSWORD_KEY: "ours"})
    down.agent.start()
    waiting.until(lambda: down.agent.answers() and bool(down.agent.rows("sessions")), "an agent")
    down.await_words("no answer", "or its TCP MD5 password is another one or none")

    down.agent.passwords.write({cluster.PASSWORD_KEY: "theirs"})
    down.await_session()

    document = formed.document()
    del document["peers"][0]["passwordFrom"]
    formed.write(document)
    down.await_words("no answer", "or it expects a TCP MD5 password")

    document["peers"][0]["passwordFrom"] = cluster.PASSWORD_KEY
    formed.write(document)
    down.await_session()
    down.router.change(password="")
    down.await_words("no answer", "or its TCP MD5 password is another one or none")


@pytest.mark.parametrize("kind", [bird.Bird], ids=["bird"])
def test_an_answer_without_a_signature_is_told_from_silence(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    """A router that knows nothing of TCP MD5 answers: the kernel counts what it drops of that."""
    formed = form([kind], nodes_wanted=1, peer={"passwordFrom": cluster.PASSWORD_KEY})
    down = Down(formed)
    # The option is taken off our SYN, so that its kernel takes it for one without a password.
    down.router.stop()
    listening = down.router.namespace.listen(down.router.address, 179)
    down.router.namespace.run(
        "iptables", "-t", "mangle", "-A", "PREROUTING", "-p", "tcp", "--dport", "179",
        "-j", "TCPOPTSTRIP", "--strip-options", "19",
    )  # fmt: skip
    down.agent.passwords.write({cluster.PASSWORD_KEY: "ours"})
    down.agent.start()
    waiting.until(lambda: down.agent.answers() and bool(down.agent.rows("sessions")), "an agent")
    down.await_words("no answer", "meanwhile the kernel dropped packets without a TCP MD5")
    listening.close()
