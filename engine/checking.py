"""A backward function that somebody wrote, run over drawn inputs: right, or the mistake that it makes.

def my_backward(dout, x, gamma, eps):
    ...
    return dx, dgamma, dbeta

grade(my_backward, "batch_norm")
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.checks import integer, kind_of, meant, number, one_of
from engine.diagnosis import TOLERANCE, Diagnosis, Finding, Judge
from engine.homework import BACKWARD
from engine.homework.base import Backward, Case
from engine.homework.given import array, by_name, settings_given

DRAWS = 20
_ARRAYS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def grade(
    backward: Callable[..., Any],
    operation: str,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    **settings: Any,
) -> Diagnosis:
    """Run a backward function over drawn inputs, with uneven numbers coming back, and tell what it does wrong.

    It is called with what comes back to the output, and then with those of the operation's inputs and settings that it
    names, as arrays: `def backward(dout, x, W)`; with `*inputs` it gets all inputs in order. It returns the gradients
    in the operation's order, or a dict of those it has, or the one there is; None stands for one that is not written
    yet. Settings given here, such as stride=2, are those of every draw; others are drawn if the function takes them.
    """
    if not callable(backward):
        raise TypeError(f"grade takes a function, not {kind_of(backward)}: grade(my_backward, {operation!r})")
    of = BACKWARD[one_of("operation", operation, tuple(BACKWARD))]
    count, bound, names = integer("draws", draws, 1, 1000), number("tolerance", tolerance, 0, 1), _names(backward, of)
    fixed = {each.name: each.default for each in of.settings if each.name not in names}
    fixed |= {name: value for name, value in settings_given(of, settings).items() if name in settings}
    found: dict[str, list[Finding]] = {}
    for draw in range(count):
        case = of.draw(np.random.default_rng([integer("seed", seed, 0, 2**32 - 1), draw]), fixed)
        judge = Judge(of, case, bound)
        for name, given in _called(backward, names, of, case).items():
            found.setdefault(name, []).append(judge.finding(name, array(f"gradients.{name}", given)))
    return Diagnosis(of.name, tuple(_together(findings) for findings in found.values()))


check = grade  # its name before


def _names(backward: Callable[..., Any], of: Backward) -> tuple[str, ...]:
    """The operation's own names of what a function takes besides what comes back; all inputs where it does not say."""
    inputs = tuple(each.name for each in of.inputs)
    known = (*inputs, *(each.name for each in of.settings))
    try:
        _, *parameters = inspect.signature(backward).parameters.values()
    except (TypeError, ValueError):
        return inputs
    names: list[str] = []
    for each in parameters:
        near = next((name for name in known if name.lower() == each.name.lower()), None)
        if each.kind is inspect.Parameter.VAR_POSITIONAL:
            names += inputs
        elif near and each.kind is not inspect.Parameter.VAR_KEYWORD:
            names.append(near)
        elif each.kind in _ARRAYS and each.default is inspect.Parameter.empty:
            allowed = ", ".join(known)
            raise TypeError(f"{of.name} has {allowed}: the function asks for {each.name!r}{meant(each.name, known)}")
    return tuple(names)


def _called(backward: Callable[..., Any], names: tuple[str, ...], of: Backward, case: Case) -> Mapping[str, Any]:
    """What a function returns, by gradient; it gets copies, so that it may write into them."""
    given = [case.arrays[name].copy() if name in case.arrays else case.settings[name] for name in names]
    try:
        returned = backward(case.g.copy(), *given)
    except Exception as error:
        shapes = ", ".join(f"{name} {np.shape(each)}" for name, each in zip(names, given, strict=True))
        error.add_note(f"It was given what comes back to {of.name}, of shape {case.g.shape}, and {shapes}.")
        raise
    return _by_name(returned, of)


def _by_name(returned: Any, of: Backward) -> Mapping[str, Any]:
    many = returned if isinstance(returned, tuple | list) and len(of.gradients) > 1 else (returned,)
    if isinstance(returned, Mapping):
        found = by_name("gradients", returned, of.gradients)
    elif len(many) == len(of.gradients):
        found = dict(zip(of.gradients, many, strict=True))
    else:
        wanted = f"{', '.join(of.gradients)} in this order, or a dict of those you have"
        raise TypeError(f"the function returned {_said(returned)}; return {wanted}")
    found = {name: each for name, each in found.items() if each is not None}
    if not found:
        raise TypeError(f"the function returned nothing; return {', '.join(of.gradients)}")
    return found


def _said(returned: Any) -> str:
    if isinstance(returned, tuple | list):
        return f"{len(returned)} values"
    return "nothing" if returned is None else f"one {type(returned).__name__}"


def _together(findings: list[Finding]) -> Finding:
    """One finding of those of all draws: the mistakes that explain every draw that is off."""
    off = [each for each in findings if not each.right]
    first, draws = (off or findings)[0], (len(off or findings), len(findings))
    if not off:
        return replace(first, unseen=(), draws=draws)
    common = tuple(each for each in first.mistakes if all(each in other.mistakes for other in off))
    error, numbers = max(each.error for each in off), (sum(f.off for f in off), sum(f.of for f in off))
    one = all(each.by_one_factor for each in off)
    return Finding(first.gradient, False, error, *numbers, common, by_one_factor=one, draws=draws)
