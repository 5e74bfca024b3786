"""Runs every check of the settings at its interval, and one outcome is one event.

A check must go on whatever its probe does: a probe that hangs is cancelled at its timeout, one
that raises has failed, and neither delays another check. Runs of one check never overlap.

While a verdict is open, which is from the first outcome against the check's health until so many
of them that they count, the interval may be a shorter one. One outcome for it ends that, too.

The first ones follow each other without the interval: nothing new is announced before a check has
its verdict, and what succeeds twice at once needs no pause in between. A failure ends that. What
speaks against the node must have lasted, and what is just starting is not helped by more probes.
"""

from __future__ import annotations

import asyncio
import importlib
import random
from collections.abc import Callable, Mapping

from exabgp_k8s.adapters import shortage
from exabgp_k8s.adapters.checks import loop_lag, probing
from exabgp_k8s.core.facts import config, events, printable
from exabgp_k8s.core.facts.checks import Hysteresis
from exabgp_k8s.core.observe import checks

JITTER = 0.1
"""Share of the interval: checks of one interval shall not all wake up together for ever."""

FIRST_OFFSET = 0.02
"""Seconds within which the first run starts; nothing is announced before it."""

FIRST_RUNS = 3
"""Runs that follow each other at once at the most; who wants more successes wants them spread."""

RELEVANT = 0.25
"""Part of a probe's time for which the loop must have stood still to be blamed for its end."""

PATIENCE = 30.0
"""Seconds without any outcome after which a run counts although the loop stood still."""

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
    """One task for each check that is in force.

    Args:
        deliver: is given an event for each run.
        patience: seconds for which runs may say nothing because the loop stood still.
    """

    def __init__(
        self, deliver: Callable[[events.Event], None], patience: float = PATIENCE
    ) -> None:
        self._deliver, self._patience = deliver, patience
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
        prepared = _Prepared(check, self._patience)
        start = loop.time() + _random(0, min(check.interval, FIRST_OFFSET))
        at_once = min(check.rise, FIRST_RUNS) - 1
        """Further runs that follow without the interval."""
        hysteresis = Hysteresis()
        while True:
            await asyncio.sleep(start - loop.time())
            start = loop.time()
            found = await prepared.run()
            self._deliver(found)
            if isinstance(found, events.CheckMissed) and found.is_repeated:
                continue
            at_once = at_once - 1 if isinstance(found, events.CheckOutcome) and found.is_ok else -1
            is_open = False
            if isinstance(found, events.CheckOutcome):
                hysteresis = checks.step(hysteresis, found.is_ok, rise=check.rise, fall=check.fall)
                is_open = hysteresis.streak != 0
            if at_once < 0:
                interval = check.fast_interval if is_open else None
                start += (interval or check.interval) * _random(1 - JITTER, 1 + JITTER)


class _Prepared:
    """A check with its probe, which keeps what is dear between runs: a TLS context, a process."""

    def __init__(self, check: config.Check, patience: float) -> None:
        self._check, self._patience = check, patience
        self._probe: probing.Probe | None = None
        self._told = asyncio.get_running_loop().time()
        """When there was an outcome at last."""

    async def run(self) -> events.CheckOutcome | events.CheckMissed:
        """Return what one run found, or why it says nothing about the node."""
        name, loop = self._check.name, asyncio.get_running_loop()
        begun = loop.time()
        with loop_lag.LoopLag(self._check.timeout) as lag:
            try:
                is_ok, message = await self._run()
            except probing.NotRun as missed:
                return events.CheckMissed(name=name, why=printable.one_line(f"not run: {missed}"))
            except TimeoutError:
                is_ok, message = False, f"no result within {self._check.timeout:g} s"
                if lag.seconds >= RELEVANT * self._check.timeout:
                    message += f", of which this agent stood still for {lag.seconds:.1g} s"
                    if loop.time() < self._told + self._patience:
                        return events.CheckMissed(name=name, why=message, is_repeated=True)
        self._told = loop.time()
        return events.CheckOutcome(
            name=name,
            is_ok=is_ok,
            message=printable.one_line(message),
            duration=self._told - begun,
        )

    async def _run(self) -> tuple[bool, str]:
        """Return whether one run succeeded, and what was seen.

        Raises:
            TimeoutError: its time is over.
            NotRun: it could not be carried out.
        """
        timer = asyncio.timeout(None)
        try:
            if self._probe is None:
                self._probe = _prepare_unhindered(self._check.probe)
            async with timer:
                timer.reschedule(asyncio.get_running_loop().time() + self._check.timeout)
                return True, await self._probe()
        except probing.NotRun:
            raise
        except Exception as error:
            if timer.expired():
                raise TimeoutError from error
            # A failure that comes while we lack something may have come of it.
            if lack := shortage.of(error) or shortage.present():
                raise probing.NotRun(lack) from error
            return False, _seen(error)


def _seen(error: Exception) -> str:
    if isinstance(error, probing.ProbeFailed):
        return str(error)
    return probing.why(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _prepare_unhindered(settings: config.Probe) -> probing.Probe:
    """Prepare a probe only while nothing is lacking: it would be kept as half of itself."""
    if lack := shortage.present():
        raise probing.NotRun(lack)
    return prepare(settings)


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
