"""An edit of the settings whose checker fails: what is in force goes on, and it is tried again."""

from __future__ import annotations

import pathlib

import pytest

from tests.support import faults
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

ANOTHER = "10.255.0.0/16"


class Checker:
    """What the next process that checks settings does."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self.works()
        self.environment = {"PYTHONPATH": str(faults.DIRECTORY), "CHECKER_FAULT": str(path)}

    def fails(self, how: str) -> None:
        """Let it hang or die."""
        self._path.write_text(how)

    def works(self) -> None:
        """Let it do its work."""
        self._path.write_text("")


@pytest.fixture(name="checker")
def _checker(tmp_path: pathlib.Path) -> Checker:
    return Checker(tmp_path / "checker")


def edit(lab: Lab) -> None:
    """Announce one range more."""
    document = lab.document()
    document["announce"]["services"]["cidrs"].append(ANOTHER)
    lab.write(document)


@pytest.mark.fault(
    area="our processes",
    what="the process that checks an edit of the settings is killed, as for want of memory",
    sees="nothing: the settings in force go on, and the edit comes with a later try",
    within="30 s after there is memory again",
)
def test_an_edit_whose_checker_dies_is_in_force_once_one_lives(lab: Lab, checker: Checker) -> None:
    lab.up(checker.environment)
    before = lab.router.routes()
    checker.fails("die")
    edit(lab)
    until(lambda: lab.json("status")["settings"]["stale"], lab.state)

    (told,) = lab.json("status")["settings"]["problems"]
    assert "could not be checked" in told
    assert "tried again" in told
    assert lab.router.routes() == before

    checker.works()
    lab.expect(lab.services, lab.pods, ANOTHER)
    until(lambda: not lab.json("status")["settings"]["stale"], lab.state)


@pytest.mark.fault(
    area="our processes",
    what="the process that checks an edit of the settings hangs",
    sees="nothing: cordons and checks are heard as ever, and the edit comes with the next try",
    within="a minute",
)
def test_a_cordon_is_heard_while_the_checker_of_an_edit_hangs(lab: Lab, checker: Checker) -> None:
    lab.up(checker.environment)
    agent = lab.agent
    checker.fails("hang")
    edit(lab)
    until(lambda: bool(agent.children()), lab.state)

    lab.api.cordon(lab.name, True)
    lab.expect()
    assert agent.children(), "the checker ended before the cordon was heard"
    lab.api.cordon(lab.name, False)
    lab.expect(lab.services, lab.pods)

    checker.works()
    lab.expect(lab.services, lab.pods, ANOTHER)
