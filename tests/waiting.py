"""How browser tests wait for what Playwright's own expectations cannot tell."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from playwright.sync_api import Error, Frame, Page

from machine import PATIENCE


def until(page: Page | Frame, holds: str | Callable[[], object], given: Any = None) -> None:
    """Until a script of the page, or Python, finds it so.

    Not Playwright's wait_for_function: after its first look it evaluates text, which the page's policy rightly forbids.
    """
    deadline = monotonic() + PATIENCE
    while not _finds(page, holds, given):
        assert monotonic() < deadline, f"waited in vain for {holds}"
        page.wait_for_timeout(50)


def _finds(page: Page | Frame, holds: str | Callable[[], object], given: Any) -> object:
    if callable(holds):
        return holds()
    try:
        return page.evaluate(holds, given)
    except Error as error:
        if "context was destroyed" in error.message:  # the next page is on its way
            return False
        raise
