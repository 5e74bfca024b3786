"""Keeps our node's Lease of the outage budget, and asks the others' when we claim a slot.

The protocol is in ``core.judge.budget``. Here is its traffic, in a thread of its own, so that a
slow API server keeps nobody waiting but the claim itself:

    wish ──> write the own Lease ──> a claim: list the others ──> deliver the verdict
      ^                                        └─exhausted: again, less and less often
      └── the agent, after each turn           └─granted: renew, until the wish is another

Nothing is written while there is no budget, and little otherwise: on a change, once in ten
minutes, and once a minute while a slot is held, so that the slot of a node that died is free
soon. A check that flaps does not flap the Lease: a slot is given back only after a while.

A request that is slow is waited for. One that fails is made once more at once, as API servers fail
a few when they start; the second failure is told. An API server that says 429 is there, and has to
be given time. Nothing that is read here, and no error of ours, costs more than the budget.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import attempts, backoff, client, due, other_leases, turns
from exabgp_k8s.core.facts import budget, config, events
from exabgp_k8s.wire import leases

NOT_FOUND, TOO_MANY_REQUESTS = 404, 429

PATIENCE = 20.0
"""Seconds for an answer: where all nodes claim at once a server is slow, and a claim can wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long everything may take; all in seconds."""

    renew: float = 600
    lasts: int = 1800
    renew_claim: float = 60
    lasts_claim: int = 180
    spread: float = 0.2
    """Each renewal comes this part of its interval sooner or later: nodes must not be in step."""
    skew: float = 30
    """By how much the nodes' clocks may differ."""
    linger: float = 20
    """A slot is not given back sooner after it was claimed: a check that flaps needs it again at
    once. A planned absence is over when it is over: nobody else shall wait for it."""
    regroup: float = 75
    """After an outage so long that Leases ran out: until the others have renewed theirs too."""
    first_wait: float = 5
    longest_wait: float = 60
    """Between two lists of a claim that waits."""
    first: float = 5
    """The longest pause before the first write: many agents may start at once."""
    retry: float = 0.3
    pauses: attempts.Pauses = attempts.Pauses()
    patience: float = 30
    """For so long an API server may answer 429 before that counts as a failure."""


def patient(access: client.Access) -> client.Access:
    """Return how to ask for the budget: a slow answer is better than none."""
    return dataclasses.replace(access, answer_timeout=PATIENCE)


