"""The rounds: each takes one sample of every series, so that noise hits all of them alike."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tests.bench import floors, program
from tests.bench.samples import Series

WARM_UP = 5
"""Rounds that are run and not counted: caches, lazily imported modules, TCP's first estimates."""
PAUSE = (0.03, 0.13)
"""Seconds between two samples, at random: nothing may fall into step with anybody's timer."""


class Rounds:
    """Everything that is measured in time."""

    def __init__(
        self,
        watch: floors.Watch,
        speaker: floors.Speaker,
        measured: program.Program,
        left: program.Program,
    ) -> None:
        self._watch, self._speaker, self._program, self._left = watch, speaker, measured, left
        self.watch = Series(name="bare watch: Node change to line decoded")
        self.withdraw = Series(name="bare ExaBGP: written to withdrawn")
        self.announce = Series(name="bare ExaBGP: written to announced")
        self.withdraw_all = Series(name="bare ExaBGP: all routes withdrawn at all peers")
        self.cordon_first = Series(name="cordon to first route withdrawn")
        self.cordon_all = Series(name="cordon to all routes withdrawn at all peers")
        self.exclude = Series(name="exclude label to service range withdrawn")
        self.cordon_left = Series(name="the same while another router is away")
        self.uncordon_first = Series(name="uncordon to first route announced")
        self.check_first = Series(name="failed check to first route withdrawn")
        self.check_all = Series(name="failed check to all routes withdrawn at all peers")
        self._parts: list[Callable[[], None]] = [
            self._take_watch,
            self._take_one,
            self._take_all,
            self._take_cordon,
            self._take_exclude,
            self._take_left,
            self._take_check,
        ]

    @property
    def floor(self) -> Series:
        """The least a reaction to a Node can take: the bare watch, then the bare ExaBGP."""
        return Series.sum("floor: watch and ExaBGP", self.watch, self.withdraw)

    @property
    def floor_all(self) -> Series:
        """The same for all routes at all peers."""
        return Series.sum("floor: watch and ExaBGP, all routes", self.watch, self.withdraw_all)

    @property
    def series(self) -> tuple[Series, ...]:
        """All of them, floors first."""
        return (
            self.watch,
            self.withdraw,
            self.announce,
            self.withdraw_all,
            self.cordon_first,
            self.cordon_all,
            self.exclude,
            self.cordon_left,
            self.uncordon_first,
            self.check_first,
            self.check_all,
        )

    def run(self, count: int) -> None:
        """Warm up, then take this many samples of each."""
        for _ in range(WARM_UP):
            self._round()
        for each in self.series:
            each.values.clear()
        for _ in range(count):
            self._round()

    def _round(self) -> None:
        random.shuffle(self._parts)
        for part in self._parts:
            part()

    def _take_watch(self) -> None:
        _pause()
        self.watch.add(*self._watch.measure(is_cordoned=True))
        _pause()
        self._watch.measure(is_cordoned=False)

    def _take_one(self) -> None:
        for series, is_withdrawal in ((self.announce, False), (self.withdraw, True)):
            _pause()
            one = floors.PREFIXES[:1]
            written, arrivals = self._speaker.measure(one, is_withdrawal=is_withdrawal)
            series.add(written, min(arrivals))

    def _take_all(self) -> None:
        _pause()
        self._speaker.measure(floors.PREFIXES, is_withdrawal=False)
        _pause()
        written, arrivals = self._speaker.measure(floors.PREFIXES, is_withdrawal=True)
        self.withdraw_all.add(written, max(arrivals))

    def _take_cordon(self) -> None:
        _pause()
        began, arrivals = self._program.cordon()
        self.cordon_first.add(began, min(arrivals))
        self.cordon_all.add(began, max(arrivals))
        _pause()
        began, arrivals = self._program.uncordon()
        self.uncordon_first.add(began, min(arrivals))

    def _take_exclude(self) -> None:
        _pause()
        began, arrivals = self._program.exclude()
        self.exclude.add(began, min(arrivals))
        _pause()
        self._program.include()

    def _take_left(self) -> None:
        _pause()
        began, arrivals = self._left.cordon()
        self.cordon_left.add(began, max(arrivals))
        _pause()
        self._left.uncordon()

    def _take_check(self) -> None:
        taken = None
        while taken is None:
            _pause()
            taken = self._program.fail()
            _pause()
            self._program.recover()
        failed, arrivals = taken
        self.check_first.add(failed, min(arrivals))
        self.check_all.add(failed, max(arrivals))


def _pause() -> None:
    time.sleep(random.uniform(*PAUSE))
