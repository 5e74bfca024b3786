"""From the two mounted things, a ConfigMap's document and a Secret's directory, to core values.

The document is YAML as people mean it (the core schema of YAML 1.2): ``64512:10`` is text, not
a number in base 60, and ``no`` is not a boolean. Duplicate keys, anchors and tags are refused,
because each of them makes the file say something else than what a reader sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pydantic
import yaml

from exabgp_k8s import errors
from exabgp_k8s.core import config, model
from exabgp_k8s.settings import contradictions, convert, problems, schema, values

LARGEST = 256 * 1024
"""Bytes; hundreds of peers fit, and reading it takes two seconds at most."""
DEEPEST = 32
"""Levels of nesting; the document has seven."""
LONGEST_PASSWORD = 80
"""Bytes; TCP_MD5SIG_MAXKEYLEN of Linux, and ExaBGP's own limit."""

SCALARS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # tag: (what it looks like, the characters it may begin with; "" is an empty value)
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", ("~", "n", "N", "")),
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    "tag:yaml.org,2002:int": (r"[-+]?(0|[1-9][0-9]{0,18})", tuple("-+0123456789")),
    "tag:yaml.org,2002:float": (r"[-+]?[0-9]+\.[0-9]+", tuple("-+0123456789")),
}

READ: Mapping[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}


class _Reader(yaml.SafeLoader):
    """YAML without anchors, without endless nesting, and with YAML 1.2's idea of a scalar."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own way
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node, unless it is an alias, or lies too deep to be meant."""
        event = self.peek_event()  # type: ignore[no-untyped-call] # the stubs stop here
        if getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not used here; write the value out",
                problem_mark=event.start_mark,
            )
        if self.depth >= DEEPEST:
            raise yaml.MarkedYAMLError(
                problem="nested too deeply for a settings document",
                problem_mark=event.start_mark,
            )
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _tag, (_pattern, _first) in SCALARS.items():
    _Reader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))


