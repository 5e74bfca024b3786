"""Is there a browser of the distribution to look with? Ubuntu has it as a snap only."""

from __future__ import annotations

import shutil

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

IS_THERE = BROWSER is not None and DRIVER is not None

MISSING = (
    "The tests of the looking glass in a browser were left out: there is no chromium with its "
    "chromedriver here. On Debian: apt-get install chromium chromium-driver"
)
