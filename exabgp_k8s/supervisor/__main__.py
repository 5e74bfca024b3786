"""PID 1: starts ExaBGP, watches the agent behind it, and takes both down in the right order.

Standard library only, and little of it: this process lives as long as the container and does
next to nothing. ExaBGP as PID 1 would drop its sessions on SIGTERM before its helper could
withdraw; the agent as PID 1 would turn every crash of its own into a lost session.

==========================  ========================================================
what happens                what is done here
==========================  ========================================================
the agent falls silent      it is killed; ExaBGP starts another, routes stand
ExaBGP is stopped           it is continued at once
ExaBGP does not answer      the agent says so and ends; the next one tries again
it does not see that end    it hangs: it is killed, and started anew
either fault again, soon    both are killed, and started anew
and once more               this process ends, and with it the container
ExaBGP ends                 it is started again after 0.3 s, then later and later
SIGTERM                     the agent is asked to drain, then ExaBGP is ended, and
                            tells the routers why (``launcher.closing``)
==========================  ========================================================
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

from exabgp_k8s import parting
from exabgp_k8s.logs import lines
from exabgp_k8s.supervisor import relay, watchdog

HEARTBEAT_SOCKET = "supervisor.sock"
AGENT_SOCKET = "agent.sock"

RESTART_FIRST, RESTART_MOST = 0.3, 10.0
"""Seconds between the end of ExaBGP and its next start; doubled while it keeps ending."""
STEADY = 60.0
"""Seconds that ExaBGP must have run for the next restart to be a quick one again."""
STOP_LIMIT = 3.0
"""Seconds between SIGTERM and SIGKILL for ExaBGP; 0.15 are usual."""
LOOK = 1.0
"""Seconds between two looks at everything while the agent withdraws."""


class Supervisor:
    """One ExaBGP and the agent behind it."""

    def __init__(self, state_dir: str, command: list[str], stop_limit: float) -> None:
        self._command, self._stop_limit = command, stop_limit
        self._state_dir = state_dir
        parting.forget(state_dir)
        self._agent_socket = os.path.join(state_dir, AGENT_SOCKET)
        self._beats = _bind(os.path.join(state_dir, HEARTBEAT_SOCKET))
        self._watchdog = watchdog.Watchdog()
        self._form = os.environ.get(lines.VARIABLE, lines.JSON)
        self._relay = relay.Relay(2, self._form)
        self._exabgp = 0
        self._agent = 0
        self._started_at = 0.0
        self._start_at: float | None = time.monotonic()
        self._delay = RESTART_FIRST
        self._is_stopping = False
        self._woken, waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def run(self) -> int:
        """Supervise until told to stop; return the exit code."""
        try:
            return self._run()
        finally:
            self._relay.finish()

    def _run(self) -> int:
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
            due = self._watchdog.due if self._start_at is None else self._start_at
            if not self._live(due - time.monotonic()):
                self._say(
                    "supervisor.gave_up", "error", why="the same again whatever is restarted"
                )
                self._end_exabgp()
                return 1
            self._start_if_due()
        self._stop()
        return 0

    def _ask_to_stop(self, *_: object) -> None:
        self._is_stopping = True

    def _live(self, limit: float, *others: socket.socket) -> bool:
        """Wait for anything to happen and answer it; return whether it makes sense to go on."""
        heard = self._listen(min(max(limit, 0), watchdog.SILENCE_LIMIT), *others)
        self._reap()
        now = time.monotonic()
        answer = self._watchdog.heard(heard, now)
        self._note_agent()
        if answer is watchdog.Answer.NOTHING:
            answer = self._watchdog.look(now, _is_there)
        return self._act(answer)

    def _listen(self, timeout: float, *others: socket.socket) -> bytes:
        """Wait for a datagram, a log line, a signal or anything else; return the datagram."""
        readable = [self._beats.fileno(), self._woken, self._relay.source]
        readable += [each.fileno() for each in others]
        writable = [2] if self._relay.is_waiting else []
        ready, _, _ = select.select(readable, writable, [], timeout)
        if self._woken in ready:
            os.read(self._woken, 4096)
        self._relay.read()
        self._relay.write()
        return self._beats.recv(64) if self._beats.fileno() in ready else b""

    def _reap(self) -> None:
        """Collect every child that ended; as PID 1 that includes other people's orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._exabgp and os.WIFSTOPPED(status):
                self._say("exabgp.stopped", "warning", pid=pid, action="continued")
                _kill(pid, signal.SIGCONT)
            elif pid == self._exabgp:
                self._ended(os.waitstatus_to_exitcode(status))

    def _ended(self, code: int) -> None:
        now = time.monotonic()
        if now - self._started_at > STEADY:
            self._delay = RESTART_FIRST
        effect = "none" if self._is_stopping else f"restarted in {self._delay:g} s"
        level = "info" if self._is_stopping and not code else "warning"
        self._say("exabgp.ended", level, code=code, effect=effect)
        # It ends by itself, unless it hangs; then it would keep what the next one needs.
        _kill(self._watchdog.agent, signal.SIGKILL)
        self._watchdog.ended()
        self._agent = 0
        self._exabgp, self._start_at = 0, now + self._delay
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
            file_actions=[(os.POSIX_SPAWN_DUP2, self._relay.inlet, end) for end in (1, 2)],
            setpgroup=0,
            setsigmask=[],
            setsigdef=[signal.SIGUSR1, signal.SIGCHLD],
        )
        self._start_at, self._started_at = None, now
        self._watchdog.started(now)
        self._say("exabgp.started", pid=self._exabgp)

    def _act(self, answer: watchdog.Answer) -> bool:
        """Do what the watchdog wants; return whether it makes sense to go on."""
        if answer is watchdog.Answer.NOTHING or not self._exabgp:
            return True
        level = "error" if answer is watchdog.Answer.END else "warning"
        self._say("watchdog.bit", level, why=self._watchdog.why, action=answer.value)
        if answer is watchdog.Answer.END:
            return False
        _kill(self._watchdog.killed, signal.SIGKILL)
        if answer is watchdog.Answer.KILL_BOTH:
            _kill(self._exabgp, signal.SIGKILL)
        return True

    def _stop(self) -> None:
        self._say("supervisor.stopping")
        if self._exabgp:
            self._say("agent.drained", outcome=self._drain(time.monotonic() + self._stop_limit))
        self._say_parting()
        self._end_exabgp()

    def _say_parting(self) -> None:
        """Have the routers told of the end where no agent could say more about it."""
        if parting.read(self._state_dir) is None:
            text = parting.compose(os.environ.get("NODE_NAME", "node"), ("stopping",))
            try:
                parting.write(self._state_dir, text)
            except OSError as error:
                self._say("parting.not_written", "warning", why=str(error))

    def _drain(self, deadline: float) -> str:
        """Ask the agent to withdraw everything and wait for it; a respawned one is asked again."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                return self._request_drain(left)
            except TimeoutError:
                break
            except OSError:
                # No agent at this moment: it crashed and the next one is starting.
                self._live(0.05)
                if not self._exabgp:
                    return "exabgp is gone"
        return "not within the limit"

    def _request_drain(self, limit: float) -> str:
        """Speak the one HTTP request we need; an HTTP library would double our memory."""
        deadline = time.monotonic() + limit
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(LOOK)
            client.connect(self._agent_socket)
            client.sendall(
                f"POST /v1/drain?stop=1&wait={limit:.1f} HTTP/1.1\r\n"
                "Host: agent\r\nContent-Length: 0\r\n\r\n".encode()
            )
            # Meanwhile both are watched as ever: the one that withdraws may hang too.
            while not _is_readable(client):
                self._live(LOOK, client)
                if time.monotonic() > deadline:
                    raise TimeoutError
            line = client.recv(4096).split(b"\r\n", 1)[0].decode("ascii", "replace")
        if not line:
            raise ConnectionResetError("the agent ended before it answered")
        return "withdrawn and settled" if line.split()[1:2] == ["200"] else f"not drained: {line}"

    def _end_exabgp(self) -> None:
        for number, limit in ((signal.SIGTERM, STOP_LIMIT), (signal.SIGKILL, STOP_LIMIT)):
            _kill(self._exabgp, number)
            deadline = time.monotonic() + limit
            while self._exabgp and (left := deadline - time.monotonic()) > 0:
                self._listen(left)
                self._reap()
            if not self._exabgp:
                return

    def _note_agent(self) -> None:
        """Say that an agent ended: ExaBGP, whose child it was, replaces it without a word."""
        pid = self._watchdog.agent
        if not pid or pid == self._agent:
            return
        if self._agent:
            self._say("agent.ended", "warning", pid=self._agent, effect="another one runs")
        self._say("agent.started", pid=pid)
        self._agent = pid

    def _say(self, event: str, level: str = "info", **fields: lines.Value) -> None:
        """Log a line like the agent's."""
        self._relay.put(lines.render(self._form, event, level, time.time(), **fields))
        self._relay.write()


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


def _is_there(pid: int) -> bool:
    """Return whether a process exists, be it only that its parent has not noticed its end."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _is_readable(client: socket.socket) -> bool:
    ready, _, _ = select.select([client], [], [], 0)
    return bool(ready)


def main(arguments: list[str]) -> int:
    """Run as ``python -m exabgp_k8s.supervisor STATE_DIR STOP_LIMIT COMMAND...``."""
    state_dir, stop_limit, *command = arguments
    return Supervisor(state_dir, command, float(stop_limit)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
