"""The pages in a real browser, as a person has them: by sight, by keyboard, by ear, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.cluster import samples
from tests.looking_glass import bed, browser
from tests.support import kubeapi

pytestmark = [
    pytest.mark.functional,
    pytest.mark.browser,
]

WITH_ROWS = ("/", "/routers/{router}", "/prefixes/10.96.0.0/16")
TOP = "return document.activeElement.getBoundingClientRect().top"
"""Where on the screen the focus is."""
PAGES = (
    *WITH_ROWS,
    "/?state=ill",
    "/nodes/n2",
    "/routers",
    "/prefixes",
    "/changes",
    "/search?q=n",
    "/nowhere",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[browser.Browser]:
    """One browser, for whatever is looked at."""
    with browser.browser() as found:
        yield found


@pytest.fixture
def window(chromium: browser.Browser) -> browser.Browser:
    """The browser as it is when it starts."""
    # The server of the page before is gone, and its page complains.
    chromium.open("about:blank")
    chromium.scripts(allowed=True)
    chromium.prefer()
    chromium.size(browser.DESK)
    chromium.complaints()
    return chromium


@pytest.mark.long
@pytest.mark.parametrize("size", [3, 50, 2000])
def test_every_page_can_be_used_by_everybody(
    window: browser.Browser, tmp_path: Path, size: int
) -> None:
    """Whatever the number of nodes; with few, all pages are looked into, with many the long."""
    with bed.glass(tmp_path, *bed.many(size, routers=max(2, size // 20))) as shown:
        for page in PAGES:
            window.size(browser.DESK)
            window.prefer(dark=False)
            window.open(shown.url + page.format(router="tor-a0"))

            assert window.is_as_wide_as(browser.DESK), page
            assert size > 3 or window.violations() == [], page
            window.size(browser.PHONE)
            window.prefer(dark=True)
            assert window.is_as_wide_as(browser.PHONE), page
            assert page not in WITH_ROWS or window.violations() == [], page
        # That there is no such page is what the browser may complain of, and nothing else.
        assert [each for each in window.complaints() if "/nowhere" not in each] == []


def test_an_open_page_follows_the_cluster_and_leaves_the_reader_alone(
    window: browser.Browser, alone: bed.Glass
) -> None:
    window.size(browser.PHONE)
    window.open(f"{alone.url}/")
    kubeapi.until(lambda: window.text("#live") == "Live", bed.LIMIT)
    window.run("window.isSameDocument = true; document.querySelector('.wide').scrollLeft = 40")
    window.run("document.querySelector('a[href=\"/nodes/n2\"]').focus()")
    before = window.run(TOP)

    alone.publish(bed.heard([samples.cordoned(1)])[0])
    kubeapi.until(lambda: window.can_be_read("3 of 5 nodes need somebody to look"), bed.LIMIT)
    kubeapi.until(lambda: window.can_be_read("2 more are out on purpose"), bed.LIMIT)

    assert window.run("return window.isSameDocument")
    assert window.run("return document.activeElement.getAttribute('href')") == "/nodes/n2"
    assert window.run("return document.querySelector('.wide').scrollLeft") == 40
    assert abs(window.run(TOP) - before) < 2
    assert window.text("#announced") == "n1: announcing → withheld; cordoned"


def test_an_open_page_leaves_what_is_typed_and_what_is_selected(
    window: browser.Browser, alone: bed.Glass
) -> None:
    window.open(f"{alone.url}/")
    kubeapi.until(lambda: window.text("#live") == "Live", bed.LIMIT)
    window.type("#f-q", "rack")
    alone.publish(bed.heard([samples.cordoned(1)])[0])
    kubeapi.until(lambda: window.can_be_read("2 more are out on purpose"), bed.LIMIT)

    assert window.run("return document.activeElement.id") == "f-q"
    assert window.run("return document.activeElement.value") == "rack"
    window.run("getSelection().selectAllChildren(document.querySelector('caption'))")
    alone.publish(bed.heard([samples.well(1)])[0])
    kubeapi.until(lambda: window.text("#announced").startswith("n1: withheld"), bed.LIMIT)
    assert window.can_be_read("2 more are out on purpose")

    window.run("getSelection().removeAllRanges()")
    kubeapi.until(lambda: window.can_be_read("1 more is out on purpose"), bed.LIMIT)


def test_an_open_page_says_when_it_is_not_up_to_date(
    window: browser.Browser, tmp_path: Path
) -> None:
    with bed.glass(tmp_path, *bed.five()) as shown:
        window.open(f"{shown.url}/")
        kubeapi.until(lambda: window.text("#live") == "Live", bed.LIMIT)

    kubeapi.until(lambda: window.text("#live").startswith("Not live"), bed.LIMIT)


def test_everything_can_be_reached_by_keyboard(window: browser.Browser, alone: bed.Glass) -> None:
    window.open(f"{alone.url}/")
    window.press(Keys.TAB)
    assert window.run("return document.activeElement.className") == "skip"
    window.press(Keys.ENTER)
    assert window.run("return document.activeElement.id") == "main"

    links = window.run(
        "return document.querySelectorAll('main :is(a, input, select, button)').length"
    )
    walked = set()
    for _ in range(links + 2):
        window.press(Keys.TAB)
        walked.add(
            window.run(
                "const at = document.activeElement;"
                "const style = getComputedStyle(at);"
                "return at.outerHTML + (style.outlineStyle !== 'none')"
            )
        )
    assert len([each for each in walked if each.endswith("true")]) >= links
    assert not [each for each in walked if each.endswith("false")]


def test_without_scripts_all_works_but_keeping_up_to_date(
    window: browser.Browser, alone: bed.Glass
) -> None:
    window.scripts(allowed=False)
    window.open(f"{alone.url}/")
    assert window.can_be_read("reload it")
    assert not window.can_be_read("Live")

    window.type("#f-q", f"n4{Keys.ENTER}")
    kubeapi.until(lambda: "q=n4" in window.driver.current_url, bed.LIMIT)
    kubeapi.until(lambda: window.can_be_read("1 node, those"), bed.LIMIT)
    window.click('a[href="/nodes/n4"]')
    kubeapi.until(lambda: window.can_be_read("Compare the AS numbers"), bed.LIMIT)


def test_on_paper_there_is_ink_for_what_matters_only(
    window: browser.Browser, alone: bed.Glass
) -> None:
    window.prefer(dark=True, media="print")
    window.open(f"{alone.url}/routers/tor-a")

    assert window.run("return getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert window.run("return document.querySelector('header nav').offsetParent") is None
    assert window.run("return getComputedStyle(document.querySelector('.wide')).overflowX") == (
        "visible"
    )
    assert window.can_be_read("unhealthy:kube-proxy")
    assert len(window.pdf()) > 10_000
