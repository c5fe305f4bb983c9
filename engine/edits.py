"""What a user changes while a run goes on, as values: a run is its spec, its edits and a step number.

That triple reproduces a run bit for bit on one machine, so going back, branching and sharing need nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np

from engine.arrays import Ints
from engine.checks import SpecError, asked_of, integer, meant, number
from engine.examples import examples_of
from engine.fields import FIELDS, live
from engine.session import held_by
from engine.state import RunState, frozen, no_memory
from engine.training import advance, step_on
from engine.wording import Words

EXAMPLES = "examples"  # the edit that is a step itself: on these examples in place of the next mini-batch
MOST_EXAMPLES = 100
LARGEST_PARAMETER = 1e6
MOST_STEPS = 10**9


@dataclass(frozen=True)
class Edit:
    """One change, made when the run had taken `step` steps: a live field of the spec, or a parameter by address.

    Or `examples`: the step from there was taken on these, in place of the mini-batch whose turn it was.
    """

    step: int
    field: str
    value: Any

    @property
    def after(self) -> int:
        """The first step at which a run has it: one later for what is a step itself."""
        return self.step + (self.field == EXAMPLES)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"step": self.step, "field": self.field, "value": self.value}


@asked_of(RunState)
def apply(state: RunState, field: str, value: Any) -> RunState:
    """The state after one change; SpecError if the field or the value is not allowed."""
    if field == EXAMPLES:
        return step_on(state, rows_of(state, value)).state
    if isinstance(field, str) and field in FIELDS:
        before, spec = state.spec.optimizer, state.spec.with_changes(**{field: value})
        state = replace(state, spec=spec, divergence=None)
        return state if spec.optimizer == before else replace(state, slots=no_memory(spec), optimizer_since=state.step)
    try:
        index = state.spec.network.locate(field)
    except ValueError:
        form = state.spec.network.address_form
        raise SpecError("field", field, _LIVE, form=form, meant=meant(field, live())) from None
    if len(held_by(state.spec.network, field)) > 1:
        weight = state.spec.network.address(index)
        raise SpecError("field", field, "one weight of this kernel, such as {weight}", weight=weight)
    parameters = state.parameters.copy()
    parameters[index] = number(field, value, -LARGEST_PARAMETER, LARGEST_PARAMETER)
    return replace(state, parameters=frozen(parameters), divergence=None)


def rows_of(state: RunState, value: object) -> Ints:
    """Indices of examples to step on, as an array; SpecError for what are none of this run's, or one twice."""
    most = examples_of(state.spec).count
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= min(most, MOST_EXAMPLES):
        raise SpecError(
            EXAMPLES, value, "1 to {most} rows of the run's data, such as [8]", most=min(most, MOST_EXAMPLES)
        )
    rows = [integer(f"{EXAMPLES}.{i}", row, 0, most - 1) for i, row in enumerate(value)]
    if len(set(rows)) < len(rows):
        raise SpecError(EXAMPLES, value, "each example once")
    return np.array(rows)


_LIVE: Words = "a live field of the spec or an address: {form}{meant}"


@asked_of(RunState)
def replay(state: RunState, edits: Sequence[Edit], step: int, seconds: float | None = None) -> RunState:
    """Carry a state on to `step`, making the edits on the way: exact, and the reason why nothing else is stored.

    The edits are those not yet in `state`, in order. Stops early after `seconds` in all or where the run diverges.
    """
    deadline = None if seconds is None else perf_counter() + seconds

    def carry_on(to: int) -> RunState:
        left = None if deadline is None else deadline - perf_counter()
        return advance(state, max(0, to - state.step), seconds=left).state

    for edit in edits:
        if edit.after > step:
            break
        state = carry_on(edit.step)
        if state.step < edit.step:
            return state
        state = apply(state, edit.field, edit.value)
    return carry_on(step)


def edits_from(given: Any, limit: int = 1_000) -> tuple[Edit, ...]:
    """Edits from JSON-like data, in order; SpecError names what is wrong."""
    if not isinstance(given, list | tuple) or len(given) > integer("limit", limit, 0, MOST_STEPS):
        raise SpecError("edits", given, "a list of at most {limit} {{step, field, value}}", limit=limit)
    edits = []
    for i, item in enumerate(given):
        if not isinstance(item, dict) or set(item) != {"step", "field", "value"}:
            raise SpecError(f"edits.{i}", item, "an object with step, field and value")
        step, field = integer(f"edits.{i}.step", item["step"], 0, MOST_STEPS), item["field"]
        if not isinstance(field, str):
            raise SpecError(f"edits.{i}.field", field, "a live field of the spec or an address such as W1.2.1")
        edits.append(Edit(step, field, item["value"]))
    if any(later.step < earlier.after for earlier, later in pairwise(edits)):
        raise SpecError("edits", "unordered steps", "in the order of their steps")
    return tuple(edits)
