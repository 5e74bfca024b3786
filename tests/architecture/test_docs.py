"""What the pages say is so: commands, links, settings, reasons, metrics, exit codes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click
import pytest

from exabgp_k8s.adapters import metrics
from exabgp_k8s.agent import endpoints
from exabgp_k8s.agent import variables as names
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.cli import exits, looking_glass, root
from exabgp_k8s.core.facts import config, durations, model
from exabgp_k8s.core.report.notice import Word
from exabgp_k8s.settings import load, schema
from tests.architecture import exposition, fault_matrix, outputs_page, repository, settings_page

NOT_INSPECTION = {
    *("run", "drain", "undrain", "bfd-stop"),
    *("config convert", "looking-glass", "try"),
}
"""Commands that do something; pages of their own show what they print."""
PAGES = [str(page.relative_to(repository.ROOT)) for page in repository.pages()]


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of each of our commands in a page's shell blocks."""
    for block in repository.blocks(page, "sh"):
        for words in repository.simple_commands(block):
            if Path(words[0]).name == "exabgp-k8s":
                yield words[1 : next(_redirections(words), len(words))]


def _redirections(words: list[str]) -> Iterator[int]:
    return (index for index, word in enumerate(words) if word in {"<", ">", ">>"})


def first_words(name: str) -> set[str]:
    """Return what stands in code in the first cells of a page's tables."""
    return {
        found.group(1)
        for cells in repository.tables(name)
        if (found := re.fullmatch(r"`([^`]+)`", cells[0]))
    }


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = repository.ROOT / name
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [
        target
        for target in targets
        if not target.startswith("https://")
        # The tests run without the source tree beside them; the package is where it is installed.
        and "exabgp_k8s/" not in target
        and not (page.parent / target).exists()
    ]

    assert not missing


def test_every_module_that_a_page_names_exists() -> None:
    package = Path(load.__file__).parents[1]
    named = {
        target
        for page in repository.pages()
        for target in re.findall(r"\]\([./]*exabgp_k8s/([^)#]+)\)", page.read_text("utf-8"))
    }

    assert named
    assert not [target for target in named if not (package / target).exists()]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_ours_on_a_page_is_one_that_is_understood(name: str) -> None:
    for words in commands(repository.ROOT / name):
        repository.parse(words)


def test_commands_on_the_pages_are_found() -> None:
    """The test above would pass on pages without any."""
    found = [words for page in repository.pages() for words in commands(page)]

    assert ["drain", "--wait", "--timeout", "30"] in found


def test_every_reason_is_documented_and_no_other() -> None:
    assert first_words("docs/reference/reasons.md") == {str(reason) for reason in model.Reason}


def test_every_event_is_documented_and_no_other() -> None:
    assert first_words("docs/reference/events.md") == {str(word) for word in Word}


@pytest.mark.parametrize("reason", model.CAUSES)
def test_the_documented_defaults_are_those_in_force(reason: model.Reason) -> None:
    (row,) = (
        cells
        for cells in repository.tables("docs/reference/reasons.md")
        if cells[0] == f"`{reason}`"
    )
    written = {
        prefix_class: _written(config.DEFAULT_POLICY[reason, prefix_class])
        for prefix_class in model.PrefixClass
    }

    assert row[-2:] == [written[model.PrefixClass.SERVICES], written[model.PrefixClass.PODS]]


def _written(cell: config.Cell) -> str:
    after = f" after {durations.write(cell.after)}" if cell.after else ""
    return f"{cell.action}{after}"


def test_every_metric_is_documented_and_no_other() -> None:
    documented = {
        name for name in first_words("docs/reference/metrics.md") if name.startswith("exabgp_k8s_")
    }

    assert documented == set(exposition.metrics_and_labels())


def test_every_http_path_is_documented_and_no_other() -> None:
    served = endpoints.readable(cast("Latest", None), cast("metrics.Metrics", None))
    documented = {
        name for name in first_words("docs/reference/metrics.md") if name.startswith("/")
    }

    assert documented == {path for _, path in served}


def known_commands() -> set[str]:
    """Return every command, those of groups with the group's name."""
    context = click.Context(root.main)
    known = set()
    for name in root.main.list_commands(context):
        command = root.main.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            known |= {f"{name} {each}" for each in command.list_commands(context)}
        elif not command.hidden:
            known.add(name)
    return known


def test_every_command_is_documented_and_no_other() -> None:
    documented = {
        re.sub(r" \[.*", "", word)
        for word in first_words("docs/reference/cli.md")
        if word.islower() or "[" in word
    }

    assert documented == known_commands()


def test_every_exit_code_is_documented_and_no_other() -> None:
    documented = {
        int(cells[0]) for cells in repository.tables("docs/reference/cli.md") if cells[0].isdigit()
    }

    assert documented == {int(code) for code in exits.Code}


def variables() -> dict[str, str]:
    """Return the documented variables with their defaults."""
    return {
        cells[0].strip("`"): cells[-1].strip("`")
        for cells in repository.tables("docs/reference/cli.md")
        if cells[0].strip("`").isupper()
    }


