"""The command line: every argument is taken or refused, and a shell can train."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from importlib.metadata import version
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

import machine
from app.__main__ import main
from app.settings import Settings
from engine import Spec, advance, start, trace

COMMAND = [sys.executable, "-m", "app"]


def said(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=machine.ROOT, capture_output=True, text=True, input=stdin, timeout=machine.PATIENCE
    )
    return done.returncode, done.stdout, done.stderr


def asked(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """The same in this process, in which nothing is served."""
    out, err, given = StringIO(), StringIO(), TextIOWrapper(BytesIO(stdin.encode()))
    with ExitStack() as held:
        for here in (redirect_stdout(out), redirect_stderr(err), patch.dict(os.environ)):
            held.enter_context(here)
        held.enter_context(patch.object(sys, "argv", ["app", *arguments]))
        held.enter_context(patch.object(sys, "stdin", given))
        held.enter_context(patch("app.__main__.load", Settings))  # which keeps what it has read
        held.enter_context(patch("uvicorn.Server.run", side_effect=AssertionError("it serves")))
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1 if end.code else 0
            return code, out.getvalue(), err.getvalue() + (f"{end.code}\n" if isinstance(end.code, str) else "")
    return 0, out.getvalue(), err.getvalue()


def test_it_tells_what_it_takes_and_its_version() -> None:
    """Without serving."""
    code, out, _ = asked("serve", "--help")
    assert code == 0
    assert all(f"--{name}" in out for name in ("host", "port", "workers", "data", "store", "open"))
    assert "PLAYGROUND_<NAME>" in out
    assert said("--version") == (0, version("backprop-playground") + "\n", "")
    code, out, _ = asked("--help")
    assert (code, "serve" in out, "step" in out) == (0, True, True)


@pytest.mark.parametrize(
    "arguments",
    [("--nonsense",), ("serve", "8000"), ("--port", "abc"), ("step",), ("step", "-", "--steps", "-1"), ("train",)],
)
def test_what_it_does_not_know_ends_with_2(arguments: tuple[str, ...]) -> None:
    """And a usage; nothing is served."""
    code, out, err = asked(*arguments)
    assert (code, out) == (2, "")
    assert "usage:" in err


def test_an_option_is_a_setting() -> None:
    """A wrong one is refused by the same sentence."""
    assert asked("--port", "99999")[2] == "PLAYGROUND_PORT: 99999 is not allowed, must be at most 65535.\n"


def test_where_it_cannot_listen_it_says_so() -> None:
    """A port that is taken, a host that is none: one sentence with both settings, and no server's own line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, out, err = said("--port", port)
        assert (code, out, len(err.splitlines())) == (1, "", 1), err
        assert f"PLAYGROUND_HOST 127.0.0.1, PLAYGROUND_PORT {port}: cannot listen there: address already in use" in err
    code, out, err = asked("--host", "300.1.1.1", "--port", "0")
    assert (code, out, len(err.splitlines())) == (1, "", 1), err
    assert "PLAYGROUND_HOST 300.1.1.1" in err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_where_it_says_once_it_says_so(tmp_path: Path, workers: str) -> None:
    """On a port that was free; the address is printed when it is listened at, whatever the environment says."""
    log = tmp_path / "log"
    arguments = ["--port", "0", "--data", str(tmp_path / "data"), "--workers", workers]
    with machine.running([*COMMAND, *arguments], {"PLAYGROUND_PORT": "1"}, log) as process:
        machine.wait_until(lambda: "http://" in log.read_text(), process, log)
        url = re.findall(r"http://\S+", log.read_text())[0]
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert (tmp_path / "data" / "runs.sqlite3").exists()


def test_open_shows_it_in_the_browser(tmp_path: Path) -> None:
    """In the one that the environment names."""
    shown, browser, log = tmp_path / "shown", tmp_path / "browser", tmp_path / "log"
    browser.write_text(f"#!/bin/sh\necho $1 > {shown}\n")
    browser.chmod(0o755)
    env = {"BROWSER": str(browser), "PLAYGROUND_DATA": str(tmp_path)}
    with machine.running([*COMMAND, "serve", "--port", "0", "--open"], env, log) as process:
        machine.wait_until(lambda: shown.exists() and "\n" in shown.read_text(), process, log)
        assert shown.read_text().strip() in log.read_text()


def test_steps_in_the_shell(tmp_path: Path) -> None:
    """The engine's own numbers, from a file or a pipe; with the trace of the step ahead."""
    given = {"dataset": "xor", "hidden": [3], "seed": 5}
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(given))
    code, out, err = said("step", str(spec), "--steps", "40", "--trace")
    assert (code, err) == (0, "")
    told, state = json.loads(out), advance(start(Spec.make(given)), 40).state
    assert (told["step"], told["done"]) == (40, 40)
    assert told["parameters"][0]["W"] == state.spec.network.layers(state.parameters)[0][0].tolist()
    assert told["trace"]["layers"][1]["dW"] == trace(state).layers[1].dW.tolist()
    code, out, _ = said("step", "-", stdin='{"learning_rate": 100, "activation": "relu"}')
    assert (code, json.loads(out)["done"]) == (0, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"hiden": [4]}', "hiden: list is not allowed.*did you mean hidden"),
        ("[1]", "- holds no object"),
        ("{", "- is not JSON: line 1"),
        ('\ufeff{"hiden": 1}', "did you mean hidden"),
    ],
)
def test_a_wrong_spec_is_one_sentence(text: str, sentence: str) -> None:
    """On standard error, with code 1."""
    code, out, err = asked("step", "-", stdin=text)
    assert (code, out, len(err.splitlines())) == (1, "", 1), err
    assert re.search(sentence, err)


def test_a_file_that_is_not_there_is_one_sentence() -> None:
    """With its name."""
    assert said("step", "nowhere.json") == (1, "", "nowhere.json cannot be read: no such file or directory\n")
