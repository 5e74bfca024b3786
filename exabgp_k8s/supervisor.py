"""PID 1: starts ExaBGP, watches the agent behind it, and takes both down in the right order.

Standard library only, and little of it: this process lives as long as the container and does
next to nothing. ExaBGP as PID 1 would drop its sessions on SIGTERM before its helper could
withdraw; the agent as PID 1 would turn every crash of its own into a lost session.

========================  ==========================================================
what ends                 what happens here
========================  ==========================================================
the agent falls silent    it is killed; ExaBGP starts another, routes stand
it stays silent           ExaBGP is killed as well, and started anew
that does not help        this process ends, and with it the container
ExaBGP ends               it is started again after 0.3 s, then later and later
SIGTERM                   the agent is asked to drain, then ExaBGP is ended
========================  ==========================================================
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable

HEARTBEAT_SOCKET = "supervisor.sock"
AGENT_SOCKET = "agent.sock"

SILENCE_LIMIT = 10.0
"""Seconds without a sign of life until the agent is killed; it beats once a second."""
START_LIMIT = 30.0
"""Seconds for the first sign of life after ExaBGP was started, on a slow disk."""
RESTART_FIRST, RESTART_MOST = 0.3, 10.0
"""Seconds between the end of ExaBGP and its next start; doubled while it keeps ending."""
STEADY = 60.0
"""Seconds that ExaBGP must have run for the next restart to be a quick one again."""
KILLS_LIMIT = 3
"""Silences in a row, each answered by a kill, after which the container ends."""
STOP_LIMIT = 3.0
"""Seconds between SIGTERM and SIGKILL for ExaBGP; 0.15 are usual."""


def say(event: str, **fields: object) -> None:
    """Write a log line like the agent's; names and numbers only, so no JSON library is needed."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    pairs = "".join(f', "{name}": "{value}"' for name, value in fields.items())
    line = f'{{"event": "{event}"{pairs}, "level": "info", "timestamp": "{stamp}"}}\n'
    os.write(2, line.encode())


