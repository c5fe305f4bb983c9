"""What the looks into one step answer, as plain values made of the engine's."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from app.explain.moments import Moment, text_of
from app.explain.receipts import Receipt
from app.explain.walkthrough import Walkthrough
from app.words.maths import equations
from engine import SpecError, Trace
from engine.health import Complaint, health, spread
from engine.probes import Check, Contour, Nudge, Slice, Wishes


def flat(value: Any) -> dict[str, Any]:
    """A dataclass's fields by name; arrays stay as they are, for orjson."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _plain(value: Any) -> Any:
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value


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
    return flat(moment) | {
        "targets": [str(target) for target in moment.targets],
        "words": text_of(moment.words), "numbers": text_of(moment.numbers),
        "code": walk.program.lines[moment.code_line - 1].strip(),
        "values": {name: _plain(value) for name, value in moment.values.items()},
        "terms": [asdict(term) for term in moment.terms], "mathml": equations(moment.symbols) if mathml else None,
    }  # fmt: skip


def received(step: int, told: Receipt, mathml: bool = False) -> dict[str, Any]:
    """A receipt."""
    facts = {} if told.facts is None else {name: _plain(value) for name, value in flat(told.facts).items()}
    if "parts" in facts:
        facts["parts"] = [asdict(part) for part in facts["parts"]]
    kind = "input" if told.facts is None else "parameter" if "now" in facts else "unit"
    total = told.total
    return {
        "step": step, "address": told.address, "name": told.name, "place": told.place, "kind": kind,
        "words": text_of(told.words), "symbols": told.symbols, "numbers": text_of(told.numbers), "code": told.code,
        "came_from": told.came_from, "terms": [asdict(term) for term in total.terms] if total else [],
        "rest": total.rest if total else 0.0, "left_out": total.left_out if total else 0,
        "mathml": equations(told.symbols) if mathml else None, "facts": facts,
    }  # fmt: skip


def probed(step: int, found: Nudge | Check | Slice) -> dict[str, Any]:
    """A nudge, a check or a slice."""
    answer = {"step": step} | flat(found)
    if isinstance(found, Slice):
        answer["landings"] = [asdict(landing) for landing in found.landings]
    return answer


def contoured(step: int, found: Contour, steps: Sequence[int]) -> dict[str, Any]:
    """A contour with the steps of its path."""
    return {"step": step} | flat(found) | {"path_steps": list(steps)}


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
        "layer": found.layer if found else None, "sentence": found.sentence if found else "",
        "layers": [flat(layer) | counts for layer, counts in zip(health(told), spreads, strict=True)],
    }  # fmt: skip
