"""What the lesson “Nudge and see” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.posing import better_problem, nearest_problem, number_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed_signed


def a_small_step_and_look(at: Visit, head: Any) -> Values:
    """A small step, and look"""
    M, run = head.M, head.run
    h = float(
        at.choice(
            "h", "size of a nudge", [("0.001", "0.001"), ("0.01", "0.01"), ("0.1", "0.1"), ("0.5", "0.5")], "0.001"
        )
    )
    up = run.with_values({M: run[M] + 0.1})
    first = at.ask(
        "first",
        better_problem(
            f"at the start m is {fixed_signed(run[M], 1)}, and the line falls where the points rise. You "
            "add 0.1 to m. What does the loss do?",
            run.loss,
            up.loss,
        ),
    )
    return {"h": h, "up": up if first.answer else None}


def how_small_is_small(at: Visit, head: Any) -> Values:
    """How small is small?"""
    run, M = head.run, head.M
    nudges = [1, 0.1, 0.001, 1e-5, 1e-13]
    rows = pieces.nudges(run, M, nudges)
    names = {1: "1", 0.1: "0.1", 0.001: "0.001", 1e-5: "0.00001", 1e-13: "10⁻¹³"}
    task = at.ask(
        "nearest", nearest_problem("which of these nudges of m comes nearest to the true slope?", rows, names)
    )
    return {"rows": rows, "names": names, "task": task}


def let_a_machine_do_the_nudging(at: Visit, head: Any) -> Values:
    """Let a machine do the nudging"""
    digits = head.digits
    size = at.facts(digits).state.spec.network.size
    at.ask(
        "count",
        number_problem(
            "how many numbers would have to be nudged, each with a run of its own?",
            size,
            f"256 × 16 + 16 + 16 × 10 + 10 = {size}. Backpropagation finds all their slopes in one pass "
            "forward and one back.",
            "Links between each two layers, and one bias a unit.",
            {
                "biases": (size - 26, "These are the weights. Each of the 16 + 10 units has a bias too."),
                "second layer": (256 * 16 + 16, "That is the first layer. The 10 outputs have weights and biases too."),
                "first layer": (16 * 10 + 10, "That is the second layer alone."),
            },
            0.5,
        ),
    )
    return {}


SCREENS: tuple[Screen, ...] = (
    a_small_step_and_look,
    how_small_is_small,
    let_a_machine_do_the_nudging,
)
