"""Commands on the pages that no shell block holds: behind a prompt, or in a sentence; and kubectl.

What ``sh`` blocks say of ours is in ``test_docs``. Of kubectl the pages use a few verbs and
options, which are listed here, so that a misspelt one is found without a cluster. Where there is a
kubectl, its own help has to have all of them.
"""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from exabgp_k8s.agent import variables
from tests.architecture import repository
from tests.support import controlplane

PROMPT = re.compile(r"^(?:\$|[\w-]+@[\w-]+[#$]) (.+)$", re.MULTILINE)
SENTENCE = re.compile(r"(?<!`)`((?:exabgp-k8s|kubectl bgp) [^`…]+)`")
NAMES = {"exabgp-k8s cluster", "exabgp-k8s config convert", "exabgp-k8s COMMAND --help"}
"""What a sentence calls by its name and nobody types."""

TAKE_A_VALUE = {"-n", "--namespace", "--context", "--kubeconfig"}
COMMON = {*TAKE_A_VALUE, "-o", "--output"}
SELECT = {"-l", "--selector", "--field-selector"}
KUBECTL: Mapping[str, set[str]] = {
    "annotate": {"--overwrite", *SELECT},
    "apply": {"-f", "-k", "--dry-run", "--server-side"},
    "cordon": {"-l", "--selector"},
    "create": {"--clusterrole", "--group", "--user"},
    "delete": {"-f", "-k", "--wait", "--ignore-not-found", *SELECT},
    "describe": {"-l", "--selector"},
    "diff": {"-f", "-k"},
    "drain": {"--delete-emptydir-data", "--ignore-daemonsets", "--timeout", "--force"},
    "edit": set(),
    "exec": {"-i", "-it", "-t", "-c", "--container"},
    "explain": set(),
    "get": {
        "-A",
        "--all-namespaces",
        "-L",
        "-w",
        "--watch",
        "--show-labels",
        "--sort-by",
        *SELECT,
    },
    "kustomize": set(),
    "label": {"--all", "--overwrite", *SELECT},
    "logs": {"-c", "--container", "-f", "--follow", "--previous", "--tail", "-l", "--selector"},
    "patch": {"--type", "-p", "--patch", "--subresource"},
    "port-forward": set(),
    "rollout": {"--timeout"},
    "uncordon": {"-l", "--selector"},
    "wait": {"--for", "--timeout", *SELECT},
}
"""The verbs and options that the pages may use. It knows thousands; these have been looked up."""


def _typed() -> Iterator[tuple[str, list[str]]]:
    """Yield every command behind a prompt or in a shell block, with its page."""
    for page in repository.pages():
        for language, text in repository.fenced(page):
            found = [text] if language == "sh" else []
            found += PROMPT.findall(text) if language == "console" else []
            for each in found:
                for words in repository.simple_commands(each):
                    yield str(page.relative_to(repository.ROOT)), words


def _of_kubectl() -> Iterator[tuple[str, list[str]]]:
    for page, words in _typed():
        # In front may stand a variable, as in POD=$(kubectl ...).
        for start, word in enumerate(words[:3]):
            if word == "kubectl" and words[start + 1] != "bgp":
                yield page, words[start + 1 :]


def _ours(words: list[str]) -> list[str] | None:
    """Return the arguments of a command of ours, or of the plugin."""
    if Path(words[0]).name == "exabgp-k8s":
        return words[1:]
    return ["cluster", *words[2:]] if words[:2] == ["kubectl", "bgp"] else None


@pytest.fixture(autouse=True)
def _in_a_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod says which node it is on."""
    monkeypatch.setenv(variables.NODE, "n1")


def test_every_command_of_ours_behind_a_prompt_is_understood() -> None:
    found = [ours for _, words in _typed() if (ours := _ours(words)) is not None]

    assert ["history", "--since", "5m"] in found
    assert ["cluster", "why", "n4"] in found
    for words in found:
        repository.parse(list(itertools.takewhile(lambda word: word[0] not in "<>", words)))


def test_every_command_of_ours_in_a_sentence_is_understood() -> None:
    found = {
        code
        for page in repository.pages()
        for code in SENTENCE.findall(page.read_text(encoding="utf-8"))
    }

    assert "exabgp-k8s config validate" in found
    for code in found - NAMES:
        first, *_ = repository.simple_commands(re.sub(r" [<>].*", "", code))
        ours = _ours(first)
        assert ours is not None
        repository.parse(ours)


def test_every_verb_and_option_of_kubectl_on_the_pages_exists() -> None:
    for page, words in _of_kubectl():
        options, verbs = _options(words)
        assert verbs[0] in KUBECTL, f"{page}: kubectl {verbs[0]}"
        unknown = options - COMMON - KUBECTL[verbs[0]]
        assert not unknown, f"{page}: kubectl {' '.join(words)}"


def test_kubectl_itself_knows_what_the_pages_use_of_it() -> None:
    """Where there is none, as on a fresh machine, what is above has been looked up before."""
    kubectl = controlplane.kubectl()
    for verb, options in KUBECTL.items() if kubectl else ():
        wanted = {"clusterrolebinding"} if verb == "create" else set()
        wanted |= {"status"} if verb == "rollout" else set()
        asked = [str(kubectl), verb, *wanted, "--help"]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        for option in options:
            letters = option.removeprefix("-") if not option.startswith("--") else ""
            names = [option] if not letters else [f"-{letter}" for letter in letters]
            assert all(re.search(rf"^\s+.*{name}[,=]", said, re.MULTILINE) for name in names), verb


def _options(words: list[str]) -> tuple[set[str], list[str]]:
    """Return the options, and the other words but for values of options before the verb."""
    options = {word.partition("=")[0] for word in words if re.match(r"-{1,2}[A-Za-z]", word)}
    plain = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in TAKE_A_VALUE
    ]
    return options, plain
