"""Drawn pictures are read by eye and by ear, on light screens and dark ones, and fetch nothing."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.architecture import repository

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = ("clusterip", "overview")
"""By hand; what a terminal printed is dark as it was."""


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_says_what_it_shows_has_a_dark_one_and_fetches_nothing(name: str) -> None:
    text = repository.read(f"docs/pictures/{name}.svg")
    root = ET.fromstring(text)

    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    assert "@media (prefers-color-scheme: dark)" in text
    assert not re.findall(r"href|@import|url\((?!#)", text)
