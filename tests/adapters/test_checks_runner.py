"""When checks run, what they deliver, and that nothing stops them."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import pathlib
import subprocess
import sys
from collections.abc import Callable

import pytest

from exabgp_k8s.adapters.checks import runner
from exabgp_k8s.core.facts import config, events
from tests.adapters import probes

OK = config.ExecProbe(command=("/bin/true",))
NOT_OK = config.ExecProbe(command=("/bin/false",))


class Inbox:
    """Keeps what is delivered, with the time."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, events.CheckOutcome]] = []
        self.missed: list[events.CheckMissed] = []

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.CheckMissed):
            self.missed.append(event)
            return
        assert isinstance(event, events.CheckOutcome)
        self.seen.append((asyncio.get_running_loop().time(), event))

    def of(self, name: str) -> list[events.CheckOutcome]:
        return [event for _, event in self.seen if event.name == name]


def check(name: str, probe: config.Probe = OK, **settings: float) -> config.Check:
    made = config.Check(name=name, probe=probe, interval=0.02, timeout=probes.PATIENCE)
    return dataclasses.replace(made, **settings)  # type: ignore[arg-type]


def running(body: Callable[[runner.Runner, Inbox], object]) -> None:
    """Run an async test body with a runner that is closed afterwards."""

    async def run() -> None:
        inbox = Inbox()
        it = runner.Runner(inbox)
        try:
            await body(it, inbox)  # type: ignore[misc]
        finally:
            await it.close()

    asyncio.run(run())


def test_every_check_delivers_outcomes_under_its_own_name() -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        it.apply((check("good"), check("bad", NOT_OK)))
        await probes.until(lambda: len(inbox.of("good")) >= 3 and len(inbox.of("bad")) >= 3)
        assert {event.is_ok for event in inbox.of("good")} == {True}
        assert {event.is_ok for event in inbox.of("bad")} == {False}
        assert all(event.duration > 0 for _, event in inbox.seen)

    running(body)


def test_an_unchanged_check_goes_on_undisturbed_when_others_change() -> None:
    """Its one run of this test is still the same run after the others came and went."""

    async def body(it: runner.Runner, inbox: Inbox) -> None:
        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            await release.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

        requests: list[bytes] = []
        release = asyncio.Event()
        async with probes.serving(slow) as port:
            probe = config.HttpProbe(url=f"http://127.0.0.1:{port}/")
            steady = check("steady", probe, interval=3600, rise=1)
            it.apply((steady, check("old")))
            await probes.until(lambda: bool(requests and inbox.of("old")))
            it.apply((check("new"), check("steady", probe, interval=3600, rise=1)))
            await probes.until(lambda: bool(inbox.of("new")))
            release.set()
            await probes.until(lambda: bool(inbox.of("steady")))
        assert len(requests) == 1
        assert [event.is_ok for event in inbox.of("steady")] == [True]

    running(body)


def test_the_successes_of_a_first_verdict_follow_each_other_without_the_interval() -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        it.apply((check("new", interval=3600, rise=2), check("clock")))
        await probes.until(lambda: len(inbox.of("new")) == 2)
        await probes.until(lambda: len(inbox.of("clock")) >= 20)
        assert len(inbox.of("new")) == 2

    running(body)


@pytest.mark.parametrize(
    ("probe", "rise", "runs"),
    [
        pytest.param(NOT_OK, 2, 1, id="after a failure"),
        pytest.param(OK, 100, runner.FIRST_RUNS, id="after some successes of many"),
    ],
)
def test_the_next_run_waits_for_its_interval(probe: config.Probe, rise: int, runs: int) -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        it.apply((check("new", probe, interval=3600, rise=rise), check("clock")))
        await probes.until(lambda: len(inbox.of("new")) == runs)
        await probes.until(lambda: len(inbox.of("clock")) >= 20)
        assert len(inbox.of("new")) == runs

    running(body)


class TestFastInterval:
    """A verdict that is open is reached sooner, at a load that is known before."""

    @staticmethod
    def alternating(path: pathlib.Path, pattern: str) -> config.Probe:
        """Return a probe whose runs succeed (1) and fail (0) in this order, the last for ever."""
        script = f"""
            count=$(cat {path} 2>/dev/null || echo 0); echo $((count + 1)) > {path}
            word={pattern}; [ $count -lt ${{#word}} ] || count=$((${{#word}} - 1))
            [ "${{word:$count:1}}" = 1 ]
        """
        return config.ExecProbe(command=("/bin/bash", "-c", script))

    @pytest.mark.parametrize(
        ("pattern", "rise", "fall", "runs"),
        [
            pytest.param("0", 2, 4, 4, id="to the first verdict"),
            pytest.param("110", 2, 3, 2, id="not before something speaks against it"),
            pytest.param("01", 3, 1, 1, id="not after a verdict"),
        ],
    )
    def test_runs_until_the_verdict_and_no_further(
        self, tmp_path: pathlib.Path, pattern: str, rise: int, fall: int, runs: int
    ) -> None:
        probe = self.alternating(tmp_path / "count", pattern)

        async def body(it: runner.Runner, inbox: Inbox) -> None:
            slow = check("new", probe, interval=3600, fast_interval=0.02, rise=rise, fall=fall)
            it.apply((slow, check("clock")))
            await probes.until(lambda: len(inbox.of("new")) == runs)
            await probes.until(lambda: len(inbox.of("clock")) >= 20)
            assert len(inbox.of("new")) == runs

        running(body)

    @pytest.mark.parametrize(
        ("pattern", "slow"),
        [
            pytest.param("1100000", {1, 5}, id="down after four failures"),
            pytest.param("11001111", {1, 4}, id="at rest again after one success"),
            pytest.param("0000111", {3, 5}, id="up after two successes"),
        ],
    )
    def test_ends_both_ways(self, tmp_path: pathlib.Path, pattern: str, slow: set[int]) -> None:
        """Which runs wait for the usual interval, and that others do not."""
        probe = self.alternating(tmp_path / "count", pattern)
        runs = max(slow) + 2

        async def body(it: runner.Runner, inbox: Inbox) -> None:
            it.apply((check("new", probe, interval=2, fast_interval=0.02, rise=2, fall=4),))
            await probes.until(lambda: len(inbox.of("new")) >= runs)
            starts = [time - event.duration for time, event in inbox.seen]
            gaps = [after - before for before, after in itertools.pairwise(starts)][: runs - 1]
            # A loaded machine may start late, never early.
            assert all(gaps[number] > 1.7 for number in slow), gaps
            assert min(gap for number, gap in enumerate(gaps) if number not in slow | {0}) < 1.7

        running(body)


