"""δ of a number that has neighbours: one place of a feature map, or what a normalization has made of a whole batch."""

import numpy as np

from app.learn.facts import Facts
from app.learn.judging import Problem, Slip, numeric
from app.learn.problems import written
from app.words.names import called
from app.words.numbers import signed
from app.words.texts import text
from engine import Quantity
from engine.lookup import Numbers

CLEAR = 0.05  # a sum is asked for that is no smaller a share of its largest term: it is worked out from rounded ones


def delta_of(facts: Facts, layer: int, unit: int) -> Quantity:
    """A unit's δ; of a channel that at the place where it is largest by size."""
    dz = facts.trace.layers[layer - 1].dz[0, unit - 1]
    places = np.unravel_index(int(np.abs(dz).argmax()), dz.shape)
    return Quantity("dz", layer, (unit, *(int(at) + 1 for at in places)), 0)


def factors_problem(facts: Facts, of: Quantity, example: int) -> tuple[Problem, str]:
    """What comes back to a number, all in all, times the slope of its activation; and both of them in words."""
    if facts.state.spec.network.activations[of.layer - 1].product is not None:
        raise ValueError(f"another unit than {of.like('a')}, whose activation has no slope of its own")
    delta, da, slope = (_number(facts, of.like(kind)) for kind in ("dz", "da", "slope"))
    made = text("∂L/∂a × slope = {da} × {slope} = {delta}.", da=written(da), slope=written(slope), delta=written(delta))
    mistakes = [
        Slip(da, "slope", text("That is what comes back, ∂L/∂a. Times the slope, {slope}.", slope=written(slope))),
        Slip(slope, "dL/da", text("That is the slope alone. Multiply by what comes back, {da}.", da=written(da))),
        Slip(-delta, "sign", text("The size is right, the sign is not.")),
    ]
    hint = text("δ is what comes back, ∂L/∂a, times the slope of the activation.")
    given = text("∂L/∂a = {da}, slope = {slope}", da=signed(da), slope=signed(slope))
    return numeric(_asked(facts, of, example), str(of), delta, made, hint, mistakes), given


def ways_problem(facts: Facts, of: Quantity, example: int) -> tuple[Problem, str]:
    """The three ways back through a normalization, which add up, and each in words; ValueError where they cancel."""
    own, mean, spread = (_number(facts, of.like(f"dz_{way}")) for way in ("own", "mean", "spread"))
    delta = _number(facts, of)
    if abs(delta) < CLEAR * max(map(abs, (own, mean, spread))):
        raise ValueError(f"another unit than {of.like('a')}, whose three ways back nearly cancel")
    mistakes = [
        Slip(own, "mean and spread", text("The ways through the mean and through the spread are missing.")),
        Slip(own + spread, "mean", text("The way through the mean is missing, {mean}.", mean=signed(mean))),
        Slip(own + mean, "spread", text("The way through the spread is missing, {spread}.", spread=signed(spread))),
        Slip(own - mean - spread, "sign", text("The three ways add up, each with the sign it has.")),
        Slip(-delta, "sign", text("The size is right, the sign is not.")),
    ]
    ways = {"own": signed(own), "mean": signed(mean), "spread": signed(spread)}
    made = text("{own} + ({mean}) + ({spread}) = {delta}.", **ways, delta=signed(delta))
    hint = text("Three ways lead back through a normalization, and they add up.")
    given = text("through x̂ {own}, through the mean {mean}, through the spread {spread}", **ways)
    return numeric(_asked(facts, of, example), str(of), delta, made, hint, mistakes), given


def _number(facts: Facts, of: Quantity) -> float:
    return float(Numbers(facts.trace)(of))


def _asked(facts: Facts, of: Quantity, example: int) -> str:
    where = called(facts.state.spec, of.layer, of.unit)
    if len(of.index) == 3:
        _, row, column = of.index
        where = text("{unit}, at row {row}, column {column}", unit=where, row=row, column=column)
    return text("What is δ, that is ∂L/∂z, of {unit}, on example {example}?", unit=where, example=example)