def test_every_variable_that_an_option_reads_is_documented_and_no_other() -> None:
    found: set[str] = set()
    groups: list[click.Group] = [root.main]
    for group in groups:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found |= {each.envvar for each in command.params if isinstance(each.envvar, str)}
            groups += [command] if isinstance(command, click.Group) else []

    assert set(variables()) == found


def test_every_variable_is_documented_with_its_default() -> None:
    assert variables() == {
        names.NODE: "none: needed",
        names.SETTINGS: names.DEFAULT_SETTINGS,
        names.PASSWORD_DIR: names.DEFAULT_PASSWORD_DIR,
        names.STATE_DIR: names.DEFAULT_STATE_DIR,
        names.HTTP: names.DEFAULT_HTTP,
        names.KUBECONFIG: "the service account",
        names.BFD_DIR: "bfd, below the state directory",
        names.LOG_FORMAT: "json",
        "KUBECONFIG": "~/.kube/config`, or the pod's account",
        "EXABGP_K8S_LISTEN": looking_glass.DEFAULT_LISTEN,
        names.NAMESPACE: names.DEFAULT_NAMESPACE,
        names.POD: "none: not run as a pod",
    }


def test_the_decisions_are_listed_and_numbered() -> None:
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", repository.read("docs/adr/README.md"))
    files = sorted(path.name for path in (repository.ROOT / "docs/adr").glob("[0-9]*.md"))

    assert listed == files
    # Numbers are given out before the records are written, so one may come before another.
    numbers = [int(name[:4]) for name in files]
    assert numbers == sorted(set(numbers))


def test_ci_runs_the_readmes_own_test_command() -> None:
    """One line of the README, found by the script itself and understood by the shell."""
    (pattern,) = re.findall(r"grep '(.+)' README\.md", repository.read(".ci/run"))
    found = subprocess.run(
        ["grep", pattern, "README.md"],
        cwd=repository.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert f"{found[0]}\n" in repository.blocks(repository.ROOT / "README.md", "sh")
    assert len(found) == 1
    subprocess.run(["sh", "-n", "-c", found[0]], check=True)


def test_the_readmes_two_commands_are_one_word_each() -> None:
    first, second, *_ = repository.blocks(repository.ROOT / "README.md", "sh")

    assert (first, second) == (".ci/try\n", ".ci/test\n")


def test_the_readmes_pictures_are_there_say_what_they_show_and_ask_for_nothing_else() -> None:
    """A forge shows them as images: it runs no scripts in them, and fetches nothing for them."""
    shown = re.findall(r'<img src="(.+?)" width="\d+" alt="(.+?)">', repository.read("README.md"))

    assert len(shown) == 2
    assert all(len(words.split()) > 20 for _, words in shown)
    for name, _ in shown:
        picture = repository.read(name).replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"<script|<foreignObject|@import|@font-face|href|url\((?!#)", picture)


def test_the_fabrics_tools_are_among_the_packages_that_are_installed() -> None:
    asked = re.findall(r"apt-get install ([^\"]+)\"", repository.read("tests/fabric/conftest.py"))
    packages = repository.read(".ci/packages").replace("\\\n", " ")
    installed = re.findall(r"set -- (.+)$", packages, re.MULTILINE)

    assert asked
    assert set(asked[0].split()) <= set(installed[0].split())


def test_the_settings_page_is_made_from_the_settings() -> None:
    """Otherwise run ``python -m tests.architecture.settings_page``."""
    assert repository.read(settings_page.NAME) == settings_page.render()


def test_the_schema_beside_the_example_is_made_from_the_settings_and_named_in_its_first_line() -> (
    None
):
    """Otherwise run ``python -m tests.architecture.settings_page``."""
    assert repository.read(settings_page.SCHEMA_NAME) == schema.json_schema_text()
    first, *_ = repository.read("daemonset/settings.yaml").splitlines()
    assert first == "# yaml-language-server: $schema=settings.schema.json"


def test_the_fault_matrix_is_made_from_the_tests() -> None:
    """Otherwise run ``python -m tests.architecture.fault_matrix``."""
    assert repository.read(fault_matrix.NAME) == fault_matrix.render()


def test_the_sample_outputs_are_what_the_commands_print() -> None:
    """Otherwise run ``python -m tests.architecture.outputs_page``."""
    assert repository.read(outputs_page.NAME) == outputs_page.render()


def test_every_command_that_only_looks_has_a_sample_output() -> None:
    text = repository.read(outputs_page.NAME)
    shown = {
        re.sub("^kubectl bgp", "cluster", line).removeprefix("exabgp-k8s ")
        for line in re.findall(r"^\$ (.+)$", text, re.MULTILINE)
    }
    lacking = {
        name
        for name in known_commands() - NOT_INSPECTION
        if not any(f"{line} ".startswith(f"{name} ") for line in shown)
    }

    assert not lacking
    assert known_commands() > NOT_INSPECTION