def test_a_check_left_out_delivers_nothing_any_more() -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        it.apply((check("old"), check("kept")))
        await probes.until(lambda: bool(inbox.of("old")))
        it.apply((check("kept"),))
        before, kept = len(inbox.of("old")), len(inbox.of("kept"))
        await probes.until(lambda: len(inbox.of("kept")) >= kept + 5)
        assert len(inbox.of("old")) == before

    running(body)


def test_a_changed_check_delivers_only_what_its_new_probe_saw() -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        it.apply((check("it", NOT_OK),))
        await probes.until(lambda: bool(inbox.seen))
        it.apply((check("it", OK),))
        before = len(inbox.seen)
        await probes.until(lambda: len(inbox.seen) >= before + 3)
        assert all(event.is_ok for _, event in inbox.seen[before:])

    running(body)


def test_a_hanging_check_delays_no_other() -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        hang = config.ExecProbe(command=("/bin/sleep", "3600"))
        it.apply((check("hanging", hang, timeout=3600), check("good")))
        await probes.until(lambda: len(inbox.of("good")) >= 5)
        assert inbox.of("hanging") == []

    running(body)


def test_runs_of_one_check_never_overlap_when_they_take_longer_than_the_interval() -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        now = most = 0

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.03)
            now -= 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

        async with probes.serving(slow) as port:
            probe = config.HttpProbe(url=f"http://127.0.0.1:{port}/")
            it.apply((check("slow", probe, interval=0.001),))
            await probes.until(lambda: len(inbox.seen) >= 5)
        assert most == 1

    running(body)


def test_starts_are_an_interval_apart_within_the_jitter() -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        it.apply((check("it", interval=0.5, rise=1),))
        await probes.until(lambda: len(inbox.seen) >= 6)
        starts = [time - event.duration for time, event in inbox.seen]
        # A loaded machine may start late, never early: a sleep has a lower bound only. But what it
        # delivers late seems to have started late, and the next one is nearer then.
        assert min(after - before for before, after in itertools.pairwise(starts)) > 0.4

    running(body)


def test_the_first_run_does_not_wait_for_the_interval() -> None:
    async def body(it: runner.Runner, inbox: Inbox) -> None:
        it.apply((check("it", interval=3600),))
        await probes.until(lambda: bool(inbox.seen))

    running(body)


@pytest.mark.parametrize(
    "probe",
    [
        config.HttpProbe(url="http://127.0.0.1:99999/"),
        config.HttpProbe(url="gopher://127.0.0.1/"),
        config.HttpProbe(url="http://127.0.0.1:1/bad\x00path"),
        config.ExecProbe(command=()),
        config.ExecProbe(command=("a\x00b",)),
        config.TcpProbe(host="", port=-1),
        config.InterfaceProbe(name="\n"),
    ],
)
def test_a_probe_that_breaks_has_failed_and_is_run_again(probe: config.Probe) -> None:
    seen = asyncio.run(probes.outcomes(probe, 3))
    assert [event.is_ok for event in seen] == [False, False, False]
    assert all(event.message for event in seen)


def test_close_leaves_no_task_and_no_child() -> None:
    async def body(it: runner.Runner, _: Inbox) -> None:
        hang = config.ExecProbe(command=("/bin/sleep", "3600"))
        it.apply(tuple(check(f"hang{n}", hang, timeout=3600) for n in range(5)))
        await probes.until(lambda: len(probes.children()) == 5)
        await it.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        # They sleep for an hour: only a kill ends them, for which the kernel may take its time.
        await probes.until(lambda: probes.children() == [])

    running(body)


def test_what_no_check_asks_for_is_not_imported() -> None:
    """Dnspython, h11 and psutil cost memory on every node."""
    script = (
        "import sys; from exabgp_k8s.adapters.checks import runner;"
        "from exabgp_k8s.core.facts import config;"
        "runner.prepare(config.TcpProbe(host='127.0.0.1', port=1));"
        "sys.exit(', '.join({'dns', 'h11', 'psutil'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.stderr.decode().strip() == ""


def test_every_kind_of_probe_has_a_module() -> None:
    assert set(runner.MODULES) == set(config.Probe.__args__)
