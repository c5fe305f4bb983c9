"""What the lesson “A neuron” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.lessons import number_of
from app.learn.posing import choice_problem, largest_problem, number_problem
from app.learn.problems import direction_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed, fixed_signed


def weigh_add_up_fire(at: Visit, head: Any) -> Values:
    """Weigh, add up, fire"""
    KINDS, spec, run = head.KINDS, head.spec, head.run
    kind = at.choice("kind", "activation", KINDS, "threshold")
    x1 = at.number("x1", "input x₁", 1, -2, 2, 0.1)
    x2 = at.number("x2", "input x₂", 0.5, -2, 2, 0.1)
    fires = at.facts(
        {**spec, "output_activation": "threshold", "data": {"x": [[0.5, 1]], "y": [[1]], "task": "regression"}}
    )
    at.ask(
        "fires",
        choice_problem(
            "the inputs are 0.5 and 1. Does the threshold unit fire?",
            "fires" if fires["a1.1"] > 0 else "does not fire",
            f"z = {fixed_signed(fires['z1.1'])}, so a = {fixed(fires['a1.1'], 0)}.",
            {
                "does not fire" if fires["a1.1"] > 0 else "fires": (
                    f"Add it up: {fixed(run['W1.1.1'], 1)} × 0.5, then {fixed(run['W1.1.2'], 1)} × 1, then the "
                    f"bias {fixed(run['b1.1'], 1)}. Is that above 0?"
                )
            },
        ),
    )
    return {"kind": kind, "x1": x1, "x2": x2}


def three_ways_to_answer(at: Visit, head: Any) -> Values:
    """Three ways to answer"""
    z = at.number("z", "sum z", 0.4, -5, 5, 0.1)
    steep = {
        "z = −4": pieces.activation_at("sigmoid", -4)[1],
        "z = 0": pieces.activation_at("sigmoid", 0)[1],
        "z = 4": pieces.activation_at("sigmoid", 4)[1],
    }
    at.ask("steepest", largest_problem("where is the slope of the sigmoid largest?", steep, "slope"))
    a = pieces.activation_at("sigmoid", 0)[0]
    at.ask(
        "slope",
        number_problem(
            f"the slope of the sigmoid is a × (1 − a). How large is it at z = 0, where a = {fixed(a, 1)}?",
            pieces.activation_at("sigmoid", 0)[1],
            f"0.5 × 0.5 = {fixed(pieces.activation_at('sigmoid', 0)[1], 2)}, and nowhere is it larger. "
            f"Lesson {number_of('deeper')} is about what follows from that.",
            "Put a into a × (1 − a).",
            {"activation": (a, "That is a itself."), "z": (0, "It takes a, not z.")},
        ),
    )
    return {"z": z, "a": a}


def why_times_the_slope(at: Visit, head: Any) -> Values:
    """Why times the slope?"""
    KINDS, run = head.KINDS, head.run
    kind = at.choice("kind", "activation", KINDS, "sigmoid")
    b = at.number("b", "bias b", -0.3, -4, 4, 0.1)
    nudge = at.number("nudge", "nudge of z", 0.5, -1, 1, 0.1)
    da, slope = run["da1.1"], run["slope1.1"]
    at.ask(
        "message",
        number_problem(
            f"the loss changes by {fixed_signed(da, 2)} for every 1 that a rises, and a by {fixed(slope, 2)} for every "
            "1 that z rises. By how much does the loss change for every 1 that z rises?",
            da * slope,
            f"{fixed_signed(da, 2)} × {fixed(slope, 2)} = {fixed_signed(da * slope, 3)}. The loss hears of z through a "
            "alone, so the two rates multiply. That product is δ.",
            "First how much a rises, then what that does to the loss.",
            {
                "slope": (da, "That is for every 1 that a rises. But a rises by less than z."),
                "∂L/∂a": (slope, "That is how much a rises. And what does that do to the loss?"),
                "sum": (da + slope, "Rates along a chain multiply."),
                "quotient": (da / slope, "Multiply: a rises by a part of what z rises."),
            },
        ),
    )
    return {"kind": kind, "b": b, "nudge": nudge}


def a_flat_slope_cannot_learn(at: Visit, head: Any) -> Values:
    """A flat slope cannot learn"""
    KINDS, spec, run = head.KINDS, head.spec, head.run
    kind = at.choice("kind", "activation", KINDS, "sigmoid")
    b = at.number("b", "bias b", -0.3, -9, 9, 0.1)
    hard = at.facts({**spec, "output_activation": "threshold"}).with_values({"b1.1": -1.0})
    flat = at.ask("hard", direction_problem(hard, "W1.1.1", "w₁ of a threshold unit that says 0 where 1 is right"))
    soft = run.with_values({"b1.1": -1.0})
    steep = at.ask(
        "soft",
        direction_problem(soft, "W1.1.1", f"w₁ of a sigmoid unit that says {fixed(soft['a1.1'], 2)} where 1 is right"),
    )
    moved = [
        (before, pieces.acted(before, {"W1.1.1": task.answer}, 0.1) if task.answer else None)
        for before, task in ((hard, flat), (soft, steep))
    ]
    return {"kind": kind, "b": b, "moved": moved}


SCREENS: tuple[Screen, ...] = (
    weigh_add_up_fire,
    three_ways_to_answer,
    why_times_the_slope,
    a_flat_slope_cannot_learn,
)
