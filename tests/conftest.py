"""Fixtures every test may ask for, and the rule that no test is skipped silently.

A skip is named at the end of the run with the command that enables it; with CI=true it is a
failure.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import machine

settings.register_profile("any machine", deadline=None)  # an example may take long where others work too
settings.load_profile("any machine")

collect_ignore = [] if find_spec("torch") else ["test_lockstep.py"]  # the peers of the extra bench are gigabytes
_SKIPS: list[str] = []
_FAILING: list[str] = []
# As the server has it: files run side by side, and their threads that wait for each other cost twenty times as much.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# No setting of whoever runs the tests is theirs.
for name in [name for name in os.environ if name.startswith("PLAYGROUND_")]:
    del os.environ[name]
# Apps in process are asked by many names; what a listener answers by itself is tested by settings of its own.
os.environ["PLAYGROUND_ALLOWED_HOSTS"] = "*"


def missing(what: str, command: str) -> None:
    """Skip for want of a tool, and say how to have it."""
    pytest.skip(f"{what} is missing. Enable it: {command}")


@pytest.fixture(scope="session")
def start_server() -> Callable[..., AbstractContextManager[str]]:
    """For a server with settings of its own: `with start_server({"NAME": "value"}) as url:`."""
    return machine.run_server


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The base URL of one server for the whole session, with an empty data folder."""
    with machine.run_server() as url:
        yield url


@pytest.fixture(scope="session")
def browser_path() -> Path:
    found = machine.find_browser()
    if found is None:
        missing("a browser", machine.BROWSER_COMMAND)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The redis:// URL of a server of our own; it keeps nothing."""
    if machine.find_redis() is None:
        missing("redis-server", machine.REDIS_COMMAND)
    with machine.run_redis() as url:
        yield url


# Begun first, in this order: what takes longest, though it be few tests, is not what all others wait for at the end.
LONGEST = ["stopping", "calculator", "security", "schema", "package", "faults", "pages", "broadcast", "root_path"]
LONGEST += [
    "maps_answers",
    "language",
    "lessons",
    "messages",
    "api_rooms",
    "diagnosis",
    "reasons",
    "serving",
    "command",
]
LONGEST += ["playground", "class", "notebook", "learn", "scenes"]  # in the browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: sync Playwright breaks any asyncio.run after it. Of all others the longest first."""
    place = {f"test_{name}": n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ("browser" in item.path.parts, place.get(item.path.stem, len(place))))


def pytest_collection_finish() -> None:
    """What is there now stays to the end: to look it through for garbage over and over takes a twelfth of the time."""
    gc.freeze()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _note(report)


def _note(report: Any) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if "other_browser" not in report.keywords:
            _FAILING.append(report.nodeid)
        _SKIPS.append(f"{report.nodeid}: {str(reason).removeprefix('Skipped: ')}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if not _SKIPS or hasattr(session.config, "workerinput"):  # of several side by side, one tells
        return
    if _FAILING and machine.CI and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    collected = os.environ.get("TESTS_SKIPS")  # `make test` prints it after its last pytest
    if collected:
        with Path(collected).open("a") as file:
            file.writelines(f"SKIPPED {line}\n" for line in _SKIPS)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _SKIPS:
        return
    fails = machine.CI and bool(_FAILING)
    verdict = "skipped, which fails under CI=true" if fails else "skipped"
    terminalreporter.section(verdict, red=fails, yellow=not fails)
    for line in _SKIPS:
        terminalreporter.write_line(f"SKIPPED {line}")
