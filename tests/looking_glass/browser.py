"""A real Chromium, of the distribution, without a screen: what a person would see and hear."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome import options as chrome
from selenium.webdriver.chrome import service
from selenium.webdriver.common import action_chains, by
from selenium.webdriver.remote import webelement

from tests.support import chromium

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

    def text(self, selector: str) -> str:
        """Return what the first element that fits says, to the eye or to the ear."""
        return " ".join(str(self._first(selector).get_property("textContent")).split())

    def can_be_read(self, text: str) -> bool:
        """Say whether a text is on the screen, but for where one scrolls to."""
        return text in self._first("body").text

    def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        self._first(selector).send_keys(text)

    def click(self, selector: str) -> None:
        """Click on the first element that fits."""
        self._first(selector).click()

    def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        action_chains.ActionChains(self.driver).send_keys(key).perform()

    def pdf(self) -> bytes:
        """Return the page as it is printed."""
        return base64.b64decode(self.devtools("Page.printToPDF")["data"])

    def picture(self, width: int = 0, height: int = 0) -> bytes:
        """Return the page as a PNG: the whole of it, or so much of its beginning."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        how: dict[str, Any] = {"clip": clip} if width else {"captureBeyondViewport": True}
        return base64.b64decode(
            self.devtools("Page.captureScreenshot", format="png", **how)["data"]
        )

    def _first(self, selector: str) -> webelement.WebElement:
        return self.driver.find_element(by.By.CSS_SELECTOR, selector)

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

    def is_as_wide_as(self, width: int) -> bool:
        """Say whether the page has no need to be scrolled sideways."""
        found: int = self.run("return document.documentElement.scrollWidth")
        return found <= width

    def violations(self) -> list[str]:
        """Return what axe finds wrong with the page as it is."""
        if not self.run("return !!window.axe"):
            # The page's own policy lets no script of ours in.
            self.devtools("Runtime.evaluate", expression=self._axe)
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
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
    options.binary_location = str(chromium.BROWSER)
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=service.Service(str(chromium.DRIVER)))
    try:
        driver.set_script_timeout(60)
        yield Browser(driver)
    finally:
        driver.quit()
