"""What the looks into one step answer, as plain values made of the engine's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from app.explain import schemas
from app.explain.moments import Moment
from app.explain.receipts import Receipt
from app.explain.walkthrough import Walkthrough
from app.words.health import advice
from app.words.segments import text_of
from engine import Quantity, SpecError, Trace
from engine.along import Along
from engine.health import Complaint, health, spread
from engine.paths import Paths
from engine.probes import Check, Contour, Nudge, Slice, Wishes


def plain(value: Any) -> Any:
    """A value as JSON has it: dataclasses by their fields, quantities by their addresses; arrays as they are."""
    if isinstance(value, Quantity):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value


def _fields(value: Any, shape: type[BaseModel], mathml: bool) -> dict[str, Any]:
    """What an answer's shape asks of a moment or a receipt."""
    there = {name: plain(getattr(value, name)) for name in shape.model_fields if hasattr(value, name)}
    text = {"words": text_of(value.words), "numbers": text_of(value.numbers)}
    return there | text | {"mathml": value.mathml() if mathml else None}


def walked(walk: Walkthrough, indices: Sequence[int], most: int, mathml: bool = False) -> dict[str, Any]:
    """A walkthrough with the moments at these indices; SpecError if they hold more than `most` numbers."""
    moments, numbers = [], 0
    for index in indices:
        moment = walk[index]
        numbers += sum(np.size(value) for value in moment.values.values())
        if numbers > most:
            raise SpecError("granularity", walk.plan.grain, f"coarser, or one example: at most {most:,} numbers")
        moments.append(_moment(moment, walk, mathml))
    return {
        "step": walk.trace.step, "examples": walk.trace.examples, "granularity": walk.plan.grain, "count": len(walk),
        "collapsed": walk.collapsed, "code": walk.program.lines, "moments": moments,
        "phases": [{"phase": phase, "first": first, "count": count} for phase, first, count in walk.phases],
    }  # fmt: skip


def _moment(moment: Moment, walk: Walkthrough, mathml: bool) -> dict[str, Any]:
    line = walk.program.lines[moment.code_line - 1].strip()
    return _fields(moment, schemas.MomentAnswer, mathml) | {"code": line}


def received(step: int, told: Receipt, mathml: bool = False) -> dict[str, Any]:
    """A receipt."""
    kind = "input" if told.facts is None else "parameter" if told.is_parameter else "unit"
    facts = {"kind": kind, "facts": plain(told.facts) or {}}
    return {"step": step} | _fields(told, schemas.ReceiptAnswer, mathml) | facts


def probed(step: int, found: Nudge | Check | Slice | Along | Paths) -> dict[str, Any]:
    """A nudge, a check, a slice the way of a step or the ways to a parameter."""
    return {"step": step, **plain(found)}


def contoured(step: int, found: Contour, steps: Sequence[int]) -> dict[str, Any]:
    """A contour with the steps of its path."""
    return {"step": step, **plain(found), "path_steps": list(steps)}


def wished(
    step: int, found: Wishes, index: int | None, address: str | None, addresses: Callable[[], list[str]] | None
) -> dict[str, Any]:
    """Wishes; `index` is the place of the address asked about, `addresses` gives the order of whole gradients."""
    with np.errstate(all="ignore"):
        lengths, length = np.linalg.norm(found.gradients, axis=1).tolist(), float(np.linalg.norm(found.mean))
    wishes = [
        {
            "example": example, "length": lengths[n], "cosine": float(found.cosines[n]),
            "wish": None if index is None else float(found.gradients[n, index]),
            "gradient": found.gradients[n] if addresses else None,
        }
        for n, example in enumerate(found.examples.tolist())
    ]  # fmt: skip
    return {
        "step": step, "batch": found.batch, "address": address,
        "mean": None if index is None else float(found.mean[index]), "length": length,
        "wishes": wishes, "addresses": addresses() if addresses else None,
    }  # fmt: skip


def healthy(told: Trace, found: Complaint | None) -> dict[str, Any]:
    """The health of a step."""
    spreads = [dict(zip(("histogram", "edges"), spread(layer), strict=True)) for layer in told.layers]
    return {
        "step": told.step, "examples": told.examples, "problem": found.name if found else None,
        "layer": found.layer if found else None, "sentence": advice(told.spec, found) if found else "",
        "layers": [plain(layer) | counts for layer, counts in zip(health(told), spreads, strict=True)],
    }  # fmt: skip