class Leases:
    """One node's part in the budget.

    Args:
        api: where to write and to ask; not shared, as it is closed when nothing is under way.
        node: the name of our Node.
        namespace: of the agents' Leases.
        deliver: is given every event, in a thread of ours; must not block.
        timings: how long everything may take.
    """

    def __init__(
        self,
        api: client.Client,
        node: str,
        namespace: str,
        *,
        deliver: Callable[[events.Event], None],
        timings: Timings | None = None,
    ) -> None:
        self._api, self._node = api, node
        self._path = leases.COLLECTION.format(namespace=urllib.parse.quote(namespace))
        self._deliver = deliver
        self._timings = timings or Timings()
        self._others = other_leases.Others(api, self._path, self._timings.skew)
        self._wish = budget.Wish()
        self._mine: leases.Lease | None = None
        self._count: budget.Count | None = None
        self._renewal, self._question = due.Due(), due.Due()
        self._begin, self._return = due.Due(), due.Due()
        self._failures = 0
        self._failing_since: float | None = None
        self._attempts = attempts.Attempts(self._timings.pauses)
        self._waits = backoff.Backoff(self._timings.first_wait, self._timings.longest_wait)
        self._turns = turns.Turns(self, name="kube-leases", about="the outage budget")

    def offer(self, wish: budget.Wish) -> None:
        """Have the Lease say something else; returns at once."""
        if wish == self._wish:
            return
        self._wish = wish
        self._turns.wake()
        if not self._turns.is_started and wish.budget is not None:
            self._begin.after(random.uniform(0, self._timings.first))  # noqa: S311 - jitter
            # A thread that cannot be had now is asked for again with the next wish.
            with contextlib.suppress(RuntimeError):
                self._turns.start()

    def stop(self) -> None:
        """End the thread soon; the Lease stays as it is, as it does when the process dies."""
        self._turns.stop()

    # -- in the thread ------------------------------------------------------------------------

    def turn(self) -> turns.Pause:
        """Bring the Lease and the verdict up to the wish."""
        wish, is_new = self._wish, self._turns.was_woken
        is_claim = wish.standing is budget.Standing.SLOT
        if is_claim:
            self._begin.at_once()
        if not self._begin.is_now:
            return turns.Pause(self._begin.seconds)
        if wish.budget is None:
            self._mine = self._count = None
            return turns.UNTIL_WOKEN
        if not wish.uid and not is_claim:
            return turns.UNTIL_WOKEN
        mine = self._write(wish)
        if wish.standing is mine.standing is budget.Standing.SLOT:
            self._judge(mine, wish.budget, is_new=is_new)
        self._failures, self._failing_since = 0, None
        self._attempts.succeeded()
        return turns.Pause(self._until_due(wish, mine))

    def failed(self, error: errors.KubeError) -> turns.Pause:
        """Deliver that the API server cannot be asked, if it has failed twice."""
        now, is_throttled = time.monotonic(), error.status == TOO_MANY_REQUESTS
        self._failures += 1
        self._failing_since = self._failing_since or now
        is_patient = now < self._failing_since + self._timings.patience
        # What we could not ask for want of a descriptor says nothing: the claim waits.
        is_told = self._failures > 1 and not error.lack
        if is_told and not (is_throttled and is_patient):
            self._deliver(events.BudgetLost(problem=str(error)))
        least = max(
            self._timings.retry * random.uniform(0.5, 1),  # noqa: S311 - jitter
            min(error.retry_after, self._timings.patience),
        )
        pause = self._attempts.failed(error, has_another=self._api.servers.has_another)
        return turns.Pause(least if self._failures == 1 else max(least, pause), least)

    def forget(self) -> None:
        """Read the own Lease again."""
        self._mine = None

    def _until_due(self, wish: budget.Wish, mine: leases.Lease) -> float:
        pauses = [self._renewal.seconds]
        if mine.standing is not (wish.standing or mine.standing):
            pauses.append(self._return.seconds)
        if wish.standing is mine.standing is budget.Standing.SLOT and not self._is_granted:
            pauses.append(self._question.seconds)
        pause = min(pauses)
        if pause > self._timings.renew / 2:
            # Five thousand idle connections are a load on the API servers, too.
            self._api.close()
        return pause

    @property
    def _is_granted(self) -> bool:
        return self._count is not None and self._count.verdict is budget.Verdict.GRANTED

    # -- the own Lease ------------------------------------------------------------------------

    def _write(self, wish: budget.Wish) -> leases.Lease:
        """Return the own Lease after it was brought up to the wish, as far as that is due."""
        if not wish.uid:
            raise errors.KubeError("the Node, which is to own the Lease, has not been seen yet")
        before = self._mine or self._read()
        standing = wish.standing or (before.standing if before else budget.Standing.IN)
        if before is None:
            return self._create(standing, wish.uid)
        holds = before.standing is budget.Standing.SLOT
        if holds and not standing.is_claim and not self._return.is_now:
            standing = before.standing
        if (before.standing, before.uid) == (standing, wish.uid) and not self._renewal.is_now:
            return before
        return self._replace(before, standing, wish.uid)

    def _read(self) -> leases.Lease | None:
        """Return what an earlier process, or an earlier attempt, has left."""
        try:
            found = leases.parse(self._api.request("GET", self._own), self._node)
        except errors.KubeError as error:
            if error.status != NOT_FOUND:
                raise
            return None
        self._mine = found
        self._renewal.at_once()
        self._question.at_once()
        return found

    def _create(self, standing: budget.Standing, uid: str) -> leases.Lease:
        fresh = leases.Lease(node=self._node, standing=standing, uid=uid, since=time.time())
        body = leases.render(self._renewed(fresh))
        stored = self._api.request("POST", self._path, body=body)
        return self._written(stored, is_new_claim=standing.is_claim)

    def _replace(self, before: leases.Lease, standing: budget.Standing, uid: str) -> leases.Lease:
        now = time.time()
        is_kept = (
            before.standing.is_claim
            and standing.is_claim
            # One that ran out has been nobody's since.
            and before.is_live(now, self._timings.skew)
        )
        after = dataclasses.replace(
            before,
            standing=standing,
            claim=before.key if is_kept else None,
            since=before.since if before.standing is standing else now,
            uid=uid,
        )
        # Should the answer be lost, or another have written: what is stored is read again.
        self._mine = None
        stored = self._api.request("PUT", self._own, body=leases.render(self._renewed(after)))
        return self._written(stored, is_new_claim=standing.is_claim and not is_kept)

    def _renewed(self, lease: leases.Lease) -> leases.Lease:
        is_claim = lease.standing.is_claim
        lasts = self._timings.lasts_claim if is_claim else self._timings.lasts
        return dataclasses.replace(lease, renewed=time.time(), lasts=lasts)

    def _written(self, body: bytes, *, is_new_claim: bool) -> leases.Lease:
        mine = self._mine = leases.parse(body, self._node)
        every = self._timings.renew_claim if mine.standing.is_claim else self._timings.renew
        self._renewal.after(every, spread=self._timings.spread)
        if is_new_claim:
            # One that lapsed was granted once: until the others are back, too, that holds.
            self._question.after(self._timings.regroup if self._is_granted else 0)
            self._return.after(self._timings.linger)
            self._count = None
            self._waits.reset()
        elif not mine.standing.is_claim and self._count is not None:
            self._count = None
            self._deliver(events.BudgetSeen())
        return mine

    @property
    def _own(self) -> str:
        return f"{self._path}/{leases.name_of(self._node)}"

    # -- the others' --------------------------------------------------------------------------

    def _judge(self, mine: leases.Lease, settings: config.Budget, *, is_new: bool) -> None:
        """Have the claim judged, if it is time; and repeat to a new wish what was said."""
        is_due = not self._is_granted and self._question.is_now
        if is_due:
            self._count = self._others.count(mine, settings)
            self._question.after(self._waits.delay())
        if self._count is not None and (is_due or is_new):
            self._deliver(events.BudgetSeen(count=self._count))
