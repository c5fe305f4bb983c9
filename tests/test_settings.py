"""Settings come from the environment, limits are in one place, and the catalog shows them."""

import pytest
from pydantic import ValidationError

from app.settings import Settings
from engine import LIMITS, Spec, SpecError
from machine import ROOT


def test_each_setting_has_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """PLAYGROUND_<NAME>, and plain PORT, HOST and WORKERS where the long form is not given."""
    monkeypatch.setenv("PLAYGROUND_STEP_SECONDS", "0.5")
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("WORKERS", "3")
    monkeypatch.setenv("PLAYGROUND_WORKERS", "2")
    monkeypatch.setenv("PLAYGROUND_ALLOWED_ORIGINS", '["https://a.org"]')
    found = Settings()
    assert (found.step_seconds, found.port, found.workers) == (0.5, 8123, 2)
    assert found.allowed_origins == ("https://a.org",)


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


def test_the_readme_lists_every_limit() -> None:
    """Its table, once there is one, has each limit with the value it has."""
    text = (ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").exists() else ""
    if "## Limits" not in text:
        return
    for name, (value, _) in Settings().limits().items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:,g}"
        assert f"| `PLAYGROUND_{name.upper()}` | {shown} |" in text, name
