"""A run as bytes and back: what a store keeps of it, and the checksums that tell a damaged byte from a sound one.

The value is short, so that lists are cheap: what is said of the run as it stands now. Everything long is kept in parts:
the spec it began with, the edits, the state now, sampled points, states of the past.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from typing import Any
from zlib import crc32

import numpy as np
import orjson

from app.failures import Damaged
from app.run.history import Column, Head, History, Training, columns
from app.stores import Record, Stamp
from app.stores.seal import SIZE, parted, seal, unseal
from engine import Divergence, Edit, Metrics, Spec, unpack
from engine.packing import changed_by, changes_of

KINDS = ("spec", "edits", "now", "point")
LONG = ("parameters", "data")  # fields of a spec that may hold a hundred thousand numbers
_FORM = b"RUN3"  # of the value and all parts: whichever changes, this does, and _READERS has one more
_CACHED_BYTES = 10_000


@dataclass(frozen=True)
class Run(Training):
    """A run as it is kept: a training with a name, an owner (a hash of the visitor's token), the stamp of its last
    write, and the digest of the spec it began with."""

    id: str
    visitor: str
    stamp: Stamp
    digest: str

    @property
    def version(self) -> int:
        """Counts the changes."""
        return self.stamp.version

    @property
    def head(self) -> Head:
        """What is to be said of it now."""
        state = self.state
        return Head(
            self.id, self.version, state.spec, self.edits, state.step, state.epoch, self.metrics, state.divergence
        )


@dataclass(frozen=True)
class Summary:
    """What a list shows of a run."""

    id: str
    version: int
    step: int
    epoch: int
    edits: int
    loss: dict[str, float | None]
    digest: str
    diverged: bool


@dataclass(frozen=True)
class Origin:
    """A spec as it is stored: its digest, itself with the hash of its data in their place, a brief form for lists
    without what may be long, and the data, which are kept once for all runs that learn from the same."""

    digest: str
    whole: bytes
    brief: bytes
    data: bytes | None

    @classmethod
    def of(cls, spec: Spec) -> "Origin":
        """The stored form of a spec."""
        plain = spec.to_dict()
        data = orjson.dumps(plain["data"]) if plain["data"] else None
        whole = orjson.dumps(plain | {"data": sha256(data).hexdigest() if data else None})
        brief = orjson.dumps({name: value for name, value in plain.items() if name not in LONG})
        return cls(sha256(whole).hexdigest(), whole, brief, data)

    @property
    def parts(self) -> dict[str, bytes | None]:
        """What stands in the run's own record."""
        return {"origin": self.whole, "brief": self.brief}


def edits_bytes(edits: tuple[Edit, ...]) -> bytes:
    """The edits as they are stored."""
    return orjson.dumps([edit.to_dict() for edit in edits])


def origin_digest(spec: Spec) -> str:
    """What tells two specs apart."""
    return Origin.of(spec).digest


def edits_digest(edits: tuple[Edit, ...]) -> str:
    """What tells two lists of edits apart; empty for none."""
    return sha256(edits_bytes(edits)).hexdigest() if edits else ""


def value_of(run: Run) -> bytes:
    """The value of a run's record, behind its checksum."""
    state = run.state
    body = orjson.dumps(
        {
            "origin": run.digest,
            "edits": edits_digest(run.edits),
            "count": len(run.edits),
            "metrics": _told(run.metrics),
            "step": state.step,
            "epoch": state.epoch,
            "diverged": state.divergence is not None,
        }
    )
    return seal(_FORM, body)


def _told(metrics: Mapping[str, Metrics]) -> dict[str, list[float | str | None]]:
    """Losses and accuracies for JSON, in which a number that is not finite has to be a text."""
    return {
        name: [each.loss if each.loss is None or isfinite(each.loss) else str(each.loss), each.accuracy]
        for name, each in metrics.items()
    }


def _metrics(told: Mapping[str, Sequence[Any]]) -> dict[str, Metrics]:
    return {
        name: Metrics(float(loss) if isinstance(loss, str) else loss, accuracy)
        for name, (loss, accuracy) in told.items()
    }


def _opened(value: bytes) -> dict[str, Any]:
    """The meaning of a value; Damaged if a bit has changed, OtherVersion if no reader knows its form."""
    reader = _READERS.get(parted(value)[0], _sealed)
    found: dict[str, Any] = orjson.loads(reader(value))
    return found


def _sealed(value: bytes) -> bytes:
    return unseal(value, (_FORM,))[1]


def _of_0_1_0(value: bytes) -> bytes:
    """The checksum did not cover the form."""
    _, body = parted(value)
    if sha256(body).digest() != value[4:SIZE]:
        raise Damaged("a record's checksum does not match")
    return body


_READERS: dict[bytes, Callable[[bytes], bytes]] = {b"RUN2": _of_0_1_0, _FORM: _sealed}


def summary(run_id: str, record: Record) -> Summary:
    """What a list shows, from the value alone."""
    meta = _opened(record.value)
    loss = {name: each.loss for name, each in _metrics(meta["metrics"]).items()}
    return Summary(
        id=run_id,
        version=record.stamp.version,
        step=meta["step"],
        epoch=meta["epoch"],
        edits=meta["count"],
        loss=loss,
        digest=meta["origin"] + meta["edits"],
        diverged=meta["diverged"],
    )


def decode(run_id: str, record: Record, data: bytes | None = None) -> Run:
    """The run of a record that was read with all `KINDS`, and of its data; Damaged or CorruptState if any of it is."""
    meta = _opened(record.value)
    origin = origin_of(record.parts["spec"].get("origin", b""), meta["origin"], data)
    edits = _edits(record.parts["edits"].get("all", b""), meta["edits"])
    state = unpack(record.parts["now"].get("state", b""), origin)
    if state.step != meta["step"]:
        raise Damaged("the state is not the one that belongs here")
    metrics = _metrics(meta["metrics"])
    sampled = sampled_of(record.parts["point"], state.step, len(columns(origin)))
    return Run(origin, edits, state, metrics, sampled, run_id, record.owner, record.stamp, meta["origin"])


def told_of(head: Head, origin: Spec) -> dict[str, Any]:
    """A head as it is stored beside an idempotency key: of the spec only what was changed since the run began."""
    return {
        "version": head.version,
        "spec": changes_of(head.spec, origin),
        "edits": [edit.to_dict() for edit in head.edits],
        "step": head.step,
        "epoch": head.epoch,
        "metrics": _told(head.metrics),
        "divergence": asdict(head.divergence) if head.divergence else None,
    }


def head_of(told: Mapping[str, Any], run: Run) -> Head:
    """The head of a run that `told_of` was made from."""
    metrics = _metrics(told["metrics"])
    divergence = Divergence.recalled(told["divergence"]) if told["divergence"] else None
    spec, edits = changed_by(run.origin, told["spec"]), _edits_of(told["edits"])
    return Head(run.id, told["version"], spec, edits, told["step"], told["epoch"], metrics, divergence)


def origin_of(text: bytes, digest: str, data: bytes | None = None) -> Spec:
    """The spec from its stored form and its data, each as it was written."""
    if sha256(text).hexdigest() != digest:
        raise Damaged("a spec's checksum does not match")
    return _spec(text) if len(text) <= _CACHED_BYTES and not data else _recalled(text, data)


@lru_cache(maxsize=64)
def _spec(text: bytes) -> Spec:
    return _recalled(text, None)


def _recalled(text: bytes, data: bytes | None) -> Spec:
    plain = orjson.loads(text)
    if isinstance(plain["data"], str):  # 0.1.0 wrote the data themselves here
        if sha256(data or b"").hexdigest() != plain["data"]:
            raise Damaged("the checksum of the data does not match")
        plain["data"] = orjson.loads(data or b"")
    return Spec.recalled(plain)


def _edits(text: bytes, digest: str) -> tuple[Edit, ...]:
    if not digest:
        return ()
    if sha256(text).hexdigest() != digest:
        raise Damaged("the checksum of the edits does not match")
    return _edits_of(orjson.loads(text))


def _edits_of(edits: Iterable[dict[str, Any]]) -> tuple[Edit, ...]:
    return tuple(Edit(**edit) for edit in edits)


def point_bytes(point: Column) -> bytes:
    """A sampled point as it is stored, behind its own checksum."""
    numbers = point.tobytes()
    return crc32(numbers).to_bytes(4, "little") + numbers


def sampled_of(points: Mapping[str, bytes], step: int, width: int) -> History:
    """All points that are sound; a damaged one is merely missing from the chart.

    Release 0.1.0 kept numbers of four bytes: they are told apart by their length.
    """
    kinds = {4 + 4 * width: np.float32, 4 + 8 * width: np.float64}
    sound = {
        int(name): np.frombuffer(value, kinds[len(value)], offset=4)
        for name, value in points.items()
        if len(value) in kinds and crc32(value[4:]).to_bytes(4, "little") == value[:4]
    }
    steps = [each for each in sorted(sound) if each <= step]
    values = np.array([sound[each] for each in steps], dtype=np.float64).reshape(len(steps), width)
    return History(np.array(steps, dtype=np.int64), values)
