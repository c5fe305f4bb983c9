"""The address that students are told: configured, or the machine's own in its network."""

import sys
from pathlib import Path

import pytest

import machine
from app.serve import addresses
from app.serve.addresses import base_url
from app.settings import Settings


def test_what_is_configured_wins() -> None:
    """Without a slash at its end."""
    assert base_url(Settings(public_url="https://play.school/", host="0.0.0.0")) == "https://play.school"


def test_a_server_for_everybody_is_told_by_the_machines_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never as 0.0.0.0, which nobody can open; IPv6 in brackets."""
    for host in ("0.0.0.0", "::"):
        told = base_url(Settings(host=host, port=8000))
        assert told.endswith(":8000")
        assert "//0.0.0.0" not in told
        assert "//[::]" not in told
    assert base_url(Settings(host="127.0.0.1", port=9)) == "http://127.0.0.1:9"
    monkeypatch.setattr(addresses, "lan_address", lambda: "2001:db8::7")
    assert base_url(Settings(host="::", port=8000)) == "http://[2001:db8::7]:8000"


def test_the_server_prints_the_address_that_students_reach(tmp_path: Path) -> None:
    """Beside its own, when it listens to the network."""
    port, log = machine.free_port(), tmp_path / "log"
    env = {
        "PLAYGROUND_PORT": str(port),
        "PLAYGROUND_DATA": str(tmp_path),
        "PLAYGROUND_PUBLIC_URL": "http://school.local",
    }
    with machine.running([sys.executable, "-m", "app"], env, log) as process:
        machine.wait_until(lambda: machine._answers(f"http://127.0.0.1:{port}/healthz"), process, log)
    assert "for a class: http://school.local" in log.read_text()
