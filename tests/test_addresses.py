"""The address that students are told: configured, or the machine's own in its network."""

import socket
import sys
from pathlib import Path

import pytest

import machine
from app.serve import addresses
from app.serve.addresses import base_url, is_reachable
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


def test_only_an_address_of_the_network_is_reached_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback's is not, whatever it is called; a configured one is believed."""
    for host, reached in (("127.0.0.1", False), ("localhost", False), ("::1", False), ("192.0.2.7", True)):
        assert is_reachable(Settings(host=host)) is reached
    assert is_reachable(Settings(host="127.0.0.1", public_url="https://play.school"))
    monkeypatch.setattr(addresses, "lan_address", lambda: "127.0.0.1")
    assert not is_reachable(Settings(host="0.0.0.0"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell by the host's name")
def test_a_network_without_a_way_out_still_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind an access point of the school's own: the interfaces are looked at."""
    outside = addresses.lan_address()

    class NoWay(socket.socket):
        def connect(self, address: object) -> None:
            raise OSError("no route")

    monkeypatch.setattr(addresses.socket, "socket", NoWay)
    found = addresses.lan_address()
    assert outside == "127.0.0.1" or found != "127.0.0.1"


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
