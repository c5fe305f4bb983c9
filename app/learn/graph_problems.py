"""Questions about a formula's graph: a node's number, its gradient, or the sign of either. A wrong answer is told by
its known slip: what comes in, the local slope, a way that was not added, the number that went forwards, the sign.
"""

from collections.abc import Sequence

import numpy as np

from app.learn.judging import Problem, Slip, numeric
from app.learn.problems import DOWN, STAY, UP
from app.words.graph import plain_name
from app.words.numbers import unsigned
from engine import Graph
from engine.graph import Beat, Edge
from engine.primitives import PRIMITIVES

NEGATIVE, ZERO, POSITIVE = SIGNS = ("negative", "zero", "positive")


def gradient_at(of: Graph, place: int, over: Edge | None = None) -> Problem:
    """The gradient of a node, or what comes back to it over one edge."""
    truth = of.back(over) if over else of.grad[place]
    ways = [over] if over else list(of.ways[place])
    quantity, wanted = of.vertices[place].name, _wanted(of, place, over)
    mistakes = [*_slips_of_ways(of, ways), Slip(of.data[place], "forward value", _FORWARD)]
    mistakes += [Slip(-truth, "sign", f"The size is right, the sign is not. {_signs(of, ways)}")]
    if not ways:
        return numeric(
            f"What is {wanted}?", quantity, truth, _start(of, place), _start(of, place), mistakes, 1e-3, 1e-4
        )
    told = " + ".join(f"{_n(of.grad[each.target])} × {_n(of.slopes[each])}" for each in ways)
    solution = f"What comes in times the local slope: {told} = {_n(truth)}."
    hint = "Over every edge: what comes in, times the local slope." + " Then add them." * (len(ways) > 1)
    return numeric(f"What is {wanted}?", quantity, truth, solution, hint, mistakes)


def number_at(of: Graph, place: int) -> Problem:
    """The number that a node computes."""
    vertex, name = of.vertices[place], _name(of, place)
    into = [of.data[n] for n in vertex.sources if n is not None]
    mistakes = [
        *(Slip(each, "operation", f"That goes in; {PRIMITIVES[vertex.kind].sign} still has to act.") for each in into),
        Slip(float(np.sum(into)), "operation", f"Here it is {PRIMITIVES[vertex.kind].sign}, not +."),
        Slip(float(np.prod(into)), "operation", f"Here it is {PRIMITIVES[vertex.kind].sign}, not ×."),
        Slip(-of.data[place], "sign", "The size is right, the sign is not."),
    ]
    solution = f"{name} = {_n(of.data[place])}."
    hint = f"Put the numbers into {name} = {of.code(of.forward(place).tree)}."
    return numeric(f"What number does {name} compute?", name, of.data[place], solution, hint, mistakes)


def sign_at(of: Graph, beat: Beat) -> Problem:
    """The sign of what a moment computes."""
    place, ways = beat.vertex, [beat.edge] if beat.edge else list(of.ways[beat.vertex])
    if beat.phase == "forward":
        truth, why = of.data[place], f"{_name(of, place)} is {_n(of.data[place])}."
        asked, factor = f"the number of {_name(of, place)}", "operation"
    else:
        truth = of.back(beat.edge) if beat.edge else of.grad[place]
        asked, why = _wanted(of, place, beat.edge), _signs(of, ways) if ways else _start(of, place)
        factor = _factor(of, ways)
    right = SIGNS[int(np.sign(truth)) + 1]
    slips = {each: (factor, why) for each in SIGNS if each != right}
    return Problem(
        f"Which sign has {asked}?", _name(of, place), right, f"{why} So {right}.", why, options=SIGNS, slips=slips
    )


def way_problem(of: Graph, place: int) -> Problem:
    """Which way an input must move, a little, for the output to get smaller."""
    grad, name, output = of.grad[place], _name(of, place), _name(of, of.output)
    truth = DOWN if grad > 0 else UP if grad < 0 else STAY
    why = _signs(of, of.ways[place]) if of.ways[place] else _start(of, place)
    told = {
        UP: f"{why} A little more of {name} makes {output} smaller.",
        DOWN: f"{why} A little more of {name} makes {output} larger, a little less makes it smaller.",
        STAY: f"{why} So a little of {name} changes nothing, either way.",
    }[truth]
    slips = {each: (_factor(of, of.ways[place]) if grad else "local slope", why) for each in (UP, DOWN, STAY)}
    slips.pop(truth)
    prompt = f"{output} is to get smaller. Which way should {name} go, a little?"
    return Problem(prompt, of.vertices[place].name, truth, told, why, options=(UP, DOWN, STAY), slips=slips)


def problem_at(of: Graph, beat: Beat, number: bool) -> Problem | None:
    """What is asked at a moment of a walk; None where there is no finite number."""
    truth = of.data[beat.vertex] if beat.phase == "forward" else of.grad[beat.vertex]
    if not np.isfinite([truth, *(of.back(each) for each in of.ways[beat.vertex])]).all():
        return None
    if not number:
        return sign_at(of, beat)
    return number_at(of, beat.vertex) if beat.phase == "forward" else gradient_at(of, beat.vertex, beat.edge)


_FORWARD = "That is the number that went forwards; asked is how the output changes with it."


def _slips_of_ways(of: Graph, ways: Sequence[Edge]) -> list[Slip]:
    comes, slopes = [of.grad[each.target] for each in ways], [of.slopes[each] for each in ways]
    if len(ways) == 1:
        (into,) = ways
        own = of.data[into.source]
        return [
            Slip(comes[0], "local slope", f"That is what comes in. Multiply by the local slope, {_n(slopes[0])}."),
            Slip(slopes[0], "what comes in", f"That is the local slope. Multiply by what comes in, {_n(comes[0])}."),
            Slip(comes[0] * own, "local slope", "Its own number is not the slope: how does the result go with it?"),
        ]
    slips = [
        Slip(sum(comes), "local slope", "That is what comes in over all ways. Multiply each by its local slope first."),
        Slip(sum(slopes), "what comes in", "Those are the local slopes. Multiply each by what comes in."),
    ]
    for each in ways:
        name = _name(of, each.target)
        said = f"That is the way over {name} alone. It went {len(ways)} ways: their gradients add."
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
        return f"What comes in is {_n(comes)}, the local slope {_n(slope)}: their product is {_n(of.back(way))}."
    each = " and ".join(_n(of.back(way)) for way in ways)
    return f"What comes back is {each}, together {_n(sum(of.back(way) for way in ways))}."


def _start(of: Graph, place: int) -> str:
    if place == of.output:
        return "The output changes with itself one for one: 1."
    return f"Nothing of {_name(of, of.output)} depends on it: 0."


def _wanted(of: Graph, place: int, over: Edge | None) -> str:
    told = f"the gradient of {_name(of, place)}, ∂{_name(of, of.output)}/∂{_name(of, place)}"
    return f"what comes back to {_name(of, place)} over {_name(of, over.target)}" if over else told


def _name(of: Graph, place: int) -> str:
    return plain_name(of.vertices[place].name)


def _n(value: float) -> str:
    return unsigned(value, 4)
