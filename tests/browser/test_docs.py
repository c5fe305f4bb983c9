"""/docs in a browser: the API can be read and tried, from this machine alone and under the policy of every page."""

from playwright.sync_api import Page, expect


def test_the_api_can_be_tried(page: Page, base_url: str) -> None:
    """A run is made from the example; nothing is fetched from elsewhere, and the console stays silent."""
    said: list[str] = []
    fetched: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: fetched.append(request.url))
    page.goto("/docs")
    operation = page.locator("#operations-runs-create_run")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("201")
    assert said == []
    assert [url for url in fetched if not url.startswith((base_url, "data:"))] == []
