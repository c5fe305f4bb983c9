"""Receipts of what feature maps share: a kernel's weight lists the places where it was used, a channel its stages."""

from collections.abc import Iterator

import numpy as np

from app.explain.lines import Detail, Lines, Teller
from app.explain.moments import Face
from app.explain.scene import Scene
from app.words.numbers import UNKNOWN, signed
from app.words.texts import text
from engine import Quantity
from engine.quantity import unit
from engine.receipts import ChannelReceipt, ParameterReceipt

PLACES = 6  # that are told one by one


def gradient_face(scene: Scene, of: Quantity) -> Face:
    """The gradient of a parameter that all places share."""
    k, made = of.layer, scene.equations
    _, high, wide = scene.network.image(k)
    if of.kind == "W":
        j, i, row, column = (int(str(at)) for at in of.index)
        gradient = made.maps.dW(k, (j, i, row, column))
    else:
        gradient = {"b": made.db, "gamma": made.dgamma, "beta": made.dbeta}[of.kind](k, of.unit)
    words = scene.say("one weight, many places", channel=scene.unit(k, of.unit), places=high * wide, count=scene.count)
    return scene.face(words, gradient, kinds="dz")


def factors(scene: Scene, of: Quantity, facts: ParameterReceipt, tell: Teller) -> Iterator[Detail]:
    """The places where it was used, those with the largest shares first, each with both factors."""
    gradient = of.like(f"d{of.kind}")
    shares = facts.deltas * facts.carried
    order = np.argsort(-np.abs(np.nan_to_num(shares.ravel())), kind="stable")
    told = [n for n in order.tolist() if shares.ravel()[n]][:PLACES]
    plain = of.kind in ("b", "beta")
    for n in told:
        example, row, column = (int(at) for at in np.unravel_index(n, shares.shape))
        where = text("row {row}, column {column}", row=row + 1, column=column + 1)
        if scene.count > 1:
            where = text("example {example}, {place}", example=int(facts.examples[example]), place=where)
        at = (example, row, column)
        made = signed(float(facts.deltas[at])) + ("" if plain else f" × {signed(float(facts.carried[at]))}")
        label = text("{place}: {product}", place=where, product=made if tell.knows(gradient) else UNKNOWN)
        yield Detail(label, tell(float(shares[at]), gradient), "backward")
    left = shares.size - len(told)
    if left:
        rest = float(shares.sum() - sum(float(shares.ravel()[n]) for n in told))
        yield Detail(text("the other {count} places together", count=left), tell(rest, gradient), "backward")
    yield Detail(text("δ of {unit}", unit=scene.unit(of.layer, of.unit)), "", "backward", str(unit(of.layer, of.unit)))
    if of.source and scene.network.image(of.layer - 1):
        below = unit(of.layer - 1, of.source)
        yield Detail(text("a of {unit}", unit=scene.unit(of.layer - 1, of.source)), "", "forward", str(below))


def channel_lines(scene: Scene, of: Quantity, facts: ChannelReceipt, tell: Teller) -> tuple[Detail, ...]:
    """The means of a channel's maps on the way forward, and the sums of what comes back."""
    ahead = [
        tell.mean(text("mean {number} of the map", number=letter), of.like(letter), getattr(facts, letter))
        for letter in scene.network.stages[of.layer - 1]
    ]
    back = [
        tell.sum(text("sum of {number}", number="δ" if kind == "dz" else kind), of.like(kind), getattr(facts, kind))
        for kind in ("dv", "dh", "da", "dn", "dz")
        if getattr(facts, kind) is not None
    ]
    return (*ahead, *back)


def kernels(scene: Scene, of: Quantity, facts: ChannelReceipt, tell: Teller) -> tuple[Lines, ...]:
    """Every kernel of a channel by its strongest weight, a click further back."""
    lines = []
    for i, kernel in enumerate(facts.kernels, 1):
        row, column = (int(at) + 1 for at in np.unravel_index(int(np.abs(kernel).argmax()), kernel.shape))
        address = Quantity("W", of.layer, (of.unit, i, row, column))
        source = scene.channel(of.layer - 1, i) or text("what is below")
        label = text("kernel from {unit}, row {row}, column {column}", unit=source, row=row, column=column)
        lines.append(Detail(label, tell(float(kernel[row - 1, column - 1])), "plain", str(address)))
    bias = Detail(text("bias"), tell(facts.bias), "plain", str(Quantity("b", of.layer, (of.unit,))))
    return (Lines(text("The strongest weight of each kernel"), (*lines, bias)),)
