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
the settings are refused    ExaBGP is ended, and this process with the same exit code
==========================  ========================================================
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time

from exabgp_k8s import chain, parting, restarts
from exabgp_k8s.logs import lines
from exabgp_k8s.supervisor import drain, exabgp, relay, watchdog

STOP_LIMIT = 3.0
"""Seconds that ExaBGP has between SIGTERM and SIGKILL; 0.15 are usual."""
SPIN = 0.05
"""Seconds between two questions whether there is an agent to be asked to drain."""


class Supervisor:
    """One ExaBGP and the agent behind it."""

    def __init__(
        self, state_dir: str, command: list[str], stop_limit: float, checker: int = 0
    ) -> None:
        """Take what to run and where.

        Args:
            state_dir: the state directory, which is ours.
            command: ExaBGP's.
            stop_limit: seconds that a stop waits for the withdrawal.
            checker: the process that checks the settings meanwhile; until it allows them, nothing
                is logged but what it says itself.
        """
        self._stop_limit, self._state_dir = stop_limit, state_dir
        parting.forget(state_dir)
        self._beats = _bind(os.path.join(state_dir, chain.HEARTBEAT_SOCKET))
        self._watchdog = watchdog.Watchdog()
        self._form = os.environ.get(lines.VARIABLE, lines.JSON)
        self._relay = relay.Relay(2, self._form, is_held=bool(checker))
        self._exabgp = exabgp.ExaBGP(command, self._relay.inlet, self._say)
        self._checker, self._refusal = checker, 0
        self._agent = 0
        self._why_replaced, self._is_killing = restarts.ENDED, False
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
            due = self._watchdog.due if self._exabgp.due is None else self._exabgp.due
            goes_on = self._live(due - time.monotonic())
            if self._refusal:
                self._relay.forget()
                self._end_exabgp()
                return self._refusal
            if not goes_on:
                why = "the same again whatever is restarted"
                self._say("supervisor.gave_up", "error", why=why)
                self._end_exabgp()
                return 1
            self._start_if_due()
        self._stop()
        return 0

    def _ask_to_stop(self, *_: object) -> None:
        self._is_stopping = True

    def _live(self, limit: float, *others: socket.socket) -> bool:
        """Wait for anything to happen and answer it; return whether it makes sense to go on."""
        heard = self._listen(min(max(limit, 0), watchdog.TURN), *others)
        self._reap()
        now = time.monotonic()
        self._watchdog.turned(now, self._exabgp.waits)
        answer = self._watchdog.heard(heard, now)
        self._note_agent()
        if answer is watchdog.Answer.NOTHING:
            answer = self._watchdog.look(now, exabgp.is_there)
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
            if pid == self._exabgp.pid and os.WIFSTOPPED(status):
                self._exabgp.continue_()
            elif pid == self._exabgp.pid:
                self._ended(os.waitstatus_to_exitcode(status))
            elif pid == self._checker and not os.WIFSTOPPED(status):
                self._checked(os.waitstatus_to_exitcode(status))

    def _ended(self, code: int) -> None:
        self._exabgp.ended(code, time.monotonic(), is_stopping=self._is_stopping)
        if not (self._is_stopping or self._refusal):
            self._count(restarts.EXABGP, exabgp.reason(code, is_ours=self._is_killing))
        self._is_killing = False
        # It ends by itself, unless it hangs; then it would keep what the next one needs.
        exabgp.kill(self._watchdog.agent, signal.SIGKILL)
        self._watchdog.ended()
        self._agent, self._why_replaced = 0, restarts.ENDED

    def _checked(self, code: int) -> None:
        """Go on with settings that were allowed, or end as the one that refused them did."""
        self._checker, self._refusal = 0, abs(code)
        if not code:
            self._relay.release()
            self._expect_agent()

    def _start_if_due(self) -> None:
        if not self._is_stopping and self._exabgp.start_if_due(time.monotonic()):
            self._expect_agent()

    def _expect_agent(self) -> None:
        """Have the agent watched from now on; one that waits for the check owes no beat."""
        if self._exabgp.pid and not self._checker:
            self._watchdog.started(time.monotonic())

    def _act(self, answer: watchdog.Answer) -> bool:
        """Do what the watchdog wants; return whether it makes sense to go on."""
        if answer is watchdog.Answer.NOTHING or not self._exabgp.pid:
            return True
        level = "error" if answer is watchdog.Answer.END else "warning"
        self._say("watchdog.bit", level, why=self._watchdog.why, action=answer.value)
        self._is_killing = answer is not watchdog.Answer.KILL_AGENT
        if answer is watchdog.Answer.END:
            return False
        if answer is watchdog.Answer.KILL_BOTH:
            # An agent that hung before its first beat is known to ExaBGP alone; another one that
            # was killed before ended long ago.
            for pid in (*self._exabgp.children(), self._exabgp.pid):
                exabgp.kill(pid, signal.SIGKILL)
        else:
            exabgp.kill(self._watchdog.killed, signal.SIGKILL)
            self._why_replaced = self._watchdog.reason
        return True

    def _stop(self) -> None:
        self._relay.release()
        self._say("supervisor.stopping")
        if self._checker:
            # Nobody acts on settings that are not checked: there is nothing to withdraw.
            exabgp.kill(self._checker, signal.SIGKILL)
        elif self._exabgp.pid:
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
        path = os.path.join(self._state_dir, chain.AGENT_SOCKET)
        while (left := deadline - time.monotonic()) > 0:
            try:
                return drain.ask(path, left, self._live)
            except TimeoutError:
                break
            except OSError:
                # No agent at this moment: it crashed and the next one is starting.
                self._live(SPIN)
                if not self._exabgp.pid:
                    return "exabgp is gone"
        return "not within the limit"

    def _end_exabgp(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            exabgp.kill(self._exabgp.pid, number)
            self._await_end(STOP_LIMIT)
            if not self._exabgp.pid:
                return

    def _await_end(self, left: float) -> None:
        """Wait until ExaBGP ended, or for so many seconds that it had: killed, it says nothing."""
        at, waits = time.monotonic(), self._exabgp.waits()
        while self._exabgp.pid and left > 0:
            self._listen(min(left, watchdog.TURN))
            self._reap()
            since, before = at, waits
            at, waits = time.monotonic(), self._exabgp.waits()
            left -= at - since - watchdog.lost(at - since, before, waits)

    def _note_agent(self) -> None:
        """Say that an agent ended: ExaBGP, whose child it was, replaces it without a word."""
        pid = self._watchdog.agent
        if not pid or pid == self._agent:
            return
        if self._agent:
            self._say("agent.ended", "warning", pid=self._agent, effect="another one runs")
            self._count(restarts.AGENT, self._why_replaced)
            self._why_replaced = restarts.ENDED
        self._say("agent.started", pid=pid)
        self._agent = pid

    def _count(self, process: str, reason: str) -> None:
        restarts.count(self._state_dir, process, reason)

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
