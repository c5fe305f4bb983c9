"""Settings come from the environment, limits are in one place, and the catalog shows them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings, unknown, wrong
from engine import LIMITS, Spec, SpecError
from machine import ROOT


def test_each_setting_has_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """PLAYGROUND_<NAME>, and plain PORT, HOST and WORKERS where the long form is not given."""
    monkeypatch.setenv("PLAYGROUND_STEP_SECONDS", "0.5")
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("WORKERS", "3")
    monkeypatch.setenv("PLAYGROUND_WORKERS", "2")
    monkeypatch.setenv("PLAYGROUND_ALLOWED_ORIGINS", '["https://a.org"]')
    monkeypatch.setenv("PLAYGROUND_ALLOWED_HOSTS", "a.org, b.org")
    found = Settings()
    assert (found.step_seconds, found.port, found.workers) == (0.5, 8123, 2)
    assert (found.allowed_origins, found.allowed_hosts) == (("https://a.org",), ("a.org", "b.org"))


WRONG = {
    "PLAYGROUND_PORT": ("99999", "PLAYGROUND_PORT: 99999 is not allowed, must be at most 65535."),
    "WORKERS": ("many", "PLAYGROUND_WORKERS: many is not allowed, must be a whole number."),
    "PLAYGROUND_ALLOWED_HOSTS": ("[a", "PLAYGROUND_ALLOWED_HOSTS: [a is not allowed, must be names by commas."),
    "PLAYGROUND_PUBLIC_URL": (
        "play.org",
        "PLAYGROUND_PUBLIC_URL: play.org is not allowed, must be an address such as https://play.example.org.",
    ),
}

# What looks like a value and is none, by setting; and values that are taken.
ODD = {
    "allowed_origins": ("foo", "https://a.b/path", "*", "https://a.b, a.c"),
    "allowed_hosts": ("a/b", "https://a.org"),
    "root_path": ("/../x", "/a/.", "play", "/a/"),
    "trusted_proxies": ("foo", "10.0.0.0/99"),
    "store": ("foo://x", "http://host/0", "."),
    "data": (__file__, f"{__file__}/deeper"),
    "metrics": ("maybe",),
}
FIT = {
    "allowed_origins": ("https://a.org,http://localhost:3000", "http://[::1]:8080", ""),
    "allowed_hosts": ("*", "a.org, *.b.org", "10.0.0.7", ""),
    "root_path": ("/a/b-c.d", ""),
    "trusted_proxies": ("*", "127.0.0.1, 10.0.0.0/8", "::1", ""),
    "store": ("redis://host:1/0", "runs.sqlite3", "/tmp/new/folder/runs.sqlite3", ""),
    "data": ("/tmp/new/folder", "here", ""),
    "metrics": ("true", "0", ""),
    "host": ("",),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
def test_what_cannot_be_a_value_is_refused_at_the_start(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not found out later, by whoever is turned away; the sentence says what is allowed."""
    monkeypatch.setenv(f"PLAYGROUND_{name.upper()}", value)
    with pytest.raises(ValidationError) as error:
        Settings()
    (sentence,) = wrong(error.value)
    assert sentence.startswith(f"PLAYGROUND_{name.upper()}: ")
    assert " is not allowed, must be " in sentence
    assert "valid" not in sentence


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FIT.items() for value in values])
def test_what_can_be_a_value_is_taken(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One left empty is as one that is not there."""
    monkeypatch.delenv(f"PLAYGROUND_{name.upper()}", raising=False)
    default = getattr(Settings(), name)
    monkeypatch.setenv(f"PLAYGROUND_{name.upper()}", value)
    assert (getattr(Settings(), name) == default) or value


def started(**env: str) -> tuple[int, list[str]]:
    """What `python -m app` says of settings with which it does not start, and its exit code."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    command = [sys.executable, "-m", "app"]
    done = subprocess.run(command, cwd=ROOT, env=clean | env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr.splitlines()


def test_wrong_settings_are_a_sentence_each() -> None:
    """With the variable's name, and no traceback; the server does not start."""
    found = started(**{name: value for name, (value, _) in WRONG.items()})
    assert found == (1, [sentence for _, sentence in WRONG.values()])


NO_REDIS = """
import sys

class Without:
    def find_spec(name, path=None, target=None):
        if name == "redis":
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Without)
"""


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_store_in_redis_needs_its_client(tmp_path: Path, workers: str) -> None:
    """One sentence that says how to have it, however many workers there are; a name like a setting's is told of."""
    (tmp_path / "sitecustomize.py").write_text(NO_REDIS)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    env = {"PLAYGROUND_STORE": "redis://127.0.0.1:1/0", "PLAYGROUND_WORKERS": workers, "PLAYGROUND_WORKER": "2"}
    code, said = started(PYTHONPATH=path, **env)
    assert code == 1
    assert said == [
        "PLAYGROUND_WORKER is no setting and changes nothing; is it PLAYGROUND_WORKERS?",
        'A store in Redis needs its client: pip install "backprop-playground[redis]"',
    ]


def test_what_looks_like_a_setting_and_is_none_is_told_of() -> None:
    """With the one that it may be meant for."""
    found = unknown(["HOME", "PORT", "PLAYGROUND_PORT", "PLAYGROUND_PROT", "PLAYGROUND_XYZZY"])
    assert found == [
        "PLAYGROUND_PROT is no setting and changes nothing; is it PLAYGROUND_PORT?",
        "PLAYGROUND_XYZZY is no setting and changes nothing.",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("WORKERS", "0"), ("STEP_SECONDS", "-1"), ("UNITS", "9999"), ("STEPS_PER_REQUEST", "100001")],
)
def test_a_setting_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """At the start, by name, not at the first request."""
    monkeypatch.setenv(f"PLAYGROUND_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_every_number_but_port_and_workers_is_a_limit() -> None:
    """So that the catalog and the README cannot miss one."""
    numbers = {name for name, field in Settings.model_fields.items() if field.annotation in (int, float)}
    assert numbers - {"port", "workers"} == set(Settings().limits())
    assert all(what for _, what in Settings().limits().values())


def test_the_engine_keeps_to_the_limits_that_are_set() -> None:
    """Lower ones bind; the engine's own are the highest."""
    small = Settings(units=5, hidden_layers=1, parameters=20).engine_limits
    Spec.make({"hidden": [5]}, small) if small.parameters >= 21 else None
    for hidden in ([6], [1, 1], [5]):
        with pytest.raises(SpecError):
            Spec.make({"hidden": hidden}, small)
    assert Settings().engine_limits == LIMITS


def test_every_limit_is_in_the_table() -> None:
    """Of SERVING.md, with the value it has and what it is of; and nothing else is."""
    text = (ROOT / "SERVING.md").read_text(encoding="utf-8")
    for name, (value, what) in Settings().limits().items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:,g}"
        assert f"| `PLAYGROUND_{name.upper()}` | {shown} | {what} |" in text, name
    listed = text.partition("## Limits")[2].count("| `PLAYGROUND_")
    assert listed == len(Settings().limits())
