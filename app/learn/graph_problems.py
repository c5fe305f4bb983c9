"""Questions about a formula's graph: a node's number, its gradient, or the sign of either. A wrong answer is told by
its known slip: what comes in, the local slope, a way that was not added, the number that went forwards, the sign.
"""

from collections.abc import Sequence

import numpy as np

from app.learn.judging import Problem, Slip, numeric
from app.learn.problems import DOWN, STAY, UP
from app.words.graph import plain_name
from app.words.numbers import unsigned
from app.words.texts import text
from engine import Graph
from engine.graph import Beat, Edge
from engine.primitives import PRIMITIVES
from engine.wording import Words

NEGATIVE, ZERO, POSITIVE = SIGNS = ("negative", "zero", "positive")


def gradient_at(of: Graph, place: int, over: Edge | None = None) -> Problem:
    """The gradient of a node, or what comes back to it over one edge."""
    truth = of.back(over) if over else of.grad[place]
    ways = [over] if over else list(of.ways[place])
    quantity, wanted = of.vertices[place].name, _wanted(of, place, over)
    mistakes = [*_slips_of_ways(of, ways), Slip(of.data[place], "forward value", text(_FORWARD))]
    mistakes += [Slip(-truth, "sign", text("The size is right, the sign is not. {why}", why=_signs(of, ways)))]
    prompt = text("What is {wanted}?", wanted=wanted)
    if not ways:
        return numeric(prompt, quantity, truth, _start(of, place), _start(of, place), mistakes, 1e-3, 1e-4)
    told = " + ".join(f"{_n(of.grad[each.target])} × {_n(of.slopes[each])}" for each in ways)
    solution = text("What comes in times the local slope: {told} = {gradient}.", told=told, gradient=_n(truth))
    one, many = _HINTS
    hint = text(one if len(ways) == 1 else many)
    return numeric(prompt, quantity, truth, solution, hint, mistakes)


def number_at(of: Graph, place: int) -> Problem:
    """The number that a node computes."""
    vertex, name = of.vertices[place], _name(of, place)
    into, sign = [of.data[n] for n in vertex.sources if n is not None], PRIMITIVES[vertex.kind].sign
    mistakes = [
        *(Slip(each, "operation", text("That goes in; {sign} still has to act.", sign=sign)) for each in into),
        Slip(float(np.sum(into)), "operation", text("Here it is {sign}, not +.", sign=sign)),
        Slip(float(np.prod(into)), "operation", text("Here it is {sign}, not ×.", sign=sign)),
        Slip(-of.data[place], "sign", text("The size is right, the sign is not.")),
    ]
    solution = f"{name} = {_n(of.data[place])}."
    hint = text("Put the numbers into {name} = {code}.", name=name, code=of.code(of.forward(place).tree))
    return numeric(text("What number does {name} compute?", name=name), name, of.data[place], solution, hint, mistakes)


def sign_at(of: Graph, beat: Beat) -> Problem:
    """The sign of what a moment computes."""
    place, ways = beat.vertex, [beat.edge] if beat.edge else list(of.ways[beat.vertex])
    if beat.phase == "forward":
        truth = of.data[place]
        why = text("{name} is {number}.", name=_name(of, place), number=_n(truth))
        asked, factor = text("the number of {name}", name=_name(of, place)), "operation"
    else:
        truth = of.back(beat.edge) if beat.edge else of.grad[place]
        asked, why = _wanted(of, place, beat.edge), _signs(of, ways) if ways else _start(of, place)
        factor = _factor(of, ways)
    right = SIGNS[int(np.sign(truth)) + 1]
    slips = {each: (factor, why) for each in SIGNS if each != right}
    prompt, told = text("Which sign has {asked}?", asked=asked), text("{why} So {sign}.", why=why, sign=text(right))
    return Problem(prompt, _name(of, place), right, told, why, options=SIGNS, slips=slips)


_TOLD: dict[str, Words] = {
    UP: "{why} A little more of {name} makes {output} smaller.",
    DOWN: "{why} A little more of {name} makes {output} larger, a little less makes it smaller.",
    STAY: "{why} So a little of {name} changes nothing, either way.",
}


