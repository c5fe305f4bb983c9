"""Fixtures of the browser tests: pytest-playwright's own, on the browser and the server we have.

These tests run in a pytest call of their own: sync Playwright breaks any asyncio.run after it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import machine

PATIENCE = 90_000  # ms; a page on a crowded machine takes over 30 s
expect.set_options(timeout=PATIENCE)
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# Two rules that axe leaves out by itself: what is pressed is 24 px, and called what is read on it.
RUN = """axe.run({ resultTypes: ['violations'], rules: { 'target-size': { enabled: true },
  'label-content-name-mismatch': { enabled: true } } }).then(({ violations }) => violations)"""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], browser_path: Path) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": str(browser_path),
        "args": machine.browser_flags(),
    }


@pytest.fixture(scope="session")
def browser(browser: Browser) -> Browser:
    """Whatever opens a page waits as long as an expectation does: a click on a crowded machine takes over 30 s."""
    new_context = browser.new_context

    def patient(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(PATIENCE)
        return context

    browser.new_context = patient  # type: ignore[method-assign]
    return browser


@pytest.fixture(scope="session")
def base_url(server: str) -> str:
    """So that `page.goto("/")` reaches the session's server."""
    return server


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """`axe(page)` lists every fault that axe-core finds on the page now."""
    return _violations


def _violations(page: Page) -> list[str]:
    # evaluate, not add_script_tag, which the page's own script-src 'self' rightly blocks
    page.evaluate(AXE.read_text() + "\n;undefined")
    found = page.evaluate(RUN)
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['target']}" for rule in found for node in rule["nodes"]
    ]
