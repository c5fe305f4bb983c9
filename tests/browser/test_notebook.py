"""The page in a cell, in the notebooks that are promised: JupyterLab and marimo, as they are."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import FrameLocator, Page, expect

import machine

expect.set_options(timeout=60_000)
BOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    from backprop_playground import Playground, engine

    play = Playground(engine.Spec.make(dataset="xor"))
    play
    return mo, play


@app.cell
def _(mo):
    look = mo.ui.run_button(label="look")
    ten = mo.ui.run_button(label="ten")
    mo.hstack([look, ten])
    return look, ten


@app.cell
def _(look, mo, play, ten):
    if ten.value and not look.value:
        play.step(10)
    mo.md(f"python sees step {play.state.step}")
    return
"""


@contextmanager
def notebook(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """A notebook's own server, with its settings in a folder that goes with the test; its address."""
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_CONFIG_HOME")
    env = {name: str(folder / name.lower()) for name in places} | {"PYTHONPATH": str(machine.ROOT)}
    log = folder / "log"
    with machine.running([sys.executable, "-m", *command], env, log) as process:
        machine.wait_until(lambda: _listens(port), process, log)
        yield f"http://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), 1.0).close()
    return True


def inside(page: Page) -> FrameLocator:
    """The page of the playground within a cell."""
    return page.frame_locator('iframe[title="Backprop Playground"]').frame_locator("#page")


def at_step(page: Page, step: int) -> None:
    expect(inside(page).locator("#bar")).to_have_attribute("data-step", str(step))


def test_in_jupyterlab(page: Page, tmp_path: Path) -> None:
    """The example as it is: all cells run, the page stands in its cell and follows `step`, and a step that is taken on
    the page is seen by the cells that are run after it."""
    shutil.copy(machine.ROOT / "docs" / "notebooks" / "first-look.ipynb", tmp_path)
    port = machine.free_port()
    options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={tmp_path}"]
    options += ["--IdentityProvider.token=", "--no-browser", *["--allow-root"] * machine.is_root()]
    with notebook(["jupyterlab", *options], port, tmp_path) as url:
        page.set_viewport_size({"width": 1400, "height": 1000})
        page.goto(f"{url}/lab/tree/first-look.ipynb")
        expect(page.locator(".jp-Notebook-cell").first).to_be_visible()
        expect(page.locator(".jp-Toolbar-kernelName")).to_have_text("Python 3 (ipykernel)")
        expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle")
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator('[data-command="runmenu:run-all"]').click()
        outputs = page.locator(".jp-OutputArea-output")
        expect(outputs.get_by_text("ParameterReceipt(W1.2.1").first).to_be_visible()  # of the last cell
        inside(page).locator("#bar").scroll_into_view_if_needed()
        at_step(page, 510)
        inside(page).locator("#step").click()
        at_step(page, 511)
        page.locator(".jp-Notebook-cell").filter(has_text="play.state").last.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        expect(outputs.get_by_text("RunState(xor, 2-4-1, step 511)").first).to_be_visible()
        assert page.locator(".jp-OutputArea-output svg circle").count() >= 2 * 7


def test_in_marimo(page: Page, tmp_path: Path) -> None:
    """The page stands in its cell; a step that is taken there is seen by a cell, and a cell's steps by the page."""
    book, port = tmp_path / "book.py", machine.free_port()
    book.write_text(BOOK)
    command = ["marimo", "run", str(book), "--headless", "--no-token", "--host", "127.0.0.1", "--port", str(port)]
    with notebook(command, port, tmp_path) as url:
        page.set_viewport_size({"width": 1400, "height": 1000})
        page.goto(url)
        expect(page.get_by_text("python sees step 0")).to_be_visible()
        at_step(page, 0)
        inside(page).locator("#step").click()
        at_step(page, 1)
        page.get_by_role("button", name="look").click()
        expect(page.get_by_text("python sees step 1", exact=True)).to_be_visible()
        page.get_by_role("button", name="ten").click()
        expect(page.get_by_text("python sees step 11")).to_be_visible()
        at_step(page, 11)