def _read_yaml(text: str, source: str) -> tuple[Any, list[errors.Problem]]:
    """Return what a text says as plain values, and the keys that it says twice.

    Raises:
        SettingsError: where the text is not YAML, or YAML of a kind that is refused.
    """
    try:
        node = _compose(text)
        found: list[errors.Problem] = []
        return (None if node is None else _plain(node, (), found)), found
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        words = (part for part in (error.context, error.problem) if part)
        problem = errors.Problem(place, f"not YAML as it is used here: {', '.join(words)}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = errors.Problem(f"line {line}", "a control character; YAML is printable text")
    raise errors.SettingsError((problem,), source)


def _compose(text: str) -> yaml.Node | None:
    reader = _Reader(text)
    try:
        return reader.get_single_node()
    except (ValueError, OverflowError) as error:
        # PyYAML believes every number in an escape ("\\UFFFFFFFF") or a %YAML line.
        raise yaml.MarkedYAMLError(
            problem=f"a number that cannot be meant: {error}",
            problem_mark=reader.get_mark(),
        ) from None


def _plain(node: yaml.Node, location: problems.Location, found: list[errors.Problem]) -> Any:
    """Return the plain value of a node, and add what is wrong below it to ``found``."""
    match node:
        case yaml.ScalarNode(tag=tag, value=value) if tag in READ:
            return _scalar(node, tag, value)
        case yaml.SequenceNode(tag="tag:yaml.org,2002:seq", value=items):
            return [_plain(item, (*location, index), found) for index, item in enumerate(items)]
        case yaml.MappingNode(tag="tag:yaml.org,2002:map", value=pairs):
            return _mapping(pairs, location, found)
        case _:
            raise yaml.MarkedYAMLError(
                problem=f"the tag {node.tag} is not used here; write the plain value",
                problem_mark=node.start_mark,
            )


def _scalar(node: yaml.Node, tag: str, text: str) -> Any:
    # A tag in the document itself may promise what the text does not keep: !!int x.
    pattern, _ = SCALARS.get(tag, (None, ()))
    if pattern is not None and not re.fullmatch(pattern, text):
        kind = tag.rpartition(":")[2]
        raise yaml.MarkedYAMLError(
            problem=f"the tag !!{kind} does not fit its value; write the plain value",
            problem_mark=node.start_mark,
        )
    return READ[tag](text)


def _mapping(
    pairs: list[tuple[yaml.Node, yaml.Node]],
    location: problems.Location,
    found: list[errors.Problem],
) -> dict[str, Any]:
    """Return a mapping; of a key written twice the first one counts, and both are reported."""
    lines: dict[str, int] = {}
    mapping: dict[str, Any] = {}
    for key_node, value_node in pairs:
        # A key is text whatever it looks like: a label may well be called 1 or true.
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
        line = key_node.start_mark.line + 1
        value = _plain(value_node, (*location, key), found)
        if key in lines:
            message = f"written twice, in lines {lines[key]} and {line}; keep one"
            found.append(errors.Problem(problems.path_of((*location, key)), message))
            continue
        lines[key] = line
        mapping[key] = value
    return mapping


def parse(text: str, source: str) -> config.Config:
    """Return the configuration that a settings document means.

    Raises:
        SettingsError: with every mistake found; ``source`` names the document in its text.
    """
    return convert.to_core(document(text, source))


def load(path: Path) -> config.Config:
    """Return the configuration in a file.

    Raises:
        SettingsError: where the file cannot be read, and as with ``parse``.
    """
    return parse(read_text(path), str(path))


def document(text: str, source: str) -> schema.Settings:
    """Return the checked document itself: what ``config show`` shows.

    Raises:
        SettingsError: with every mistake found.
    """
    written, found = _read_yaml(text, source)
    try:
        settings = schema.Settings.model_validate(written)
    except pydantic.ValidationError as error:
        found += problems.explain(error, schema.Settings)
        raise errors.SettingsError((*found, *contradictions.find(written)), source) from None
    found += contradictions.find(written)
    if found:
        raise errors.SettingsError(tuple(found), source)
    return settings


def read_text(path: Path) -> str:
    """Return the text of a settings file.

    Raises:
        SettingsError: where it cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST:
        raise _refusal(path, f"is larger than {LARGEST} bytes; is it the right file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(path, f"is not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _refusal(path: Path, message: str) -> errors.SettingsError:
    return errors.SettingsError((errors.Problem("", message),), str(path))


def read_passwords(
    directory: Path, peers: Iterable[config.Peer]
) -> tuple[Mapping[str, model.Secret], tuple[errors.Problem, ...]]:
    """Return the passwords that the peers name, by key, and why the others have none.

    A peer whose password is not among them stays down. No message holds a password.
    """
    found: dict[str, model.Secret] = {}
    missing: list[errors.Problem] = []
    for index, peer in enumerate(peers):
        if peer.password_from is None:
            continue
        try:
            found[peer.password_from] = _password(directory / peer.password_from)
        except ValueError as error:
            path = problems.path_of(("peers", index, "passwordFrom"))
            missing.append(errors.Problem(path, f"peer {peer.name} stays down: {error}"))
    return found, tuple(missing)


def _password(path: Path) -> model.Secret:
    """Read one key of the mounted Secret; one newline at its end is an editor's, and ignored."""
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_PASSWORD + 2).removesuffix(b"\n")
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); add the key {path.name} to the Secret"
        ) from None
    if not 1 <= len(raw) <= LONGEST_PASSWORD:
        raise ValueError(f"{path} is not 1 to {LONGEST_PASSWORD} bytes long, as TCP MD5 needs")
    # Not decode() first: its error would carry the password.
    text = raw.decode("ascii", "replace")
    if not set(text) <= values.PRINTABLE:
        raise ValueError(f"{path} holds something else than printable ASCII")
    return model.Secret(text)