def way_problem(of: Graph, place: int) -> Problem:
    """Which way an input must move, a little, for the output to get smaller."""
    grad, name, output = of.grad[place], _name(of, place), _name(of, of.output)
    truth = DOWN if grad > 0 else UP if grad < 0 else STAY
    why = _signs(of, of.ways[place]) if of.ways[place] else _start(of, place)
    told = text(_TOLD[truth], why=why, name=name, output=output)
    slips = {each: (_factor(of, of.ways[place]) if grad else "local slope", why) for each in (UP, DOWN, STAY)}
    slips.pop(truth)
    prompt = text("{output} is to get smaller. Which way should {name} go, a little?", output=output, name=name)
    return Problem(prompt, of.vertices[place].name, truth, told, why, options=(UP, DOWN, STAY), slips=slips)


def problem_at(of: Graph, beat: Beat, number: bool) -> Problem | None:
    """What is asked at a moment of a walk; None where there is no finite number."""
    truth = of.data[beat.vertex] if beat.phase == "forward" else of.grad[beat.vertex]
    if not np.isfinite([truth, *(of.back(each) for each in of.ways[beat.vertex])]).all():
        return None
    if not number:
        return sign_at(of, beat)
    return number_at(of, beat.vertex) if beat.phase == "forward" else gradient_at(of, beat.vertex, beat.edge)


_HINTS: tuple[Words, ...] = (
    "Over every edge: what comes in, times the local slope.",
    "Over every edge: what comes in, times the local slope. Then add them.",
)
_FORWARD: Words = "That is the number that went forwards; asked is how the output changes with it."


def _slips_of_ways(of: Graph, ways: Sequence[Edge]) -> list[Slip]:
    comes, slopes = [of.grad[each.target] for each in ways], [of.slopes[each] for each in ways]
    if len(ways) == 1:
        (into,) = ways
        own = of.data[into.source]
        by_slope: Words = "That is what comes in. Multiply by the local slope, {slope}."
        by_what_comes: Words = "That is the local slope. Multiply by what comes in, {comes}."
        own_number: Words = "Its own number is not the slope: how does the result go with it?"
        return [
            Slip(comes[0], "local slope", text(by_slope, slope=_n(slopes[0]))),
            Slip(slopes[0], "what comes in", text(by_what_comes, comes=_n(comes[0]))),
            Slip(comes[0] * own, "local slope", text(own_number)),
        ]
    all_ways: Words = "That is what comes in over all ways. Multiply each by its local slope first."
    slips = [
        Slip(sum(comes), "local slope", text(all_ways)),
        Slip(sum(slopes), "what comes in", text("Those are the local slopes. Multiply each by what comes in.")),
    ]
    for each in ways:
        alone = "That is the way over {name} alone. It went {count} ways: their gradients add."
        said = text(alone, name=_name(of, each.target), count=len(ways))
        slips.append(Slip(of.back(each), "adding", said))
    return slips


def _factor(of: Graph, ways: Sequence[Edge]) -> str:
    """By which factor a sign goes that is easily missed: the negative one of two."""
    if len(ways) != 1:
        return "adding" if ways else "start"
    comes, slope = of.grad[ways[0].target], of.slopes[ways[0]]
    return "local slope" if slope <= 0 < comes else "what comes in" if comes <= 0 < slope else "sign"


def _signs(of: Graph, ways: Sequence[Edge]) -> str:
    if len(ways) == 1:
        (way,) = ways
        comes, slope = of.grad[way.target], of.slopes[way]
        told: Words = "What comes in is {comes}, the local slope {slope}: their product is {back}."
        return text(told, comes=_n(comes), slope=_n(slope), back=_n(of.back(way)))
    each, total = text(" and ").join(_n(of.back(way)) for way in ways), sum(of.back(way) for way in ways)
    return text("What comes back is {each}, together {total}.", each=each, total=_n(total))


def _start(of: Graph, place: int) -> str:
    if place == of.output:
        return text("The output changes with itself one for one: 1.")
    return text("Nothing of {output} depends on it: 0.", output=_name(of, of.output))


def _wanted(of: Graph, place: int, over: Edge | None) -> str:
    name = _name(of, place)
    if over:
        return text("what comes back to {name} over {target}", name=name, target=_name(of, over.target))
    return text("the gradient of {name}, ∂{output}/∂{name}", name=name, output=_name(of, of.output))


def _name(of: Graph, place: int) -> str:
    return plain_name(of.vertices[place].name)


def _n(value: float) -> str:
    return unsigned(value, 4)
