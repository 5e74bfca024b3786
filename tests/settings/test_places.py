"""A mistake is found by its line and column, as an editor counts them."""

from __future__ import annotations

import textwrap

import pytest

from exabgp_k8s import errors
from exabgp_k8s.settings import load, places

TEXT = """\
# routers of rack a
bgp: {asn: 64512}
peers:
  - name: tor-a
    address: 192.0.2.1
    asn: 64513
    holdTime: soon
    nodeSelector: {rack: a}
    colour:
      - red
  - name: tor-b
    asn: 64513
announce:
  services:
    cidrs: [10.96.0.0/16, 10.96.1.0/33]
  pods: {within: [10.244.0.0/16]}
  "a.b": 1
"""


def refused(text: str) -> dict[str, errors.Problem]:
    with pytest.raises(errors.SettingsError) as refusal:
        load.parse(textwrap.dedent(text), "settings.yaml")
    return {problem.path: problem for problem in refusal.value.problems}


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("peers[0].holdTime", 7, 15),
        ("peers[0].nodeSelector", 8, 19),
        # Its value begins below it.
        ("peers[0].colour", 9, 5),
        ("announce.services.cidrs[1]", 15, 27),
        ('announce["a.b"]', 17, 10),
        # What is missing stands at what it is missing in.
        ("peers[1].address", 11, 5),
    ],
)
def test_each_mistake_has_its_place(path: str, line: int, column: int) -> None:
    problem = refused(TEXT)[path]

    assert (problem.line, problem.column) == (line, column)
    assert problem.in_line == f"line {line}, column {column}: {problem}"


def test_what_is_missing_in_the_document_itself_has_no_place() -> None:
    problem = refused("bgp: {asn: 64512}\nannounce: {services: {cidrs: [10.96.0.0/16]}}\n")[
        "peers"
    ]

    assert (problem.line, problem.in_line) == (0, str(problem))


def test_a_contradiction_has_its_place_too() -> None:
    text = """\
    bgp: {asn: 64512}
    peers:
      - {name: tor-a, address: 192.0.2.1, asn: 64513}
      - {name: tor-a, address: 192.0.2.2, asn: 64513}
    announce: {services: {cidrs: [10.96.0.0/16]}}
    """

    assert {problem.line for problem in refused(text).values()} == {4}


def test_a_path_that_is_nowhere_has_no_place() -> None:
    (found,) = places.located("a: 1", [errors.Problem("b.c", "is wrong")])

    assert found.line == 0


def test_a_label_written_as_elsewhere_is_answered_with_how_to_write_it() -> None:
    problem = refused(TEXT)["peers[0].nodeSelector"]

    assert problem.message.endswith("write nodeSelector: {matchLabels: {rack: a}}")


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("{rack: a, zone: b}", "{rack: a, zone: b}"),
        ("{rack: 1}", '{rack: "1"}'),
        ('{rack: "true", example.com/zone: ""}', '{rack: "true", example.com/zone: ""}'),
        ("{rack: true}", '{rack: "true"}'),
        ("rack=a", "{rack: a}"),
        ("rack=1,zone==b", '{rack: "1", zone: b}'),
    ],
)
def test_labels_written_otherwise_are_answered_once_with_what_is_then_valid(
    written: str, answer: str
) -> None:
    found = refused(TEXT.replace("{rack: a}", written))
    (problem,) = (each for path, each in found.items() if path.startswith("peers[0].nodeSelector"))
    selector = f"nodeSelector: {{matchLabels: {answer}}}"

    assert problem.message.endswith(f"write {selector}")
    mended = refused(TEXT.replace("nodeSelector: {rack: a}", selector))
    assert not any("nodeSelector" in path for path in mended)


@pytest.mark.parametrize("written", ["rack", "rack!=a", "rack in (a)"])
def test_a_selector_in_words_that_are_no_labels_is_told_its_keys(written: str) -> None:
    problem = refused(TEXT.replace("{rack: a}", written))["peers[0].nodeSelector"]

    assert problem.message == "write a mapping of matchLabels, matchExpressions"


def test_mistakes_come_in_the_order_of_their_lines_and_those_without_one_last() -> None:
    text = "drain: {settle: x}\nbgp: {asn: 0}\nannounce: {services: {cidrs: [10.96.0.0/33]}}\n"

    assert list(refused(text)) == [
        "drain.settle",
        "bgp.asn",
        "announce.services.cidrs[0]",
        "peers",
    ]
