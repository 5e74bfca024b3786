"""How often something may be told, in virtual time."""

from __future__ import annotations

import pytest

from exabgp_k8s.logs import quota


@pytest.mark.parametrize("pause", [0.01, 3.0, 61.0])
def test_in_any_hour_there_are_no_more_than_twice_the_burst(pause: float) -> None:
    bucket = quota.Quota(6, 600.0)
    told = [now for step in range(round(4 * 3600 / pause)) if bucket.take(now := step * pause)]

    assert max(sum(at <= other < at + 3600 for other in told) for at in told) <= 12


def test_what_is_rare_is_never_refused() -> None:
    bucket = quota.Quota(6, 600.0)

    assert all(bucket.take(now * 600.0) for now in range(1000))


def test_one_that_was_not_used_for_long_is_like_a_new_one() -> None:
    bucket = quota.Quota(2, 10.0)
    bucket.take(0.0)

    assert not bucket.is_full(5.0)
    assert bucket.is_full(10.0)
