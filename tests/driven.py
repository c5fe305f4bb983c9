"""Browsers that Playwright's own Chromium is not: Debian's Firefox, by Marionette, and WebKitGTK, by WebDriver.

Both are asked in the same three ways: go to an address, run a script and tell its answer, take a picture.
"""

from __future__ import annotations

import base64
import json
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import httpx

import machine

WIDE = (1440, 900)


class Driven(Protocol):
    """A browser with one window."""

    def ask(self, name: str, **given: Any) -> Any:
        """The answer to one command of WebDriver."""


class Window:
    """What a journey needs of a browser: everything else is done by script."""

    def __init__(self, browser: Driven) -> None:
        self.browser = browser

    def go(self, url: str) -> None:
        self.browser.ask("Navigate", url=url)

    def run(self, script: str, *given: Any) -> Any:
        return self.browser.ask("ExecuteScript", script=script, args=list(given))

    def picture(self) -> bytes:
        return base64.b64decode(self.browser.ask("TakeScreenshot"))

    def wait(self, condition: str, *given: Any) -> Any:
        """What the condition comes to, once that is true; a page may be on its way while it is asked."""
        end, said = time.monotonic() + machine.PATIENCE, None
        while time.monotonic() < end:
            try:
                if said := self.run(f"return {condition}", *given):
                    return said
            except RuntimeError as error:
                said = error
            time.sleep(0.1)
        raise AssertionError(f"{condition} of {given} never came, but {said!r}")

    def click(self, selector: str) -> None:
        self.wait("document.querySelector(arguments[0]) !== null", selector)
        self.run("document.querySelector(arguments[0]).click()", selector)

    def press(self, key: str) -> None:
        self.run(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true }))",
            key,
        )


class Marionette:
    """Firefox speaks it itself, over a socket: the length, a colon and JSON."""

    def __init__(self, link: socket.socket) -> None:
        self.link, self.answers, self.count = link, link.makefile("rb"), 0
        self._read()
        self.ask("NewSession")

    def ask(self, name: str, **given: Any) -> Any:
        self.count += 1
        message = json.dumps([0, self.count, f"WebDriver:{name}", given]).encode()
        self.link.sendall(b"%d:%s" % (len(message), message))
        _, _, error, said = self._read()
        if error:
            raise RuntimeError(error["message"])
        return said.get("value") if set(said) == {"value"} else said

    def _read(self) -> Any:
        size = b""
        while (one := self.answers.read(1)) != b":":
            if not one:
                raise RuntimeError("Firefox is gone")
            size += one
        return json.loads(self.answers.read(int(size)))


class WebDriver:
    """The same commands over HTTP."""

    PATHS = {  # noqa: RUF012 (a table)
        "Navigate": ("POST", "/url"),
        "ExecuteScript": ("POST", "/execute/sync"),
        "TakeScreenshot": ("GET", "/screenshot"),
        "SetWindowRect": ("POST", "/window/rect"),
    }

    def __init__(self, client: httpx.Client, options: dict[str, Any]) -> None:
        self.client, self.session = client, ""
        made = self._send("POST", "", {"capabilities": {"alwaysMatch": options}})
        self.session = f"/{made['sessionId']}"

    def ask(self, name: str, **given: Any) -> Any:
        method, path = self.PATHS[name]
        return self._send(method, path, given)

    def quit(self) -> None:
        with suppress(RuntimeError, httpx.HTTPError):
            self._send("DELETE", "", {})

    def _send(self, method: str, path: str, given: dict[str, Any]) -> Any:
        body = given if method == "POST" else None
        answer = self.client.request(method, f"/session{self.session}{path}", json=body)
        said = answer.json()["value"]
        if answer.status_code >= 400:
            raise RuntimeError(said["message"])
        return said


@contextmanager
def firefox() -> Iterator[Window]:
    program = machine.find_firefox()
    assert program is not None
    port = machine.free_port()
    with tempfile.TemporaryDirectory(prefix="playground-firefox-", ignore_cleanup_errors=True) as folder:
        Path(folder, "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        log = Path(folder, "firefox.log")
        command = [str(program), "--headless", "--marionette", "--no-remote", "--profile", folder]
        with machine.running(command, {"HOME": folder}, log) as process:
            machine.wait_until(lambda: _listens(port), process, log)
            with socket.create_connection(("127.0.0.1", port), timeout=machine.PATIENCE) as link:
                browser = Marionette(link)
                yield _sized(Window(browser))


@contextmanager
def webkit() -> Iterator[Window]:
    found = machine.find_webkit()
    assert found is not None
    program, screen, browser = map(str, found)
    with tempfile.TemporaryDirectory(prefix="playground-webkit-", ignore_cleanup_errors=True) as folder:
        told, log, port = Path(folder, "screen.log"), Path(folder, "webkit.log"), machine.free_port()
        with machine.running([screen, "-displayfd", "1", "-screen", "0", "1600x1100x24"], {}, told) as shown:
            machine.wait_until(lambda: bool(_number(told)), shown, told)
            settings = {
                "DISPLAY": f":{_number(told)}",
                "HOME": folder,
                "LIBGL_ALWAYS_SOFTWARE": "1",
                "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # its sandbox does not start as root
            }
            with machine.running([program, f"--port={port}", "--host=127.0.0.1"], settings, log) as process:
                machine.wait_until(lambda: _listens(port), process, log)
                options = {"webkitgtk:browserOptions": {"binary": browser, "args": ["--automation"]}}
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=machine.PATIENCE) as client:
                    driver = WebDriver(client, options)
                    try:
                        yield _sized(Window(driver))
                    finally:
                        driver.quit()


def _sized(window: Window) -> Window:
    width, height = WIDE
    window.browser.ask("SetWindowRect", width=width, height=height)
    inner = window.run("return [innerWidth, innerHeight]")
    window.browser.ask("SetWindowRect", width=2 * width - inner[0], height=2 * height - inner[1])
    return window


def _number(told: Path) -> str:
    """The number that Xvfb gave its screen, once it stands there."""
    last = ["", *told.read_text().splitlines(keepends=True)][-1]
    return last.strip() if last.strip().isdigit() and last.endswith("\n") else ""


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=machine.PATIENCE):
        return True


BROWSERS: dict[str, tuple[Callable[[], bool], Callable[[], AbstractContextManager[Window]]]] = {
    "firefox": (lambda: machine.find_firefox() is not None, firefox),
    "webkit": (lambda: machine.find_webkit() is not None, webkit),
}
