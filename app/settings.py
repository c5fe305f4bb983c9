"""Environment -> Settings: where to serve, where to keep runs, and every limit of the service, in this one place.

Each setting is an environment variable PLAYGROUND_<NAME>. Those marked as limits are shown in the catalog.
"""

import json
import os
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, JsonValue, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.serve.errors import allowed, short
from engine import LIMITS, Limits

LIMIT: dict[str, JsonValue] = {"limit": True}
REDIS = ("redis://", "rediss://", "unix://")  # how the address of a store in Redis begins
MOST_STEPS = 100_000  # that one request may ever ask for: more do not fit into the seconds that it gets


def data_folder() -> Path:
    """The user's own folder for data, as each system has it."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "backprop-playground"


def _by_commas(given: Any) -> Any:
    """Names by commas, or as a JSON list."""
    if not isinstance(given, str):
        return given
    if not given.lstrip().startswith("["):
        return [name for name in map(str.strip, given.split(",")) if name]
    try:
        return json.loads(given)
    except json.JSONDecodeError:
        raise ValueError("must be names by commas") from None


def _root(given: str) -> str:
    if given and not (re.fullmatch(r"(/[\w.~-]+)+", given, re.ASCII) and {".", ".."}.isdisjoint(given.split("/"))):
        raise ValueError("must be a path such as /playground")
    return given


def _address(given: str) -> str:
    parts = urlsplit(given)
    if given and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValueError("must be an address such as https://play.example.org")
    return given


def _origins(given: tuple[str, ...]) -> tuple[str, ...]:
    for each in given:
        if not re.fullmatch(r"https?://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?", each, re.ASCII | re.IGNORECASE):
            raise ValueError("must be sites such as https://a.org, without a path, by commas")
    return given


def _hosts(given: tuple[str, ...]) -> tuple[str, ...]:
    for each in given:
        if not re.fullmatch(r"\*|(\*\.)?[\w.-]+|\[?[\da-f:.]+\]?", each, re.ASCII | re.IGNORECASE):
            raise ValueError("must be host names such as play.a.org, without a port, or *, by commas")
    return given


def _proxies(given: str) -> str:
    for each in filter(None, map(str.strip, given.split(","))):
        try:
            if each != "*":
                ip_network(each, strict=False)
        except ValueError:
            raise ValueError("must be addresses such as 10.0.0.7 or 10.0.0.0/8, or *, by commas") from None
    return given


def _folder(given: Path) -> Path:
    if not next(each for each in (given, *given.absolute().parents) if each.exists()).is_dir():
        raise ValueError("must be a folder, or one that can be made")
    return given


def _store(given: str) -> str:
    if "://" in given and not given.startswith(REDIS):
        raise ValueError("must be redis://host:port/0, or the path of a SQLite file")
    if given and "://" not in given:
        _folder(Path(given).parent)
        if Path(given).is_dir():
            raise ValueError("must be the path of a file: it is a folder")
    return given


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_commas)]


def _named(name: str) -> AliasChoices:
    return AliasChoices(f"PLAYGROUND_{name}", name, name.lower())


def _limit(default: Any, description: str, **bounds: Any) -> Any:
    return Field(default, description=description, json_schema_extra=LIMIT, **bounds)


class Settings(BaseSettings):
    """All settings; the limits follow after the places."""

    model_config = SettingsConfigDict(
        env_prefix="PLAYGROUND_", frozen=True, populate_by_name=True, extra="ignore", env_ignore_empty=True
    )

    host: str = Field("127.0.0.1", validation_alias=_named("HOST"), description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, validation_alias=_named("PORT"), description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, validation_alias=_named("WORKERS"), description="Server processes.")
    data: Annotated[Path, AfterValidator(_folder)] = Field(
        default_factory=data_folder, description="Folder of the SQLite file."
    )
    store: Annotated[str, AfterValidator(_store)] = Field(
        "", description="redis://host:port/0, or the path of a SQLite file; empty: in the data folder."
    )
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] = Field(
        "127.0.0.1", description="Addresses whose X-Forwarded-For is believed, by commas."
    )
    allowed_origins: Annotated[Names, AfterValidator(_origins)] = Field(
        (), description="Sites whose pages may ask here, such as https://a.org, by commas."
    )
    allowed_hosts: Annotated[Names, AfterValidator(_hosts)] = Field(
        (), description="Host names that are answered, by commas; empty: see SERVING.md."
    )
    secure_cookies: bool = Field(False, description="Cookies over HTTPS only; set it behind a TLS proxy.")
    public_url: Annotated[str, AfterValidator(_address)] = Field(
        "", description="Address by which others reach this server, such as https://play.a.org."
    )
    root_path: Annotated[str, AfterValidator(_root)] = Field(
        "", description="Path under which a proxy serves this, such as /playground."
    )
    metrics: bool = Field(False, description="Serve /metrics for Prometheus.")
    json_logs: bool = Field(False, description="One JSON line a request on standard output.")

    parameters: int = _limit(LIMITS.parameters, "parameters of a network", ge=1, le=LIMITS.parameters)
    hidden_layers: int = _limit(LIMITS.hidden_layers, "hidden layers", ge=0, le=LIMITS.hidden_layers)
    units: int = _limit(LIMITS.units, "units of a layer", ge=1, le=LIMITS.units)
    most_step_seconds: float = _limit(3.0, "estimated seconds that one step may take", gt=0)
    batch_activations: int = _limit(2_000_000, "activations of one mini-batch: units times examples", ge=1)
    steps_per_request: int = _limit(MOST_STEPS, "steps that one request may ask for", ge=1, le=MOST_STEPS)
    step_seconds: float = _limit(0.25, "seconds of computing that one request gets; what does not fit is left", gt=0)
    replay_seconds: float = _limit(2.0, "seconds of computing to bring a link's run to its step", gt=0)
    body_bytes: int = _limit(4 << 20, "bytes of a request's body", ge=1024)
    upload_bytes: int = _limit(16 << 20, "bytes of a request that brings one's own data", ge=1024)
    head_bytes: int = _limit(16 << 10, "bytes of a request's head", ge=1024)
    receive_seconds: float = _limit(10.0, "seconds to send a request in", gt=0)
    json_depth: int = _limit(16, "levels of nesting in JSON", ge=4)
    answer_numbers: int = _limit(1_000_000, "numbers in one answer", ge=1000)
    diagnosed_numbers: int = _limit(
        20_000, "numbers handed in to one diagnosis; a pass may multiply 100 times as often", ge=100
    )
    losses: int = _limit(1_000, "losses in the answer to a step; more are thinned", ge=2)
    history_points: int = _limit(75, "points kept of a run's history", ge=16)
    checkpoints: int = _limit(16, "states kept of a run's past", ge=2)
    checkpoint_bytes: int = _limit(8 << 20, "bytes kept of a run's past", ge=1)
    edits_per_run: int = _limit(1_000, "changes made during a run", ge=1)
    idempotency_keys: int = _limit(64, "idempotency keys remembered a run", ge=1)
    runs_per_visitor: int = _limit(200, "runs a visitor; the one idle longest makes room", ge=1)
    runs_per_address: int = _limit(2_000, "runs made from one address: a whole school fits", ge=1)
    runs_rate: float = _limit(10.0, "new runs a second from one address", gt=0)
    runs_burst: float = _limit(1_500.0, "new runs at once from one address: a whole school fits", ge=1)
    runs_in_all: int = _limit(20_000, "runs in all; who has most makes room by the one idle longest", ge=1)
    busy_seconds: float = _limit(600.0, "seconds after which a run counts as idle and may make room", ge=0)
    idle_days: float = _limit(30.0, "days after which an idle run expires", gt=0)
    store_bytes: int = _limit(4 << 30, "bytes of the SQLite file; new runs get nine tenths of them", ge=1 << 20)
    store_seconds: float = _limit(0.5, "seconds to wait for the store", gt=0, le=10)
    visitor_rate: float = _limit(200.0, "requests a second of one visitor, or on one run", gt=0)
    address_rate: float = _limit(2_000.0, "requests a second from one address: a whole school fits", gt=0)
    static_rate: float = _limit(4_000.0, "static files a second to one address: a whole school fits", gt=0)
    rooms_in_all: int = _limit(200, "class rooms open at once", ge=1)
    rooms_per_visitor: int = _limit(10, "class rooms of one visitor", ge=1)
    rooms_per_address: int = _limit(100, "class rooms opened from one address: a whole school fits", ge=1)
    room_idle_hours: float = _limit(4.0, "hours after which an idle class room closes", gt=0)
    students_per_room: int = _limit(400, "students in a class room", ge=1)
    questions_per_room: int = _limit(200, "questions asked in a class room", ge=1)
    streams: int = _limit(1_500, "open streams of class rooms in one process", ge=1)
    streams_per_room: int = _limit(500, "open streams of one class room in one process", ge=1)
    streams_per_address: int = _limit(1_000, "open streams from one address: a whole school fits", ge=1)
    stalled_seconds: float = _limit(60.0, "seconds after which a stream that takes nothing is cut", gt=0)
    room_frames: float = _limit(15.0, "states a second that a class room shows", gt=0)
    room_lookups: float = _limit(5.0, "class rooms a second that strangers at one address may look up", gt=0)
    room_lookups_burst: float = _limit(1_500.0, "class rooms that strangers at one address may look up at once", ge=1)
    room_lookups_in_all: float = _limit(100.0, "class rooms a second that strangers may look up in all", gt=0)
    heavy_jobs: int = _limit(32, "heavy computations in one process; a third of one address while others wait", ge=1)
    heavy_jobs_per_visitor: int = _limit(4, "heavy computations of one visitor at once", ge=1)

    @property
    def engine_limits(self) -> Limits:
        """The limits that the engine checks."""
        return Limits(hidden_layers=self.hidden_layers, units=self.units, parameters=self.parameters)

    @property
    def store_url(self) -> str:
        """redis://… or the path of the SQLite file."""
        return self.store or str(self.data / "runs.sqlite3")

    def limits(self) -> dict[str, tuple[float, str]]:
        """Every limit by name: its value and what it limits."""
        return {
            name: (getattr(self, name), field.description or "")
            for name, field in type(self).model_fields.items()
            if field.json_schema_extra == LIMIT
        }


@lru_cache
def load() -> Settings:
    """The settings of this process, from its environment."""
    return Settings()


def wrong(error: ValidationError) -> list[str]:
    """What is wrong with settings: a sentence each, with the variable's name, its value and what is allowed."""
    return [
        f"{_variable(str(one['loc'][0]))}: {short(str(one['input']), 60)} is not allowed, {allowed(one)}."
        for one in error.errors()
    ]


def unknown(names: Iterable[str]) -> list[str]:
    """Of the environment's names those that look like settings and are none: a sentence each."""
    ours = {_variable(name): None for name in Settings.model_fields}
    found = []
    for name in sorted(names):
        if name.startswith("PLAYGROUND_") and name not in ours:
            close = get_close_matches(name, ours, 1, 0.75)
            found.append(f"{name} is no setting and changes nothing" + (f"; is it {close[0]}?" if close else "."))
    return found


def _variable(field: str) -> str:
    return field.upper() if field.upper().startswith("PLAYGROUND_") else f"PLAYGROUND_{field.upper()}"
