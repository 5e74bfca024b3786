"""Every block of code on the pages is one that its reader could use: shell, YAML, JSON, units.

What a language can be held to is in ``JUDGED``; blocks of other languages are in ``NOT_JUDGED``,
each with the reason. Configurations of FRR, BIRD, Unbound, dnsmasq and BIND are given to these
programs themselves, in ``tests/fabric/test_pages.py``, where they are installed.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.architecture import repository
from tests.settings import samples

NOT_JUDGED = {
    "": "a drawing, on the pages of DRAWN only",
    "text": "what a program prints, or a router of a vendor that is not here",
    "console": "what commands said of a real cluster: tests/architecture/test_examples.py",
    "mermaid": "drawn by the build of the site, which refuses what it cannot draw",
    "powershell": "no such shell here",
    "python": "a piece of a file that its own tests run",
    "frr": "in tests/fabric/test_pages.py",
    "bird": "in tests/fabric/test_pages.py",
    "unbound": "in tests/fabric/test_pages.py",
    "dnsmasq": "in tests/fabric/test_pages.py",
    "named": "in tests/fabric/test_pages.py",
    "nft": "in tests/fabric/test_keep_settings.py",
}
DRAWN = {
    "docs/adr/0022-how-the-processes-start.md",
    "docs/explanation/how-it-decides.md",
    "docs/explanation/processes.md",
    "docs/explanation/security.md",
}
OTHER_PEOPLES_YAML = {
    "components:": "a piece of a kustomization",
    "kind: Cluster": "kind reads it, which is no API of a cluster",
    "# on the Machine": "a piece of Cluster API's Machine",
    "# kubelet's configuration": "a file of kubelet's",
    "# a patch for the machine": "Talos reads it",
    "# documents of Talos": "Talos reads them",
    "#cloud-config": "cloud-init reads it",
}
NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
UNIT_LINE = re.compile(r"|[#;].*|\[\w+\]|[\w.]+ ?= ?\S.*")
SHELL_HAS_NO_PLACEHOLDERS = re.compile(r"<[A-Za-z]")


def _shell(text: str) -> None:
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    assert not SHELL_HAS_NO_PLACEHOLDERS.search(text), "a <word> is a redirection: write WORD"


def _yaml(text: str) -> None:
    documents = list(yaml.safe_load_all(text))
    if any(text.startswith(first) for first in OTHER_PEOPLES_YAML):
        return
    for document in documents:
        if "apiVersion" in document:
            _manifest(document)
        else:
            samples.parse({**samples.SMALLEST, **document})


def _manifest(document: Mapping[str, Any]) -> None:
    """Hold an object of Kubernetes to what every one needs, and a workload to what it would be.

    Objects of our own definitions are shown shortened, with ``...`` for the rest.
    """
    assert re.fullmatch(r"([\w.-]+/)?v\d+((alpha|beta)\d+)?", document["apiVersion"])
    assert re.fullmatch(r"[A-Z]\w+", document["kind"])
    assert NAME.fullmatch(document["metadata"]["name"])
    template = document.get("spec", {}).get("template")
    if template is not None:
        wanted = document["spec"]["selector"]["matchLabels"].items()
        assert wanted <= template["metadata"]["labels"].items()
        for container in template["spec"]["containers"]:
            assert {"name", "image"} <= container.keys()


def _unit(text: str) -> None:
    """A file of systemd's or sysctl's: sections, assignments and comments, nothing else."""
    wrong = [line for line in text.splitlines() if not UNIT_LINE.fullmatch(line)]
    assert not wrong


JUDGED: Mapping[str, Callable[[str], object]] = {
    "sh": _shell,
    "yaml": _yaml,
    "json": json.loads,
    "ini": _unit,
}


def blocks() -> Iterator[Any]:
    """Yield every block whose language can be held to something."""
    for page in repository.pages():
        for number, (language, text) in enumerate(repository.fenced(page), start=1):
            if language in JUDGED:
                where = f"{page.relative_to(repository.ROOT)}-{number}"
                yield pytest.param(language, text, id=where)


@pytest.mark.parametrize(("language", "text"), list(blocks()))
def test_a_block_on_a_page_can_be_used_as_it_stands(language: str, text: str) -> None:
    JUDGED[language](text)


def test_every_block_has_a_language_that_is_judged_or_a_reason_why_not() -> None:
    found = {language for page in repository.pages() for language, _ in repository.fenced(page)}

    assert found == {*JUDGED, *NOT_JUDGED}
    drawn = {
        str(page.relative_to(repository.ROOT))
        for page in repository.pages()
        for language, _ in repository.fenced(page)
        if not language
    }
    assert drawn == DRAWN


def test_every_exception_is_needed() -> None:
    texts = [text for page in repository.pages() for _, text in repository.fenced(page)]

    for first in OTHER_PEOPLES_YAML:
        assert any(text.startswith(first) for text in texts)
