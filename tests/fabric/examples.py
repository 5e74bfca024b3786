"""``python -m tests.fabric.examples``: what pages show of real beds, with real faults.

Runs every command that stands behind a prompt in a ``console`` block of a page and writes what it
says below it. The page about the cluster is asked of the five nodes of ``five``, as a router's
admin, with a real API server (``KUBEBUILDER_ASSETS``); the page about symptoms of the bed of
``symptoms``, block by block with the fault that the comment above it names. Words behind the
command are pages to write, ``cluster`` or ``symptoms``; none: both. Needs root, as all beds do.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.architecture import repository
from tests.fabric import faults, five, symptoms

PAGE = "docs/how-to/inspect-cluster.md"
BLOCK = re.compile(
    r"(?:^<!-- fault: (?P<fault>\w+) -->\n\n)?^```console\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PROMPT = re.compile(r"^(\$|[\w-]+@[\w-]+[#$]) (?!echo \$\?$)(.+)$", re.MULTILINE)
"""A prompt and what is typed at it. How a command ended is asked by nobody: it is told."""
LONGEST = 40
"""Lines of one output; what is longer ends in an ellipsis."""
Run = Callable[[str, str], str]
"""What is answered at a prompt to a command."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A command on a page, at its prompt, and what stands below it."""

    prompt: str
    command: str
    output: str


def shown(body: str) -> Iterator[Shown]:
    """Yield the commands of a block."""
    found = list(PROMPT.finditer(body))
    ends = [each.start() for each in found[1:]] + [len(body)]
    for each, end in zip(found, ends, strict=True):
        yield Shown(each.group(1), each.group(2), body[each.end() : end].strip("\n"))


def commands(text: str) -> list[str]:
    """Return the commands of a page's ``console`` blocks."""
    return [each.command for block in BLOCK.finditer(text) for each in shown(block["body"])]


def render(text: str, asked: Callable[[str], contextlib.AbstractContextManager[Run]]) -> str:
    """Return the page with what is said of each command, while there is the fault of its block."""

    def block(found: re.Match[str]) -> str:
        with asked(found["fault"] or "none") as run:
            said = [
                f"{each.prompt} {each.command}\n{shortened(run(each.prompt, each.command))}\n"
                for each in shown(found["body"])
            ]
        return found.group(0).replace(found["body"], "\n".join(said))

    return BLOCK.sub(block, text)


def shortened(output: str) -> str:
    """Return an output as it is shown."""
    lines = [line.rstrip() for line in output.rstrip().splitlines()]
    return "\n".join(lines if len(lines) <= LONGEST else [*lines[:LONGEST], "..."])


def _write(page: str, asked: Callable[[str], contextlib.AbstractContextManager[Run]]) -> None:
    path = repository.ROOT / page
    path.write_text(render(path.read_text(encoding="utf-8"), asked), encoding="utf-8")


def _cluster() -> None:
    with contextlib.closing(five.Five("real")) as bed:

        def run(_: str, command: str) -> str:
            program, *arguments = shlex.split(command)
            if program == "kubectl":
                return bed.kubectl(*arguments).stdout
            return bed.run(sys.executable, "-m", "exabgp_k8s", *arguments).stdout

        _write(PAGE, lambda _: contextlib.nullcontext(run))


def _symptoms() -> None:
    with contextlib.closing(symptoms.Symptoms()) as bed:

        @contextlib.contextmanager
        def asked(fault: str) -> Iterator[Run]:
            with faults.having(bed, fault):
                yield bed.run

        _write(symptoms.PAGE, asked)


def main() -> int:
    """Build the beds and write the pages."""
    pages = {"cluster": _cluster, "symptoms": _symptoms}
    for name in sys.argv[1:] or pages:
        pages[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