class Supervisor:
    """One ExaBGP and the agent behind it."""

    def __init__(self, state_dir: str, command: list[str], stop_limit: float) -> None:
        self._command, self._stop_limit = command, stop_limit
        self._agent_socket = os.path.join(state_dir, AGENT_SOCKET)
        self._beats = _bind(os.path.join(state_dir, HEARTBEAT_SOCKET))
        self._exabgp = 0
        self._agent = 0
        self._started_at = 0.0
        self._start_at: float | None = time.monotonic()
        self._delay = RESTART_FIRST
        self._silent_after = float("inf")
        self._kills = 0
        self._is_stopping = False
        self._woken, waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def run(self) -> int:
        """Supervise until told to stop; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        # Only to be woken: what ended is found by asking.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # The agent tells ExaBGP to reload by this signal; a mistaken one must not end us.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        # Blocked since before we became the supervisor, so that none was lost.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        self._start_if_due()
        while not self._is_stopping:
            self._listen()
            self._reap()
            self._start_if_due()
            if not self._watch():
                say("supervisor.gave_up", why="the agent stays silent whatever is restarted")
                self._end_exabgp()
                return 1
        self._stop()
        return 0

    def _ask_to_stop(self, *_: object) -> None:
        self._is_stopping = True

    def _listen(self) -> None:
        """Wait for a sign of life, a signal or the next thing that is due."""
        due = self._silent_after if self._start_at is None else self._start_at
        timeout = min(max(due - time.monotonic(), 0), SILENCE_LIMIT)
        ready, _, _ = select.select([self._beats.fileno(), self._woken], [], [], timeout)
        if self._woken in ready:
            os.read(self._woken, 4096)
        if self._beats.fileno() not in ready:
            return
        beat = self._beats.recv(64)
        if beat.isdigit():
            self._agent = int(beat)
            self._silent_after = time.monotonic() + SILENCE_LIMIT
            self._kills = 0

    def _reap(self) -> None:
        """Collect every child that ended; as PID 1 that includes other people's orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._exabgp:
                self._ended(os.waitstatus_to_exitcode(status))

    def _ended(self, code: int) -> None:
        now = time.monotonic()
        if now - self._started_at > STEADY:
            self._delay = RESTART_FIRST
        effect = "none" if self._is_stopping else f"restarted in {self._delay:g} s"
        say("exabgp.ended", code=code, effect=effect)
        self._exabgp, self._start_at = 0, now + self._delay
        self._silent_after = float("inf")
        self._delay = min(self._delay * 2, RESTART_MOST)

    def _start_if_due(self) -> None:
        now = time.monotonic()
        if self._start_at is None or now < self._start_at or self._is_stopping:
            return
        # A group of its own: Ctrl-C at a terminal reaches us alone, and we withdraw first.
        self._exabgp = os.posix_spawn(
            self._command[0],
            self._command,
            os.environ,
            setpgroup=0,
            setsigmask=[],
            setsigdef=[signal.SIGUSR1, signal.SIGCHLD],
        )
        self._start_at, self._started_at = None, now
        self._silent_after = now + START_LIMIT
        say("exabgp.started", pid=self._exabgp)

    def _watch(self) -> bool:
        """Answer a silence; return whether it makes sense to go on."""
        now = time.monotonic()
        if not self._exabgp or now < self._silent_after:
            return True
        self._kills += 1
        if self._kills > KILLS_LIMIT:
            return False
        if self._kills == 1 and self._agent:
            say("agent.silent", pid=self._agent, action="killed")
            _kill(self._agent, signal.SIGKILL)
        else:
            say("agent.silent", pid=self._exabgp, action="exabgp killed")
            _kill(self._exabgp, signal.SIGKILL)
        self._silent_after = now + SILENCE_LIMIT
        return True

    def _stop(self) -> None:
        say("supervisor.stopping")
        if self._exabgp:
            say("agent.drained", outcome=self._drain(time.monotonic() + self._stop_limit))
        self._end_exabgp()

    def _drain(self, deadline: float) -> str:
        """Ask the agent to withdraw everything and wait for it; a respawned one is asked again."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                return _request_drain(self._agent_socket, left)
            except TimeoutError:
                break
            except OSError:
                # No agent at this moment: it crashed and the next one is starting.
                time.sleep(0.05)
                self._reap()
                if not self._exabgp:
                    return "exabgp is gone"
        return "not within the limit"

    def _end_exabgp(self) -> None:
        for number, limit in ((signal.SIGTERM, STOP_LIMIT), (signal.SIGKILL, STOP_LIMIT)):
            _kill(self._exabgp, number)
            if _wait_until(lambda: not self._exabgp, limit, self._reap):
                return


def _bind(path: str) -> socket.socket:
    if os.path.exists(path):
        os.unlink(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.bind(path)
    os.chmod(path, 0o600)
    return bound


def _kill(pid: int, number: int) -> None:
    if pid:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def _wait_until(is_true: Callable[[], bool], limit: float, look: Callable[[], None]) -> bool:
    deadline = time.monotonic() + limit
    while True:
        look()
        if is_true():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)


def _request_drain(path: str, limit: float) -> str:
    """Speak the one HTTP request we need; an HTTP library would double our memory."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(limit)
        client.connect(path)
        client.sendall(
            f"POST /v1/drain?stop=1&wait={limit:.1f} HTTP/1.1\r\n"
            "Host: agent\r\nContent-Length: 0\r\n\r\n".encode()
        )
        line = client.recv(4096).split(b"\r\n", 1)[0].decode("ascii", "replace")
    if not line:
        raise ConnectionResetError("the agent ended before it answered")
    return "withdrawn and settled" if " 200" in line else f"not drained: {line}"


def main(arguments: list[str]) -> int:
    """Run as ``python -m exabgp_k8s.supervisor STATE_DIR STOP_LIMIT COMMAND...``."""
    state_dir, stop_limit, *command = arguments
    return Supervisor(state_dir, command, float(stop_limit)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
