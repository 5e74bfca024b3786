"""Publishes one node's state as its BGPSpeaker object, after everything else and never in its way.

    a turn ──> note ──planned──────> 0.25 s: what comes together is one change ──> written, if it
                 └─anything else──> a random part of 5 s: it may have hit all nodes ┘  says more
    nothing new for ten minutes ──> written all the same: a silent publisher must be seen

The object is made from the latest turn in a thread of its own, with a client of its own: a server
that hangs on a write keeps the watch of the Node waiting for nothing. What only trembles, such as
the words of one error and then of another, is written once a minute at most.

A cluster without the definition, or an account without the right, costs one line in the log; it
is tried again with the next heartbeat. What somebody deleted is made anew with the next write.
"""

from __future__ import annotations

import contextlib
import random
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

import exabgp_k8s
from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import attempts, backoff, client, due, turns
from exabgp_k8s.core.facts import model
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import conditions, speaker
from exabgp_k8s.wire import bgpspeaker, kube

JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
FORBIDDEN, NOT_FOUND, CONFLICT = 403, 404, 409
PASSING = frozenset({401, 408, CONFLICT, 410, 429})
"""Refusals that say nothing about the request itself: it is made again soon."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long everything may take; all in seconds."""

    gather: float = 0.25
    """What changes within this is one change."""
    spread: float = 5
    """The longest pause before a change that nobody planned is looked at."""
    minor: float = 60
    """Between two writes of what can wait."""
    heartbeat: float = 600
    jitter: float = 0.2
    """The part of a heartbeat by which it comes sooner or later."""
    burst: int = 10
    interval: float = 30
    """Between two writes once the burst is used up."""
    pauses: attempts.Pauses = attempts.Pauses()


