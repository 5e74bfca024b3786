"""What the tests of the adapters have in common."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from exabgp_k8s.adapters.kube import lean
from tests.adapters import reflecting
from tests.support import kubeapi


@pytest.fixture(scope="session", autouse=True)
def _library() -> None:
    """Import what the first request imports: on a busy machine that takes as long as some may."""
    lean.prepare()
    importlib.import_module("kubernetes.config.kube_config")


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest) -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi(
        nodes=[reflecting.NODE], service_cidrs=["10.96.0.0/16"], tls=request.param == "https"
    ) as running:
        yield running
