"""What the lesson “A circuit of numbers” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import circuits, pieces
from app.learn.graph_problems import gradient_at, way_problem
from app.learn.posing import better_problem, number_problem
from app.learn.problems import direction_problem
from app.learn.visit import Screen, Task, Values, Visit
from app.words.numbers import fixed_signed, given
from engine import Graph

FAR = 0.1  # that an input moves when an answer is tried


def numbers_go_in(at: Visit, head: Any) -> Values:
    """Numbers go in"""
    x, y = (at.number(name, name, value, -6, 6, 0.5) for name, value in (("x", -2), ("y", 5)))
    z = at.number("z", "z", -4, -6, 6, 0.5)
    of = circuits.circuit(circuits.SUM_TIMES, {"x": x, "y": y, "z": z})
    higher = circuits.moved(of, "x", 1)
    before, after = circuits.output(of), circuits.output(higher)
    rises = at.ask(
        "rises",
        number_problem(
            "x rises by 1, y and z stay. By how much does f change?",
            after - before,
            f"q rises by 1, too, and f = q · z by z times as much: from {given(before)} to {given(after)}.",
            "What does q do when x rises by 1? And what does f do then?",
            {
                "local slope": (1, "By that much q changes. Then q is multiplied by z."),
                "sign": (-(after - before), "The size is right, the sign is not: z has a sign, too."),
                "forward value": (after, "That is what f then is. By how much has it changed?"),
            },
        ),
        (x, y, z),
    )
    return {"of": higher if rises.answer else of, "before": of, "rises": rises}


def why_slopes_multiply(at: Visit, head: Any) -> Values:
    """Why slopes multiply"""
    of = circuits.circuit(circuits.SUM_TIMES, {"x": -2, "y": 5, "z": -4})
    at.ask("gradient", gradient_at(of, of.place_of("z")))
    way = at.ask("way", way_problem(of, of.place_of("y")))
    return {"of": of, "begin": len(of.operations), "after": tried(of, "y", way)}


def pass_on_switch_choose(at: Visit, head: Any) -> Values:
    """Pass on, switch, choose"""
    z = at.number("z", "z", 2, -3, 3, 0.5)
    w = at.number("w", "w", -1, -3, 3, 0.5)
    of = circuits.circuit(circuits.CHOICE, {"x": 3, "y": -4, "z": z, "w": w})
    first = circuits.circuit(circuits.CHOICE, {"x": 3, "y": -4, "z": 2, "w": -1})
    way = at.ask("way", way_problem(first, of.place_of("w")))
    gradient = at.ask("gradient", gradient_at(first, of.place_of("x")))
    told = of is not first or (way.revealed and gradient.revealed)
    return {"of": of, "first": first, "after": tried(first, "w", way), "told": told}


def where_two_ways_meet(at: Visit, head: Any) -> Values:
    """Where two ways meet, they add"""
    a = at.number("a", "a", 1, -3, 3, 0.5)
    b = at.number("b", "b", -3, -3, 3, 0.5)
    of = circuits.circuit(circuits.TWICE, {"a": a, "b": b})
    place = of.place_of("a")
    adds = at.ask("adds", gradient_at(of, place), (a, b))
    first = circuits.circuit(circuits.TWICE, {"a": 1, "b": -3})
    last = first.back(first.ways[place][-1])
    lost = circuits.moved(first, "a", -FAR * last)
    worse = at.ask(
        "lost",
        better_problem(
            f"at a = 1 and b = −3 a program writes = where += belongs, and keeps the last way alone, "
            f"{fixed_signed(last, 0)}. It takes a step of a tenth against that, to lower f. Is f then better (lower) "
            "or worse?",
            circuits.output(first),
            circuits.output(lost),
            "Both ways together have another sign than the last one.",
        ),
    )
    nudged = [circuits.output(circuits.moved(of, "a", by)) for by in (0.001, -0.001)]
    return {"of": of, "adds": adds, "slope": (nudged[0] - nudged[1]) / 0.002, "worse": worse, "lost": lost}


def a_network_is_a_circuit(at: Visit, head: Any) -> Values:
    """A network is a circuit"""
    steps = int(at.number("steps", "steps taken", 0, 0, 12, 1))
    run = head.run
    way = at.ask("way", direction_problem(run, "W1.1.1", "the weight W₁,₁,₁"))
    moved = pieces.acted(run, {"W1.1.1": way.answer}, FAR) if way.answer else None
    of = circuits.of_run(run)
    delta = at.ask("delta", gradient_at(of, of.place_of("z1_1")))
    return {"now": run.after(steps), "moved": moved, "told": delta.revealed or steps > 0}


def tried(of: Graph, name: str, way: Task) -> Graph | None:
    """The circuit with an input moved as was answered; None before an answer."""
    return circuits.moved(of, name, pieces.WAYS.get(way.answer, 0.0) * FAR) if way.answer else None


SCREENS: tuple[Screen, ...] = (
    numbers_go_in,
    why_slopes_multiply,
    pass_on_switch_choose,
    where_two_ways_meet,
    a_network_is_a_circuit,
)
