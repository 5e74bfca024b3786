"""The settings file and the password directory as kubelet mounts them: real files and links."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import pathlib

import pytest
import structlog
import yaml

from exabgp_k8s.adapters import checker, files, kept
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.plan import pace
from exabgp_k8s.settings import mounted
from tests.settings import samples

PATIENCE = 30
"""Seconds; a look takes place each second."""


def written(asn: int) -> str:
    document = samples.changed(("bgp", "asn"), asn)
    document["peers"][0]["passwordFrom"] = "tor"
    return yaml.safe_dump(document)


class Mounts:
    """A ConfigMap and a Secret volume: each change is one swap of a link named ``..data``."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._swaps = 0
        self.swap("config", "settings.yaml", written(64512))
        self.swap("secret", "tor", "first")
        self.files = self.new()

    def new(self) -> files.Files:
        """Return the files of an agent that starts now."""
        return files.Files(
            self._folder / "config" / "settings.yaml", self._folder / "secret", self._folder
        )

    def read(self) -> tuple[events.Event, ...]:
        """Return what an agent finds that has just started."""
        return self.files.first() or self.files.read()

    def swap(self, volume: str, name: str, text: str) -> None:
        self._swaps += 1
        mount = self._folder / volume
        (mount / f"..{self._swaps}").mkdir(parents=True)
        (mount / f"..{self._swaps}" / name).write_text(text, encoding="utf-8")
        (mount / "..new").symlink_to(f"..{self._swaps}")
        (mount / "..new").replace(mount / "..data")
        with contextlib.suppress(FileExistsError):
            (mount / name).symlink_to(f"..data/{name}")

    def edit(self, text: str) -> None:
        self.swap("config", "settings.yaml", text)

    def after(self, volume: str, name: str, text: str) -> events.Event:
        """Return what is delivered once a key has another text."""

        async def run() -> events.Event:
            found: asyncio.Queue[events.Event] = asyncio.Queue()
            following = asyncio.create_task(self.files.follow(found.put_nowait))
            self.swap(volume, name, text)
            async with asyncio.timeout(PATIENCE):
                event = await found.get()
            following.cancel()
            return event

        self.read()
        return asyncio.run(run())


@pytest.fixture(name="mounts")
def _mounts(tmp_path: pathlib.Path) -> Mounts:
    return Mounts(tmp_path)


def loaded(event: events.Event) -> events.ConfigLoaded:
    assert isinstance(event, events.ConfigLoaded)
    return event


def refused(event: events.Event) -> str:
    assert isinstance(event, events.ConfigRefused)
    (problem,) = event.problems
    return problem


def test_the_settings_are_delivered_with_the_passwords(mounts: Mounts) -> None:
    (event,) = mounts.read()

    assert loaded(event).config.asn == 64512
    assert loaded(event).passwords["tor"].reveal() == "first"


def test_what_has_no_effect_is_logged(mounts: Mounts) -> None:
    document = samples.changed(("peers", 0, "attributes"), {"localPref": 200})
    mounts.edit(yaml.safe_dump(document))

    with structlog.testing.capture_logs() as lines:
        loaded(*mounts.files.read())

    (line,) = (each for each in lines if each["event"] == "settings.ineffective")
    assert "peers[0].attributes.localPref" in line["why"]


def test_a_swap_of_the_configmap_is_noticed(mounts: Mounts) -> None:
    assert loaded(mounts.after("config", "settings.yaml", written(64999))).config.asn == 64999


def test_the_digest_is_that_of_what_is_in_force(mounts: Mounts) -> None:
    """As ``sha256sum`` has it; a refused edit is not in force, and a new agent knows it."""
    mounts.read()
    expected = hashlib.sha256(written(64512).encode()).hexdigest()
    assert mounts.files.digest == expected
    refused(mounts.after("config", "settings.yaml", "bgp: {asn: !!int x}"))
    assert mounts.files.digest == expected

    mounts.files = mounts.new()
    mounts.files.first()

    assert mounts.files.digest == expected


def test_a_rotated_password_of_the_same_length_is_noticed(mounts: Mounts) -> None:
    event = mounts.after("secret", "tor", "other")

    assert loaded(event).passwords["tor"].reveal() == "other"


def test_a_bad_edit_is_refused_with_its_place(mounts: Mounts) -> None:
    event = mounts.after("config", "settings.yaml", "bgp: {asn: !!int x}")

    assert refused(event).startswith("line 1, column 12: ")


def test_an_agent_that_starts_with_a_bad_edit_has_the_last_good_settings(mounts: Mounts) -> None:
    mounts.read()
    mounts.edit("bgp: [")
    mounts.files = mounts.new()
    (good,) = mounts.files.first()
    (bad,) = mounts.files.read()

    assert loaded(good).config.asn == 64512
    assert loaded(good).passwords["tor"].reveal() == "first"
    assert refused(bad).startswith("line 2, column 1: ")


