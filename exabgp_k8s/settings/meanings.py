"""What each key of the settings means: the text below it in the source of its section.

Only people ask: the schema, the reference page, a message that names a missing key. To find the
texts means to parse the source, a quarter of the time that all the models take to be made, so it
is done when somebody asks.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import sys
from collections.abc import Mapping
from typing import Any


@functools.cache
def of_keys(section: type[Any]) -> Mapping[str, str]:
    """Return what the attributes of a section mean, by their names, inherited ones too."""
    found: dict[str, str] = {}
    for each in reversed(section.__mro__):
        if each.__module__ == section.__module__:
            found |= _own(each)
    return found


def _own(section: type[Any]) -> Mapping[str, str]:
    body = _classes(section.__module__)[section.__name__].body
    return {
        attribute.target.id: inspect.cleandoc(text.value.value)
        for attribute, text in itertools.pairwise(body)
        if isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(text.value.value, str)
    }


@functools.cache
def _classes(module: str) -> Mapping[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}
