"""What a user changes while a run goes on, as values: a run is its spec, its edits and a step number.

That triple reproduces a run bit for bit on one machine, so going back, branching and sharing need nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from engine.optimizers import OPTIMIZERS
from engine.spec import FIELDS, SpecError
from engine.training import RunState, advance

LARGEST_PARAMETER = 1e6


@dataclass(frozen=True)
class Edit:
    """One change, made when the run had taken `step` steps: a live field of the spec, or a parameter by address."""

    step: int
    field: str
    value: Any

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"step": self.step, "field": self.field, "value": self.value}


def apply(state: RunState, field: str, value: Any) -> RunState:
    """The state after one change; SpecError if the field or the value is not allowed."""
    if field in FIELDS:
        spec = state.spec.with_changes(**{field: value})
        slots = state.slots
        if spec.optimizer != state.spec.optimizer:
            slots = np.zeros((len(OPTIMIZERS[spec.optimizer].slots), spec.network.size))
        return replace(state, spec=spec, slots=slots, divergence=None)
    try:
        index = state.spec.network.locate(field)
    except ValueError as error:
        raise SpecError("field", field, f"a live field of the spec or an address: {error}") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_PARAMETER:
        raise SpecError(field, value, f"a number from {-LARGEST_PARAMETER:.0f} to {LARGEST_PARAMETER:.0f}")
    parameters = state.parameters.copy()
    parameters[index] = value
    parameters.setflags(write=False)
    return replace(state, parameters=parameters, divergence=None)


def replay(state: RunState, edits: Sequence[Edit], step: int, seconds: float | None = None) -> RunState:
    """Carry a state on to `step`, making the edits on the way: exact, and the reason why nothing else is stored.

    The edits are those not yet in `state`, in order. Stops early after `seconds` or where the run diverges.
    """
    for edit in edits:
        if edit.step > step:
            break
        state = advance(state, edit.step - state.step, seconds=seconds).state
        if state.step < edit.step:
            return state
        state = apply(state, edit.field, edit.value)
    return advance(state, step - state.step, seconds=seconds).state


def edits_from(given: Any, limit: int = 1_000) -> tuple[Edit, ...]:
    """Edits from JSON-like data, in order; SpecError names what is wrong."""
    if not isinstance(given, list | tuple) or len(given) > limit:
        raise SpecError("edits", given, f"a list of at most {limit} {{step, field, value}}")
    edits = []
    for i, item in enumerate(given):
        if not isinstance(item, dict) or set(item) != {"step", "field", "value"}:
            raise SpecError(f"edits.{i}", item, "an object with step, field and value")
        step, field = item["step"], item["field"]
        if isinstance(step, bool) or not isinstance(step, int) or not isfinite(step) or step < 0:
            raise SpecError(f"edits.{i}.step", step, "a whole number from 0")
        if not isinstance(field, str):
            raise SpecError(f"edits.{i}.field", field, "a live field of the spec or an address such as W1.2.1")
        edits.append(Edit(step, field, item["value"]))
    if [e.step for e in edits] != sorted(e.step for e in edits):
        raise SpecError("edits", "unordered steps", "in the order of their steps")
    return tuple(edits)