def test_an_agent_after_an_upgrade_has_the_last_good_settings_checked_again(
    mounts: Mounts, tmp_path: pathlib.Path
) -> None:
    mounts.read()
    (tmp_path / kept.LAST_CHECKED).write_text('{"digest": "of another version", "config": {}}')
    mounts.edit("bgp: [")
    mounts.files = mounts.new()

    assert mounts.files.first() == ()
    good, bad = mounts.files.read()
    assert loaded(good).config.asn == 64512
    assert refused(bad).startswith("line 2, column 1: ")


def test_a_new_agent_that_starts_with_a_bad_edit_has_only_the_refusal(mounts: Mounts) -> None:
    mounts.edit("bgp: [")
    (event,) = mounts.read()

    assert refused(event).startswith("line 2, column 1: ")


def test_a_last_good_copy_that_cannot_be_written_is_no_reason_to_refuse(
    mounts: Mounts, tmp_path: pathlib.Path
) -> None:
    (tmp_path / kept.LAST_GOOD).mkdir()

    (event,) = mounts.files.read()
    assert loaded(event).config.asn == 64512


def test_settings_that_somebody_has_checked_need_no_checker(
    mounts: Mounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``run`` has checked is in force at once, and a new password is taken without one."""
    mounts.read()
    monkeypatch.setattr(checker, "COMMAND", ("/absent",))
    mounts.files = mounts.new()

    (event,) = mounts.files.first()
    assert loaded(event).config.asn == 64512
    changed = mounts.after("secret", "tor", "other")
    assert loaded(changed).passwords["tor"].reveal() == "other"


def test_no_password_is_kept_beside_the_settings(mounts: Mounts, tmp_path: pathlib.Path) -> None:
    mounts.read()

    found = [each for each in tmp_path.iterdir() if each.is_file()]
    assert {each.name for each in found} == {kept.LAST_GOOD, kept.LAST_CHECKED}
    assert not any("first" in each.read_text() for each in found)


def test_an_error_of_ours_in_reading_is_a_refusal_and_not_the_agent_s_end(
    mounts: Mounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that ended over its settings would meet them again in its next life."""

    def fail(*_: object) -> str:
        raise RecursionError("too deep")

    monkeypatch.setattr(mounted, "read_text", fail)
    (event,) = mounts.files.read()

    assert refused(event) == "the settings could not be read: RecursionError('too deep')"


def test_a_file_that_is_gone_is_a_refusal(mounts: Mounts, tmp_path: pathlib.Path) -> None:
    (tmp_path / "config" / "settings.yaml").unlink()

    assert "cannot be read" in refused(*mounts.files.read())


def test_a_document_that_takes_long_to_read_does_not_stop_the_loop(
    mounts: Mounts, tmp_path: pathlib.Path
) -> None:
    """A pipe takes as long as we like: it is written to only while the loop turns."""

    async def run() -> events.Event:
        found: asyncio.Queue[events.Event] = asyncio.Queue()
        mounts.files.read()
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        mounted = tmp_path / "config" / "settings.yaml"
        mounted.unlink()
        mounted.symlink_to(pipe)
        following = asyncio.create_task(mounts.files.follow(found.put_nowait))
        writing = await _opened_by_its_reader(pipe)
        os.write(writing, written(64999).encode())
        os.close(writing)
        event = await found.get()
        following.cancel()
        return event

    async def within() -> events.Event:
        return await asyncio.wait_for(run(), PATIENCE)

    event = asyncio.run(within())
    assert isinstance(event, events.ConfigLoaded)
    assert event.config.asn == 64999
    assert event.found_at is not None


async def _opened_by_its_reader(pipe: pathlib.Path) -> int:
    while True:
        with contextlib.suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        await asyncio.sleep(0.05)


def test_a_checker_that_fails_for_days_is_tried_for_ever(
    mounts: Mounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause that doubles without an end is some day too large for a number."""
    monkeypatch.setattr(checker, "COMMAND", ("/absent",))
    monkeypatch.setattr(files, "POLL", 0.0005)
    monkeypatch.setattr(files, "LONGEST_PAUSE", 0.0005)
    monkeypatch.setattr(pace, "CHANGES_WINDOW", 0.0)
    heard: list[events.Event] = []

    def hear(event: events.Event) -> None:
        heard.append(event)
        if len(heard) == 1100:
            raise EOFError

    with pytest.raises(EOFError):
        asyncio.run(asyncio.wait_for(mounts.files.follow(hear), 120))
