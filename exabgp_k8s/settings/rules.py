"""What two values must not be together, as far as JSON Schema can say it.

``contradictions`` finds all of them and says why; an editor marks these while they are written.
Each stands in an ``allOf`` of its section, beside what the section's keys say for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_COMPARES = {"properties": {"operator": {"enum": ["In", "NotIn"]}}}

OF_SECTIONS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "Announce": [{"anyOf": [{"required": ["services"]}, {"required": ["pods"]}]}],
    "Services": [{"not": {"required": ["within"], "properties": {"cidrs": {"type": "array"}}}}],
    "Peer": [
        {
            "not": {
                "required": ["multihop", "ttlSecurity"],
                "properties": {"ttlSecurity": {"const": True}},
            }
        }
    ],
    "Requirement": [
        {
            "if": _COMPARES,
            "then": {"required": ["values"], "properties": {"values": {"minItems": 1}}},
            "else": {"properties": {"values": {"maxItems": 0}}},
        }
    ],
    "Check": [
        {"not": {"required": ["minSpeed"], "not": {"required": ["interface"]}}},
        {
            "not": {
                "required": ["insecureSkipVerify"],
                "properties": {"insecureSkipVerify": {"const": True}},
                "not": {"required": ["http"], "properties": {"http": {"pattern": "^https:"}}},
            }
        },
    ],
}
