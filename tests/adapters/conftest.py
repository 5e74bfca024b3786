"""What the tests of the adapters have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters import reflecting
from tests.support import kubeapi


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest) -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi(
        nodes=[reflecting.NODE], service_cidrs=["10.96.0.0/16"], tls=request.param == "https"
    ) as running:
        yield running
