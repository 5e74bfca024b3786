"""``withdraw``: the policy table, one row for each cause, one cell for each prefix class.

What is not written keeps its default, cell by cell; what is written replaces the whole cell. A
word stands for a whole row or a whole cell: ``cordoned: keep``, ``cordoned: {pods: keep}``.
"""

from __future__ import annotations

from typing import Any

import pydantic

from exabgp_k8s.core.facts import config, durations, model
from exabgp_k8s.settings import fields

WORDS = [action.value for action in model.Action]
CLASSES = [prefix_class.value for prefix_class in model.PrefixClass]


def _or_word(core: Any, handler: pydantic.GetJsonSchemaHandler) -> dict[str, Any]:
    """Describe a mapping that one of the actions may stand for."""
    return {"anyOf": [{"enum": WORDS}, handler(core)]}


def _expand(written: object, keys: str) -> dict[Any, Any] | str:
    """Return a mapping as it is, or the word that stands for one."""
    if isinstance(written, dict) or written in WORDS:
        return written
    hint = fields.suggestion(written, WORDS, fields.ALIKE)
    words = f"{', '.join(WORDS[:-1])} or {WORDS[-1]}"
    raise ValueError(f"{hint}write {words}, or a mapping of {keys}")


class Cell(fields.Section):
    """What a cause does to a class: an action, or the mapping {action: withdraw, after: 30s}."""

    action: model.Action
    """withdraw, deprioritise (announce with GRACEFUL_SHUTDOWN, RFC 8326) or keep."""
    after: fields.Duration = 0
    """How long the cause must have stood before the action is taken."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _from_word(cls, written: Any) -> Any:
        if isinstance(written, Cell):
            return written
        found = _expand(written, "action and after")
        return {"action": found} if isinstance(found, str) else found

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: Any, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return _or_word(core, handler)


class Row(fields.Section):
    """What a cause does to each class: one action for both, or a cell for each."""

    services: Cell
    """What the cause does to the service ranges."""
    pods: Cell
    """What the cause does to the node's pod ranges."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: Any, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = _or_word(core, handler)
        described["anyOf"][1].pop("required", None)
        return described


def _default(reason: model.Reason) -> Row:
    """Return the row that is in force where the settings are silent."""
    cells = ((name, config.DEFAULT_POLICY[reason, name]) for name in model.PrefixClass)
    return Row.model_validate(
        {
            name: {"action": cell.action, "after": durations.write(cell.after)}
            for name, cell in cells
        }
    )


class Withdraw(fields.Section):
    """What each cause does; a cell that is not written keeps its default."""

    model_config = pydantic.ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    cordoned: Row = _default(model.Reason.CORDONED)
    """``spec.unschedulable`` is set (kubectl cordon)."""
    draining: Row = _default(model.Reason.DRAINING)
    """The node is about to go: deletionTimestamp, a taint of ``drain.taints``, or kubelet is
    shutting down."""
    excluded: Row = _default(model.Reason.EXCLUDED)
    """Label node.kubernetes.io/exclude-from-external-load-balancers, with any value."""
    out_of_service: Row = _default(model.Reason.OUT_OF_SERVICE)
    """Taint node.kubernetes.io/out-of-service, or the cloud's shutdown taint."""
    unhealthy: Row = _default(model.Reason.UNHEALTHY)
    """A health check failed; only the classes which the check ``affects``."""
    node_deleted: Row = _default(model.Reason.NODE_DELETED)
    """The Node object is gone; its pod range may be given to another node."""
    operator: Row = _default(model.Reason.OPERATOR)
    """Somebody asked for it: the annotation on the Node, or ``exabgp-k8s drain``."""
    stopping: Row = _default(model.Reason.STOPPING)
    """The pod is stopping."""

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _fill(cls, written: Any, info: pydantic.ValidationInfo) -> Any:
        """Expand a row written as one word, and fill in the cells that are not written."""
        found = _expand(written, " and ".join(CLASSES))
        if isinstance(found, str):
            return dict.fromkeys(CLASSES, found)
        default = cls.model_fields[str(info.field_name)].default
        return {name: getattr(default, name) for name in CLASSES} | found
