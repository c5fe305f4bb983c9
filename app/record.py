"""A run as bytes and back: what a store keeps of it, and the checksums that tell a damaged byte from a sound one.

The value holds what changes at every step; what does not is kept in parts: the spec it began with, the edits, the
sampled points, states of the past.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import Any
from zlib import crc32

import numpy as np
import orjson

from app.course import Column, Course, History, columns
from app.stores import Record
from engine import Edit, Metrics, Spec, pack, unpack

KINDS = ("spec", "edits", "point")
_HEAD = Struct("<4s32sI")
_MAGIC = b"RUN1"


class Damaged(Exception):
    """Stored bytes that are not what was written."""


@dataclass(frozen=True)
class Run(Course):
    """A run as it is kept: a course with a name, an owner (a hash of the visitor's token) and a version."""

    id: str
    visitor: str
    version: int


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


def spec_bytes(spec: Spec) -> bytes:
    """The spec as it is stored."""
    return orjson.dumps(spec.to_dict())


def edits_bytes(edits: tuple[Edit, ...]) -> bytes:
    """The edits as they are stored."""
    return orjson.dumps([edit.to_dict() for edit in edits])


@lru_cache(maxsize=256)
def origin_digest(spec: Spec) -> str:
    """What tells two specs apart."""
    return sha256(spec_bytes(spec)).hexdigest()


def edits_digest(edits: tuple[Edit, ...]) -> str:
    """What tells two lists of edits apart; empty for none."""
    return sha256(edits_bytes(edits)).hexdigest() if edits else ""


def encode(run: Course) -> bytes:
    """The value of a run's record."""
    state = run.state
    meta = {
        "origin": origin_digest(run.origin),
        "edits": edits_digest(run.edits),
        "count": len(run.edits),
        "metrics": {name: [metrics.loss, metrics.accuracy] for name, metrics in run.metrics.items()},
        "step": state.step,
        "epoch": state.epoch,
        "diverged": state.divergence is not None,
    }
    head = orjson.dumps(meta)
    head += b" " * (-(_HEAD.size + len(head)) % 8)
    body: bytes = head + pack(state, run.origin)
    return _HEAD.pack(_MAGIC, sha256(body).digest(), len(head)) + body


def _opened(value: bytes) -> tuple[dict[str, Any], bytes]:
    """The meta of a value and its packed state; Damaged if a bit has changed."""
    if len(value) < _HEAD.size:
        raise Damaged("a record is too short")
    magic, digest, head = _HEAD.unpack_from(value)
    body = memoryview(value)[_HEAD.size :]
    if magic != _MAGIC or sha256(body).digest() != digest:
        raise Damaged("a record's checksum does not match")
    return orjson.loads(body[:head]), bytes(body[head:])


def summary(run_id: str, record: Record) -> Summary:
    """What a list shows, from the value alone."""
    meta, _ = _opened(record.value)
    loss = {name: loss for name, (loss, _) in meta["metrics"].items()}
    return Summary(
        run_id, record.version, meta["step"], meta["epoch"], meta["count"], loss,
        meta["origin"] + meta["edits"], meta["diverged"],
    )  # fmt: skip


def decode(run_id: str, record: Record) -> Run:
    """The run of a record that was read with all `KINDS`; Damaged if any of it is."""
    meta, packed = _opened(record.value)
    origin = origin_of(record.parts["spec"].get("origin", b""), meta["origin"])
    edits = _edits(record.parts["edits"].get("all", b""), meta["edits"])
    state = unpack(packed, origin)
    metrics = {name: Metrics(*values) for name, values in meta["metrics"].items()}
    sampled = _sampled(record.parts["point"], state.step, len(columns(origin)))
    return Run(origin, edits, state, metrics, sampled, run_id, record.owner, record.version)


def origin_of(text: bytes, digest: str) -> Spec:
    """The spec from its stored form."""
    if sha256(text).hexdigest() != digest:
        raise Damaged("a spec's checksum does not match")
    return _spec(text)


@lru_cache(maxsize=64)
def _spec(text: bytes) -> Spec:
    return Spec.make(orjson.loads(text))


def _edits(text: bytes, digest: str) -> tuple[Edit, ...]:
    if not digest:
        return ()
    if sha256(text).hexdigest() != digest:
        raise Damaged("the checksum of the edits does not match")
    return tuple(Edit(**edit) for edit in orjson.loads(text))


def point_bytes(point: Column) -> bytes:
    """A sampled point as it is stored, behind its own checksum."""
    numbers = point.tobytes()
    return crc32(numbers).to_bytes(4, "little") + numbers


def _sampled(points: Mapping[str, bytes], step: int, width: int) -> History:
    """All points that are sound; a damaged one is merely missing from the chart."""
    sound = {
        int(name): np.frombuffer(value, np.float32, offset=4)
        for name, value in points.items()
        if len(value) == 4 * (width + 1) and crc32(value[4:]).to_bytes(4, "little") == value[:4]
    }
    steps = [each for each in sorted(sound) if each <= step]
    values = np.array([sound[each] for each in steps], dtype=np.float32).reshape(len(steps), width)
    return History(np.array(steps, dtype=np.int64), values)
