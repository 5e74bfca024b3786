"""The last good settings in a state directory that is too small for them."""

from __future__ import annotations

import contextlib
import pathlib
import resource
from collections.abc import Iterator

import pytest

from exabgp_k8s.adapters import kept
from exabgp_k8s.wire import checked
from tests.settings import samples

SETTINGS = samples.parse(samples.SMALLEST)


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let this process write no file that is larger; the kernel ends the write as a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def names(folder: pathlib.Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_what_is_kept_is_recalled(tmp_path: pathlib.Path) -> None:
    kept.keep(tmp_path, "text", SETTINGS)

    assert kept.recall(tmp_path) == checked.Checked(digest=checked.digest("text"), config=SETTINGS)
    assert names(tmp_path) == {kept.LAST_GOOD, kept.LAST_CHECKED}


def test_what_does_not_fit_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    """Half a copy would take the room that exabgp.conf needs."""
    with room_for(50), pytest.raises(OSError, match="File too large"):
        kept.keep(tmp_path, "text", SETTINGS)

    assert names(tmp_path) == {kept.LAST_GOOD}
    assert kept.recall(tmp_path) is None


def test_a_text_that_does_not_fit_leaves_the_one_before(tmp_path: pathlib.Path) -> None:
    kept.keep(tmp_path, "text", SETTINGS)

    with room_for(50), pytest.raises(OSError, match="File too large"):
        kept.keep(tmp_path, "text" * 100, SETTINGS)

    assert (tmp_path / kept.LAST_GOOD).read_text() == "text"
    assert names(tmp_path) == {kept.LAST_GOOD}
