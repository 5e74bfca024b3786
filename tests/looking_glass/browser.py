"""A real Chromium, of the distribution, without a screen: what a person would see and hear."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome import options as chrome
from selenium.webdriver.chrome import service

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = (
    "The tests of the looking glass in a browser are left out: there is no chromium with a "
    "chromedriver. On Debian: apt-get install chromium chromium-driver"
)
AXE = Path(__file__).parent / "axe" / "axe.min.js"
PHONE, DESK = 390, 1440
"""Widths of a screen in CSS pixels."""


class Browser:
    """One window.

    Args:
        driver: selenium's.
    """

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self._axe = AXE.read_text(encoding="utf-8")

    def open(self, url: str) -> None:
        """Show a page."""
        self.driver.get(url)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def devtools(self, command: str, **parameters: Any) -> Any:
        """Ask the browser for what no page may do."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def size(self, width: int, height: int = 900) -> None:
        """Be a screen of this size; a narrow one is a phone."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def prefer(self, *, dark: bool = False, media: str = "") -> None:
        """Prefer a colour scheme, or be a printer."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def scripts(self, *, allowed: bool) -> None:
        """Run the scripts of the pages, or none."""
        self.devtools("Emulation.setScriptExecutionDisabled", value=not allowed)

    def violations(self) -> list[str]:
        """Return what axe finds wrong with the page as it is."""
        found = self.driver.execute_async_script(
            self._axe + "; const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']})"
            ".then(found => done(JSON.stringify(found.violations)))"
        )
        return [
            f"{each['id']}: {each['help']}: {node['html'][:200]}"
            for each in json.loads(found)
            for node in each["nodes"]
        ]

    def complaints(self) -> list[str]:
        """Return what the browser itself has to complain of since it was asked last."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(each["message"]) for each in log if each["level"] in ("SEVERE", "WARNING")]


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start one."""
    options = chrome.Options()
    options.binary_location = str(BROWSER)
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=service.Service(str(DRIVER)))
    try:
        driver.set_script_timeout(60)
        yield Browser(driver)
    finally:
        driver.quit()
