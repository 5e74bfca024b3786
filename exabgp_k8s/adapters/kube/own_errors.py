"""An error of our own, met while the API server is asked: one more failed request, no more.

A thread that asks again and again must not end by an error, and must not end the agent: what met
one node's agent meets the next one too, and would meet this one again in its next life. So the
thread goes on as after a refusal, more and more slowly. That it is a bug of ours, and where, is
said in the log, once for each that is new.
"""

from __future__ import annotations

import structlog

from exabgp_k8s import errors

SHOWN = 200
"""Characters of an error that are shown: its text may be somebody else's."""

log = structlog.get_logger()


class OwnErrors:
    """The errors that one thread met.

    Args:
        task: what the thread does, for the log.
    """

    def __init__(self, task: str) -> None:
        self._task = task
        self._last = ""

    def as_failure(self, error: Exception) -> errors.KubeError:
        """Log an error, with its traceback if it is another than the last, and translate it."""
        text = ascii(error)
        shown = text if len(text) <= SHOWN else text[:SHOWN] + "..."
        if shown != self._last:
            self._last = shown
            effect = "it goes on as after a failed request"
            log.error("kube.unforeseen", task=self._task, why=shown, effect=effect, exc_info=error)
        return errors.KubeError(f"an error of exabgp-k8s itself, which its log explains: {shown}")
