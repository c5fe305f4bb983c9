"""A RunState as bytes and back: a JSON head, then the numbers as they are, behind a checksum.

A database finds few flipped bits by itself, so the checksum is ours.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from json import dumps, loads
from struct import Struct
from typing import Any

import numpy as np

from engine.checks import asked_of, other_kind, short_form
from engine.fields import live
from engine.optimizers import OPTIMIZERS
from engine.spec import UNLIMITED, Limits, Spec
from engine.state import Divergence, RunState

_MAGIC, _LENGTH = b"BP1\n", Struct("<I")
_CHECKED = len(_MAGIC) + sha256().digest_size  # where that begins which the checksum covers
_HEAD = _CHECKED + _LENGTH.size


class CorruptState(ValueError):
    """Bytes that are not a packed state, or no longer."""


@asked_of(RunState)
def pack(state: RunState, base: Spec | None = None) -> bytes:
    """A few kB for a small network: head, parameters and optimizer slots, little-endian float64.

    With `base`, a spec that this one differs from in live fields alone, only those fields are written.
    """
    _check_base("pack", base)
    head = {
        "spec": state.spec.to_dict() if base is None else changes_of(state.spec, base),
        "counts": [state.step, state.epoch, state.cursor, state.forwards, state.optimizer_since],
        "divergence": asdict(state.divergence) if state.divergence else None,
    }
    if base is None and state.spec.limits != UNLIMITED:
        head["limits"] = asdict(state.spec.limits)
    text = dumps(head, separators=(",", ":")).encode()
    text += b" " * (-(_HEAD + len(text)) % 8)  # so that the numbers can be read in place
    body = _LENGTH.pack(len(text)) + text
    body += b"".join(each.astype("<f8").tobytes() for each in (state.parameters, state.slots, state.running))
    return _MAGIC + sha256(body).digest() + body


def _check_base(asked: str, base: object) -> None:
    if not isinstance(base, Spec | None):
        raise other_kind(f"{asked} with base", Spec, base)


def changes_of(spec: Spec, base: Spec) -> dict[str, Any]:
    """The live fields in which `spec` differs from `base`, JSON-able."""
    pairs = ((name, getattr(spec, name)) for name in live())
    return {} if spec is base else {name: value for name, value in pairs if value != getattr(base, name)}


def changed_by(base: Spec, changes: Mapping[str, Any]) -> Spec:
    """What `changes_of` was made from: values that were checked when they were packed, lists as tuples again."""
    return replace(base, **{name: _as_tuple(value) for name, value in changes.items()}) if changes else base


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def unpack(packed: bytes | bytearray | memoryview, base: Spec | None = None) -> RunState:
    """The state again, its arrays read-only views of the bytes; CorruptState if a bit has changed.

    `base` as it was given to `pack`, or CorruptState; what was packed without one needs none.
    """
    if not isinstance(packed, bytes | bytearray | memoryview):
        raise TypeError(f"unpack takes the bytes that pack gives, not {short_form(packed)}")
    _check_base("unpack", base)
    packed = bytes(packed)
    if len(packed) < _HEAD:
        raise CorruptState("too short for a packed state")
    checked = memoryview(packed)[_CHECKED:]
    if packed[: len(_MAGIC)] != _MAGIC or sha256(checked).digest() != packed[len(_MAGIC) : _CHECKED]:
        raise CorruptState("the checksum does not match")
    start = _HEAD + _LENGTH.unpack_from(checked)[0]
    head = loads(packed[_HEAD:start])
    limits = Limits(**head.get("limits", asdict(UNLIMITED)))
    if "dataset" in head["spec"]:
        spec = Spec.recalled(head["spec"], limits)
    elif base is None:
        raise CorruptState("packed with a base, which unpack needs, too")
    else:
        spec = changed_by(base, head["spec"])
    size = spec.network.size
    numbers = np.frombuffer(packed, "<f8", offset=start)
    divergence = Divergence.recalled(head["divergence"]) if head["divergence"] else None
    kept = len(OPTIMIZERS[spec.optimizer].slots)
    if numbers.size != (1 + kept) * size + 2 * sum(units for _, units in spec.network.running.values()):
        raise CorruptState(f"packed with another base: {numbers.size} numbers do not make its parameters and memories")
    slots, running = numbers[size : (1 + kept) * size].reshape(kept, size), numbers[(1 + kept) * size :]
    step, epoch, cursor, forwards, since = head["counts"]
    return RunState(spec, step, epoch, cursor, forwards, numbers[:size], slots, divergence, since, running)
