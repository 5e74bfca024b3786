"""Silence is judged as of when the API server was heard last."""

from __future__ import annotations

from exabgp_k8s.cluster.heard import AGAIN, LATE, Judged

BEGAN = 1_000_000.0


def test_while_the_api_server_is_heard_the_time_goes() -> None:
    judged = Judged()

    assert [judged.at(BEGAN + s, BEGAN + s - 40) for s in (0, 60, 3600)] == [
        BEGAN,
        BEGAN + 60,
        BEGAN + 3600,
    ]


def test_while_it_is_away_the_time_stands_still() -> None:
    judged = Judged()

    assert judged.at(BEGAN + LATE + 1, BEGAN) == BEGAN + LATE
    assert judged.at(BEGAN + 7200, BEGAN) == BEGAN + LATE


def test_agents_have_a_moment_to_write_when_it_is_back() -> None:
    judged = Judged()
    judged.at(BEGAN + 7200, BEGAN)

    assert judged.at(BEGAN + 7210, BEGAN + 7210) == BEGAN + LATE
    assert judged.at(BEGAN + 7210 + AGAIN - 1, BEGAN + 7290) == BEGAN + LATE
    assert judged.at(BEGAN + 7210 + AGAIN, BEGAN + 7300) == BEGAN + 7210 + AGAIN
    assert judged.at(BEGAN + 7400, BEGAN + 7390) == BEGAN + 7400
