"""Runs every check of the settings at its interval, and one outcome is one event.

A check must go on whatever its probe does: a probe that hangs is cancelled at its timeout, one
that raises has failed, and neither delays another check. Runs of one check never overlap.
"""

from __future__ import annotations

import asyncio
import importlib
import random
from collections.abc import Callable, Mapping

from exabgp_k8s.adapters.checks import probing
from exabgp_k8s.core import config, events

JITTER = 0.1
"""Share of the interval: checks of one interval shall not all wake up together for ever."""

FIRST_OFFSET = 0.1
"""Seconds within which the first run starts; nothing is announced before it."""

MODULES: Mapping[type[config.Probe], str] = {
    config.HttpProbe: "http",
    config.TcpProbe: "tcp",
    config.ExecProbe: "exec",
    config.DnsProbe: "dns",
    config.ProcessProbe: "host",
    config.InterfaceProbe: "host",
}
"""The module of each kind of probe; named, not imported, because dnspython costs 2.5 MiB."""


class Runner:
    """One task for each check that is in force."""

    def __init__(self, deliver: Callable[[events.Event], None]) -> None:
        self._deliver = deliver
        self._tasks: dict[config.Check, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def apply(self, checks: tuple[config.Check, ...]) -> None:
        """Make these the checks that run; one that did not change is not disturbed.

        A check that is left out, or that changed, delivers nothing of its old self any more.
        """
        for check in self._tasks.keys() - set(checks):
            self._end(self._tasks.pop(check))
        for check in checks:
            if check not in self._tasks:
                self._tasks[check] = asyncio.create_task(
                    self._repeat(check), name=f"check {check.name}"
                )

    async def close(self) -> None:
        """Stop all checks and wait until nothing of them is left."""
        self.apply(())
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _end(self, task: asyncio.Task[None]) -> None:
        # The loop refers to tasks weakly, and a cancelled one may still have a child to reap.
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        task.cancel()

    async def _repeat(self, check: config.Check) -> None:
        loop = asyncio.get_running_loop()
        prepared = _Prepared(check)
        start = loop.time() + _random(0, min(check.interval, FIRST_OFFSET))
        while True:
            await asyncio.sleep(start - loop.time())
            start = loop.time()
            is_ok, message = await prepared.run()
            self._deliver(
                events.CheckOutcome(
                    name=check.name,
                    is_ok=is_ok,
                    message=probing.one_line(message),
                    duration=loop.time() - start,
                )
            )
            start += check.interval * _random(1 - JITTER, 1 + JITTER)


class _Prepared:
    """A check with its probe, which keeps what is dear between runs: a TLS context, a process."""

    def __init__(self, check: config.Check) -> None:
        self._check = check
        self._probe: probing.Probe | None = None

    async def run(self) -> tuple[bool, str]:
        """Return whether one run succeeded, and what was seen."""
        timer = asyncio.timeout(None)
        try:
            if self._probe is None:
                self._probe = prepare(self._check.probe)
            async with timer:
                timer.reschedule(asyncio.get_running_loop().time() + self._check.timeout)
                return True, await self._probe()
        except probing.ProbeFailed as failure:
            return False, str(failure)
        except OSError as error:
            # TimeoutError is an OSError too: ours, or the kernel's own ETIMEDOUT.
            if timer.expired():
                return False, f"no result within {self._check.timeout:g} s"
            return False, probing.why(error)
        except Exception as error:  # noqa: BLE001 - a check must outlive its probe's mistakes
            return False, f"{type(error).__name__}: {error}"


def prepare(settings: config.Probe) -> probing.Probe:
    """Import what this kind of probe needs and return the probe, ready to be run again and again.

    Raises:
        OSError, ValueError: the probe cannot be set up, for example for want of a CA file.
    """
    module = importlib.import_module(f"{__package__}.{MODULES[type(settings)]}")
    probe: probing.Probe = module.prepare(settings)
    return probe


def _random(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - spreads load, guards no secret
