"""A case as people hand it in: lists or arrays by name, checked, each refusal with its field and what is allowed."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.checks import SpecError, integer, number, one_of, plain
from engine.homework.base import Backward, Case, CaseOption, Input
from engine.wording import Words, said

LARGEST = 1e9
_DEEPEST = 5


def shape_of(of: Floats) -> Words:
    """A shape as a message tells it."""
    return said("an array of shape {shape}", shape=of.shape)


def array(field: str, given: Any) -> Floats:
    """An array of finite numbers, of at least one number."""
    given = plain(field, given)
    allowed: Words = "an array of numbers, one or more, in rows of equal length"
    try:
        found = np.asarray(given)
    except (ValueError, OverflowError):
        raise SpecError(field, given, allowed) from None
    if found.dtype.kind not in "iufb" or not found.size or found.ndim > _DEEPEST:
        raise SpecError(field, given, allowed)
    found = found.astype(np.float64)
    kinds: tuple[tuple[Words, Words, Any], ...] = (
        ("not a number at {place}", "not a number", np.isnan(found)),
        ("out of range at {place}", "out of range", ~(np.abs(found) <= LARGEST)),
    )
    for somewhere, alone, wrong in kinds:
        if wrong.any():
            place = "".join(f"[{k}]" for k in np.argwhere(wrong)[0])
            raise SpecError(
                field,
                said(somewhere, place=place) if place else said(alone),
                "numbers from {largest:g} to {largest2:g}",
                largest=-LARGEST,
                largest2=LARGEST,
            )
    return found


def case_given(of: Backward, inputs: Any, upstream: Any, settings: Any, most: float = inf) -> Case:
    """An operation's case of what was handed in, if one pass takes no more than `most` multiplications."""
    inputs = by_name("inputs", inputs, [each.name for each in of.inputs])
    lengths: dict[str, tuple[int, str]] = {}
    arrays = {each.name: _input(of, each, inputs, lengths) for each in of.inputs}
    case = Case(_with_rows(arrays, of), settings_given(of, settings), np.zeros(()))
    if refused := of.refuse(case):
        raise refused
    if of.cost(case) > most:
        raise SpecError(
            "inputs",
            said("{count:,} multiplications", count=of.cost(case)),
            "at most {most:,.0f} multiplications in a pass",
            most=most,
        )
    return case.with_upstream(_upstream(of, case, upstream))


def by_name(field: str, given: Any, names: Sequence[str]) -> dict[str, Any]:
    """What was given by name under the names that are known; dw does for dW."""
    if not isinstance(given, Mapping):
        raise SpecError(field, given, "an object with {names}", names=", ".join(names))
    own, found = {name.lower(): name for name in names}, dict[str, Any]()
    for name, each in given.items():
        known = one_of(field, own.get(name.lower(), name) if isinstance(name, str) else name, names)
        if known in found:
            raise SpecError(field, name, "given once, as {known}", known=known)
        found[known] = each
    return found


def _listed(of: Backward) -> str:
    return ", ".join(each.name for each in of.inputs)


def _input(of: Backward, each: Input, inputs: Mapping[str, Any], lengths: dict[str, tuple[int, str]]) -> Floats:
    field = f"inputs.{each.name}"
    if each.name not in inputs:
        raise SpecError(field, None, "given: {name} takes {listed}", name=of.name, listed=_listed(of))
    found = array(field, inputs[each.name])
    axes = next((form for form in each.axes if len(form) == found.ndim), None)
    if axes is None:
        raise SpecError(field, shape_of(found), "of shape {axes}", axes=" or ".join(map(_axes, each.axes)))
    for axis, length in zip(axes, found.shape, strict=True):
        known, where = lengths.setdefault(axis, (length, each.name))
        if known != length:
            raise SpecError(
                field,
                shape_of(found),
                "of shape {axes}, with {known} for {axis}, as {where} has",
                axes=_axes(axes),
                known=known,
                axis=axis,
                where=where,
            )
    _allowed(field, each, found)
    return found


def _axes(axes: tuple[str, ...]) -> str:
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"


def _allowed(field: str, each: Input, found: Floats) -> None:
    if each.values == "kept" and not np.isin(found, (0.0, 1.0)).all():
        raise SpecError(field, said("other numbers"), "1 where a number is kept and 0 where it is out")


def _with_rows(arrays: dict[str, Floats], of: Backward) -> dict[str, Floats]:
    """Class numbers as rows of 0 and 1."""
    for each in of.inputs:
        found = arrays[each.name]
        if each.values == "targets" and found.ndim == 1:
            classes = arrays["z"].shape[1]
            if not np.isin(found, np.arange(classes)).all():
                raise SpecError(
                    f"inputs.{each.name}",
                    said("other numbers"),
                    "whole numbers from 0 to {classes}",
                    classes=classes - 1,
                )
            arrays[each.name] = np.eye(classes)[found.astype(np.int64)]
    return arrays


def settings_given(of: Backward, settings: Any) -> dict[str, Any]:
    """An operation's settings, those left out at their defaults."""
    settings = by_name("settings", settings, [each.name for each in of.settings])
    return {each.name: _setting(each, settings.get(each.name, each.default)) for each in of.settings}


def _setting(of: CaseOption, value: Any) -> float | str:
    field, value = f"settings.{of.name}", plain(f"settings.{of.name}", value)
    if of.choices and (isinstance(value, str) or isinstance(of.default, str)):
        return one_of(field, value, of.choices)
    if isinstance(of.default, int):
        return integer(field, value, of.minimum, of.maximum)
    return number(field, value, of.minimum, of.maximum)


def _upstream(of: Backward, case: Case, upstream: Any) -> Floats:
    if upstream is None and of.scalar:
        return np.ones(())
    found = array("upstream", upstream)
    with np.errstate(all="ignore"):
        shape = np.shape(of.forward(case))
    if of.scalar and found.size == 1:
        found = found.reshape(())
    if found.shape != shape:
        raise SpecError("upstream", shape_of(found), "of shape {shape}, as the output has", shape=shape)
    return found


def numbers_in(given: Any) -> Iterator[int]:
    """How many numbers something handed in holds, list by list, before anything is made of it."""
    if isinstance(given, Mapping):
        for each in given.values():
            yield from numbers_in(each)
    elif isinstance(given, list):
        if given and isinstance(given[0], list):
            for each in given:
                yield from numbers_in(each)
        else:
            yield len(given)
    else:
        yield 1
