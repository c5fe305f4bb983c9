"""Whatever is given in place of an argument, Python's door answers with a sentence of ours, never from within."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from inspect import Parameter, isfunction, signature
from typing import Any

import numpy as np
import pytest

import engine
from engine import CorruptState, Spec, SpecError, advance, examples_of, gradient_norms, pack, start, trace, unpack

SPEC = Spec.make(dataset="xor", samples=20)
STATE = start(SPEC)
DONE = advance(STATE, 3, traced={0, 1})
STEP = trace(STATE)
WRONG = (SPEC, STATE, STEP, DONE, None, True, 1.5, "x", [])


def written(dout: Any, z: Any) -> Any:
    return dout * (1 - np.tanh(z) ** 2)


FUNCTIONS = {name for name in engine.__all__ if isfunction(getattr(engine, name))}
RIGHT: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("evaluate", "gradient_check", "pack", "plane", "wishes"), (STATE,)),
    **dict.fromkeys(("nudge", "slice_"), (STATE, "W1.1.1")),
    **dict.fromkeys(("layer_health", "program", "gradient_norms"), (STEP,)),
    **dict.fromkeys(("start", "examples_of"), (SPEC,)),
    **dict.fromkeys(("grade", "check"), (written, "tanh")),
    "advance": (STATE, 1),
    "apply": (STATE, "learning_rate", 0.1),
    "contour": (STATE, "W1.1.1", "b1.1"),
    "diagnose": ("tanh", {"z": [[1.0]]}, [[1.0]], {"dz": [[1.0]]}),
    "edits_from": ([],),
    "graph": ("L = a", {"a": 1}),
    "graph_of": (trace(STATE, 0),),
    "outputs_of": (STATE, examples_of(SPEC).x),
    "predict": (STATE, [[1, 2]]),
    "receipt": (STEP, "W1.1.1"),
    "replay": (STATE, (), 3),
    "trace": (STATE, 0),
    "trace_of": (STATE, [0]),
    "unit_maps": (STATE, 8),
    "unpack": (pack(STATE),),
}


def slip(call: Callable[..., Any], right: tuple[Any, ...], place: int, value: object) -> str:
    """What is said from within to one argument, by its place among all, in place of the right or of its default; of
    what is taken, or refused on purpose as one of three errors, nothing."""
    parameter = list(signature(call).parameters.values())[place]
    named = parameter.kind is Parameter.KEYWORD_ONLY or place > len(right)
    try:
        call(*right, **{parameter.name: value}) if named else call(*right[:place], value, *right[place + 1 :])
    except (SpecError, TypeError, CorruptState) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return "" if (where.line or "").startswith("raise ") else f"{parameter.name}={value!r}: {error}"
    return ""


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.filterwarnings("ignore")
def test_what_is_of_a_wrong_kind_is_refused_in_a_sentence(name: str) -> None:
    """Every argument of every function, with whatever else there is."""
    call, right = getattr(engine, name), RIGHT[name]
    call(*right)
    places = [k for k, each in enumerate(signature(call).parameters.values()) if each.kind is not Parameter.VAR_KEYWORD]
    assert not [said for place in places for value in WRONG if (said := slip(call, right, place, value))]


def test_all_arguments_by_name_are_held_to_their_kinds() -> None:
    """As those by place; NumPy's numbers are numbers, a view of bytes is bytes."""
    with pytest.raises(TypeError, match="trace takes a RunState, not a Spec"):
        trace(state=SPEC)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="example: 'a' is not allowed, must be a whole number, or None"):
        trace(state=STATE, example="a")  # type: ignore[arg-type]
    assert trace(STATE, example=np.int64(3)).examples.tolist() == [3]  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="gradient_norms takes a Trace, not a Progress"):
        gradient_norms(DONE)  # type: ignore[arg-type]
    packed = pack(STATE)
    assert [unpack(bytearray(packed)), unpack(memoryview(packed)), unpack(packed, SPEC)] == [STATE] * 3
    assert unpack(pack(STATE, SPEC), SPEC) == STATE
