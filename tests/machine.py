"""What the tests need of the machine beside Python: a browser, a Redis server, free ports, servers.

`python tests/machine.py` installs what is missing, as far as it may, and says what it could not.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
BROWSER_COMMAND = (
    "`apt-get install chromium`, or `.venv/bin/playwright install chromium`, or set"
    " TESTS_BROWSER to the path of a Chromium or Chrome; then `make test`"
)
REDIS_COMMAND = "`apt-get install redis-server` (or put redis-server on PATH); then `make test`"
NGINX_COMMAND = "`apt-get install nginx-light` (or put nginx on PATH); then `make test`"
PROMTOOL_COMMAND = "`apt-get install prometheus` (or put promtool on PATH); then `make test`"
OTHERS_COMMAND = "`apt-get install firefox-esr webkit2gtk-driver xvfb`; then `make test`"
ON_PATH = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE = 180.0  # seconds to wait for what must come: no test is about time, and what hangs is to be seen as such
QUIET = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def browser_flags() -> list[str]:
    """Chromium refuses to start its sandbox as root."""
    return ["--no-sandbox", *QUIET] if is_root() else QUIET


def find_browser() -> Path | None:
    """The first browser that starts: named by the environment, Playwright's own, or on PATH."""
    named = os.environ.get("TESTS_BROWSER")
    if named:
        return Path(named)  # a wrong path should fail loudly, not fall through to another browser
    candidates = [_playwrights_own(), *(shutil.which(name) for name in ON_PATH)]
    return next((Path(path) for path in candidates if path and _starts(Path(path))), None)


def find_redis() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


def find_nginx() -> Path | None:
    """On PATH, or where Debian has what only root is thought to call."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(found) if found else None


def find_firefox() -> Path | None:
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    return Path(found) if found else None


def find_webkit() -> tuple[Path, Path, Path] | None:
    """WebKit's driver, a screen for it and the browser that it drives."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browser = next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), None)
    return (Path(driver), Path(screen), browser) if driver and screen and browser else None


def find_promtool() -> Path | None:
    found = shutil.which("promtool")
    return Path(found) if found else None


def _playwrights_own() -> Path | None:
    """The headless shell of the revision this Playwright asks for, if it was downloaded."""
    try:
        import playwright
    except ImportError:
        return None
    listing = Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"
    revisions = {b["name"]: b["revision"] for b in json.loads(listing.read_text())["browsers"]}
    for name in ("chromium-headless-shell", "chromium"):
        folder = _playwright_folder() / f"{name.replace('-', '_')}-{revisions.get(name)}"
        for program in ("chrome-headless-shell", "headless_shell", "chrome", "Chromium"):
            for suffix in ("", ".exe"):
                found = next((p for p in folder.rglob(program + suffix) if p.is_file()), None)
                if found:
                    return found
    return None


def _playwright_folder() -> Path:
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if named and named != "0":
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ms-playwright"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "")) / "ms-playwright"
    return Path.home() / ".cache" / "ms-playwright"


def _starts(browser: Path) -> bool:
    """A browser whose libraries are missing is there and yet useless."""
    command = [str(browser), *browser_flags(), "--version"]
    try:
        return subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of our own, ended by its own handle, whatever happens to the test."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Poll `ready()` (an OSError or False means not yet); if the process ends, show its log.

    It waits long: a busy machine takes a minute for what is done in a second, and one that ends is seen at once.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        with suppress(OSError):
            if ready():
                return
        time.sleep(0.05)
    raise RuntimeError(f"not ready after {PATIENCE} s:\n{log.read_text()[-4000:]}")


@contextmanager
def run_server(env: Mapping[str, str] | None = None) -> Iterator[str]:
    """`python -m app` on a free port of 127.0.0.1 with a data folder of its own; the base URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="playground-") as folder:
        settings = {
            "PLAYGROUND_HOST": "127.0.0.1",
            "PLAYGROUND_PORT": str(port),
            "PLAYGROUND_DATA": folder,
            **(env or {}),
        }
        log = Path(folder) / "server.log"
        with running([sys.executable, "-m", "app"], settings, log) as process:
            wait_until(lambda: _answers(url + "/healthz"), process, log)
            yield url


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=PATIENCE) as response:
        return bool(response.status == 200)


@contextmanager
def run_redis(*options: str) -> Iterator[str]:
    """A redis-server of our own on a free port, which keeps nothing; its redis:// URL."""
    with run_redis_process(*options) as (_, url):
        yield url


@contextmanager
def run_redis_process(*options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The same, with its process."""
    program = find_redis()
    if program is None:
        raise RuntimeError(f"redis-server is missing: {REDIS_COMMAND}")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="playground-redis-") as folder:
        log = Path(folder) / "redis.log"
        command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        command += ["--save", "", *options]
        with running(command, {}, log) as process:
            wait_until(lambda: _pongs(port), process, log)
            yield process, f"redis://127.0.0.1:{port}/0"


def _pongs(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as link:
        link.sendall(b"PING\r\n")
        return link.recv(16).startswith(b"+PONG")


def install_missing() -> None:
    """Debian's packages where we are root, for they bring their libraries; else a download."""
    wanted = {
        "redis-server": find_redis(),
        "nginx-light": find_nginx(),
        "prometheus": find_promtool(),
    }
    packages = [package for package, found in wanted.items() if not found]
    if is_apt() and (packages or find_browser() is None):
        _apt_install(packages)
    if is_apt():
        others = {"firefox-esr": find_firefox(), "webkit2gtk-driver": find_webkit(), "xvfb": find_webkit()}
        for package in (name for name, found in others.items() if not found):
            _apt_install([package])  # one that a Debian does not have keeps no other away
    if find_browser() is None:
        with_libraries = ["--with-deps"] if is_apt() else []
        _try([sys.executable, "-m", "playwright", "install", *with_libraries, "chromium"])
    for what, found, command in (
        ("a browser", find_browser(), BROWSER_COMMAND),
        ("redis-server", find_redis(), REDIS_COMMAND),
        ("nginx", find_nginx(), NGINX_COMMAND),
        ("promtool", find_promtool(), PROMTOOL_COMMAND),
        ("Firefox", find_firefox(), OTHERS_COMMAND),
        ("WebKitGTK", find_webkit(), OTHERS_COMMAND),
    ):
        print(f"{what}: {found or 'MISSING: its tests cannot run. Enable them: ' + command}")


def is_apt() -> bool:
    return is_root() and shutil.which("apt-get") is not None


def _apt_install(packages: list[str]) -> None:
    apt = ["apt-get", "-o", "Dpkg::Use-Pty=0", "-qq"]
    install = [*apt, "install", "-y", "--no-install-recommends"]
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    _try([*apt, "update"])
    if packages:
        # Debian starts a daemon when it installs one: RUNLEVEL=1 asks it not to.
        _try([*install, *packages], RUNLEVEL="1")
    for browser in ("chromium-headless-shell", "chromium"):
        if find_browser() is None:
            _try([*install, browser, "fonts-dejavu-core"])


def _try(command: list[str], **env: str) -> None:
    print("$", *command, flush=True)
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, env={**os.environ, **env}, timeout=600, check=False)


if __name__ == "__main__":
    install_missing()