class Publisher:
    """One node's object.

    Args:
        api: where to write it; not shared, as it is closed when nothing is under way.
        latest: returns the latest turn and the time on the same clock.
        digest: returns the digest of the settings in force.
        timings: how long everything may take.
    """

    def __init__(
        self,
        api: client.Client,
        latest: Callable[[], tuple[Turn, float]],
        *,
        digest: Callable[[], str],
        timings: Timings | None = None,
    ) -> None:
        self._api, self._latest, self._digest = api, latest, digest
        self._timings = timings or Timings()
        self._published: Mapping[str, Any] | None = None
        """The status that is stored; None: not read."""
        self._uid = ""
        """Of the Node that owns the object."""
        self._seen: Turn | None = None
        """The latest turn of which all is published."""
        self._planned: frozenset[model.Cause] = frozenset()
        self._is_urgent = self._is_leaving = False
        self._look, self._heartbeat = due.Due(), due.Due()
        self._minor, self._allowed, self._allowed_urgent = due.Due(), due.Due(), due.Due()
        self._is_look_awaited = False
        self._bucket = backoff.Bucket(self._timings.burst, self._timings.interval)
        self._urgent = backoff.Bucket(self._timings.burst, self._timings.interval)
        self._attempts = attempts.Attempts(self._timings.pauses)
        self._problem = ""
        self._is_told = False
        """Whether the log has the problem."""
        self._is_missed = False
        """Whether the latest write found no object: twice in a row nobody deleted it."""
        self._written_at: float | None = None
        self._turns = turns.Turns(self, name="kube-speaker", about="the BGPSpeaker object")

    def report(self) -> Mapping[str, Any]:
        """Return for ``status`` whether the object is written."""
        at = self._written_at
        age = None if at is None else round(time.monotonic() - at, 3)
        return {"problem": self._problem, "written_seconds": age}

    def note(self, turn: Turn) -> None:
        """Have the object say what a turn led to; returns at once."""
        if turn.world.node is None:
            return
        planned = frozenset(each for each in turn.world.causes if each.reason in model.PLANNED)
        if planned != self._planned or self._is_leaving:
            self._planned, self._is_urgent = planned, True
        elif self._seen is not None and speaker.is_same(self._seen, turn):
            # A glance costs less than to wake the thread, with each look at ExaBGP's counters.
            return
        self._turns.wake()
        if not self._turns.is_started:
            # A thread that cannot be had now is asked for again with the next turn.
            with contextlib.suppress(RuntimeError):
                self._turns.start()

    def stop(self) -> None:
        """End the thread soon; the object stays as it is."""
        self._turns.stop()

    # -- in the thread ------------------------------------------------------------------------

    def turn(self) -> turns.Pause:
        """Write the object if it says something else, or nothing for long."""
        is_urgent, self._is_urgent = self._is_urgent, False
        if is_urgent:
            time.sleep(self._timings.gather)
        elif self._until_look() > 0:
            return turns.Pause(self._until_look())
        self._is_look_awaited = False
        turn, now = self._latest()
        node = turn.world.node
        if node is None or not node.uid or turn.world.is_node_gone:
            # The object goes with its Node, and nobody is to make it anew.
            return turns.UNTIL_WOKEN
        if not turn.world.neighbors_read_at:
            # A respawned agent knows nothing of sessions that stand: it would publish losses.
            self._is_urgent = self._is_urgent or is_urgent
            return turns.UNTIL_WOKEN
        if self._published is None or self._uid != node.uid:
            self._published = self._read(node)
            self._uid = node.uid
        return self._say(turn, now, node, is_urgent=is_urgent)

    def _say(
        self, turn: Turn, now: float, node: model.NodeFacts, *, is_urgent: bool
    ) -> turns.Pause:
        published = self._published or {}
        status = self._status(turn, now, published)
        self._seen = None
        pause = self._until_due(status, published, is_urgent=is_urgent)
        if pause > 0:
            self._note_if_said(turn, status, published)
            return turns.Pause(pause)
        try:
            self._write(node, status, is_urgent=is_urgent)
        except errors.KubeError as error:
            if error.status != NOT_FOUND or self._is_missed:
                raise
            # Somebody deleted it; where there is no definition any more, that is said next.
            self._published, self._is_missed = None, True
            return turns.AT_ONCE
        return turns.Pause(self._rest())

    def failed(self, error: errors.KubeError) -> turns.Pause:
        """Say once why nothing is written, and try again later."""
        self._published = self._seen = None
        is_refused = 400 <= error.status < 500 and error.status not in PASSING  # noqa: PLR2004
        self._problem = str(error)
        if is_refused and not self._is_told:
            self._is_told = True
            log.warning("bgpspeaker.refused", why=self._problem)
        pause = self._attempts.failed(error, has_another=self._api.servers.has_another)
        if is_refused:
            spread = random.uniform(-self._timings.jitter, self._timings.jitter)  # noqa: S311
            pause = self._timings.heartbeat * (1 + spread)
            self._api.close()
        return turns.Pause(pause, pause)

    def forget(self) -> None:
        """Take nothing over from the object that is there."""
        self._published, self._seen = {}, None

    def _until_look(self) -> float:
        """Return in how many seconds to look at what nobody planned: drawn when it happens."""
        if self._turns.was_woken and not self._is_look_awaited:
            self._is_look_awaited = True
            self._look.after(random.uniform(0, self._timings.spread))  # noqa: S311 - jitter
        return self._look.seconds if self._is_look_awaited else 0

    def _status(self, turn: Turn, now: float, before: Mapping[str, Any]) -> dict[str, Any]:
        rows = speaker.status(turn, now)
        is_out = any(
            each["type"] == conditions.Type.ANNOUNCING and each["status"] == conditions.Status.NO
            for each in rows["conditions"]
        )
        # Somebody may be waiting for this node to be out: every step of it counts.
        self._is_leaving = bool(self._planned) and not is_out
        return bgpspeaker.status(
            rows, before, time.time(), version=exabgp_k8s.__version__, digest=self._digest()
        )

    def _note_if_said(
        self, turn: Turn, status: Mapping[str, Any], published: Mapping[str, Any]
    ) -> None:
        """Note a turn of which all is said, unless the time alone changes what it says."""
        is_passing = status["conditions"][0]["reason"] == conditions.LOST
        if not is_passing and bgpspeaker.is_same(status, published, with_minor=True):
            self._seen = turn

    def _until_due(
        self, status: Mapping[str, Any], published: Mapping[str, Any], *, is_urgent: bool
    ) -> float:
        """Return in how many seconds the status is to be looked at again; 0: it is written now."""
        if self._heartbeat.is_now:
            return 0
        if not bgpspeaker.is_same(status, published):
            return (self._allowed_urgent if is_urgent else self._allowed).seconds
        if not bgpspeaker.is_same(status, published, with_minor=True):
            return max(self._minor.seconds, self._allowed.seconds)
        return self._rest()

    def _rest(self) -> float:
        """Return how long nothing is to be done if nothing happens, and save what that can."""
        if self._heartbeat.seconds > self._timings.heartbeat / 4:
            # Five thousand idle connections are a load on the API servers, too.
            self._api.close()
        return self._heartbeat.seconds

    def _read(self, node: model.NodeFacts) -> Mapping[str, Any]:
        """Return the status that an earlier agent published; make the object if there is none."""
        try:
            found = kube.parse_object(self._api.request("GET", self._own(node)))
        except errors.KubeError as error:
            if error.status != NOT_FOUND:
                raise
            self._api.request("POST", bgpspeaker.COLLECTION, body=bgpspeaker.new(node))
            return {}
        owned = bgpspeaker.owned_by(node)
        if found["metadata"].get("ownerReferences") != owned["ownerReferences"]:
            # A Node that was registered anew is another owner, and the old one's objects go.
            self._take_over(node, owned)
        status = found.get("status")
        return status if isinstance(status, Mapping) else {}

    def _take_over(self, node: model.NodeFacts, owned: Mapping[str, Any]) -> None:
        """Have the object of a Node of this name belong to the one that is there now."""
        try:
            self._api.request(
                "PATCH", self._own(node), body={"metadata": owned}, content_type=MERGE
            )
        except errors.KubeError as error:
            if error.status != FORBIDDEN:
                raise
            # OpenShift wants the right to delete what changes its owner, and we have none: with
            # the Node that it belonged to the object goes soon, and is made anew then.
            problem = f"the object of the Node before this one is still there: {error}"
            raise errors.KubeError(problem, status=CONFLICT) from error

    def _write(self, node: model.NodeFacts, status: dict[str, Any], *, is_urgent: bool) -> None:
        value = {**status, "lastContact": bgpspeaker.moment(time.time())}
        self._api.request(
            "PATCH",
            f"{self._own(node)}/status",
            body=[{"op": "add", "path": "/status", "value": value}],
            content_type=JSON_PATCH,
        )
        if self._is_told:
            log.info("bgpspeaker.written", after=self._problem)
        self._published, self._problem, self._is_told = value, "", False
        self._is_missed = False
        self._written_at = time.monotonic()
        self._attempts.succeeded()
        self._heartbeat.after(self._timings.heartbeat, spread=self._timings.jitter)
        self._minor.after(self._timings.minor)
        if is_urgent:
            self._allowed_urgent.after(self._urgent.take(self._written_at))
        else:
            self._allowed.after(self._bucket.take(self._written_at))

    @staticmethod
    def _own(node: model.NodeFacts) -> str:
        return f"{bgpspeaker.COLLECTION}/{urllib.parse.quote(node.name)}"
