"""The parts of ``kubernetes`` that are used, without the parts that are not.

``import kubernetes`` runs the ``__init__`` of packages that pull in requests, oauthlib, yaml and a
websocket client: several megabytes on every node, for nothing that an agent reading one Node
calls. Here those three packages are put in place without being run; what is imported from below
them afterwards is the library's own, unchanged code. And ``ApiClient``, which brings pydantic, is
imported when it is called.

This leans on how the library is laid out, so it is allowed to fail: then nothing is left behind
and the ordinary import follows. A test notices when that happens. Measured in
docs/adr/0002-kubernetes-as-transport.md.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

_NOT_RUN = ("kubernetes", "kubernetes.config", "kubernetes.utils")

_USED = (
    "kubernetes.client.configuration",
    "kubernetes.client.rest",
    "kubernetes.config.incluster_config",
)


def prepare() -> bool:
    """Import what is used; return whether that worked without the rest.

    A process that has imported ``kubernetes`` already keeps it as it is.
    """
    if "kubernetes" in sys.modules:
        return False
    try:
        for name in _NOT_RUN:
            sys.modules[name] = _unrun(name)
        for name in _USED:
            importlib.import_module(name)
        client: Any = sys.modules["kubernetes.client"]
        client.ApiClient = _late_api_client
    except Exception:  # noqa: BLE001 - whatever it is, the ordinary import gets its chance
        for name in [name for name in sys.modules if name.partition(".")[0] == "kubernetes"]:
            del sys.modules[name]
        return False
    return True


def _late_api_client(*arguments: Any, **named: Any) -> Any:
    """Make an ``ApiClient``: a kubeconfig whose OIDC token has run out needs one, and no other."""
    return importlib.import_module("kubernetes.client.api_client").ApiClient(*arguments, **named)


def _unrun(name: str) -> Any:
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name)
    return importlib.util.module_from_spec(spec)
