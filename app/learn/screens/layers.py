"""What the lesson “One error, many layers” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.posing import choice_problem
from app.learn.problems import activation_problem, delta_problem, direction_problem, loss_problem, new_value_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed


def a_network_you_can_hold_in_your_hand(at: Visit, head: Any) -> Values:
    """A network you can hold in your hand"""
    run = head.run
    at.ask("hidden", activation_problem(run, 1, 1))
    return {}


def forward_to_one_number(at: Visit, head: Any) -> Values:
    """Forward, to one number"""
    run = head.run
    task = at.ask("loss", loss_problem(run))
    return {"task": task}


def back_through_the_outputs(at: Visit, head: Any) -> Values:
    """Back through the outputs"""
    run = head.run
    delta = at.ask("delta", delta_problem(run, 2, 1))
    if delta.revealed or at.printing:
        at.ask("new", new_value_problem(run, "W2.1.1"))
    return {"delta": delta}


def one_layer_further(at: Visit, head: Any) -> Values:
    """One layer further"""
    run = head.run
    at.ask("hidden-delta", delta_problem(run, 1, 1))
    way = at.ask("way", direction_problem(run, "W1.1.1"))
    return {"moved": pieces.acted(run, {"W1.1.1": way.answer}, 0.1) if way.answer else None}


def all_of_the_numbers(at: Visit, head: Any) -> Values:
    """All of the numbers"""
    run, spec = head.run, head.spec
    after = run.after(1)
    free = at.facts({**spec, "frozen": []}, 0).after(1)
    at.ask(
        "free",
        choice_problem(
            "the source keeps its biases fixed. Had they moved too, would the loss after one step be lower or higher?",
            "lower" if free.loss < after.loss else "higher",
            f"{fixed(free.loss, 4)} with moving biases, {fixed(after.loss, 4)} without: more numbers may go downhill.",
            {
                "higher"
                if free.loss < after.loss
                else "lower": "Each number that may move, moves downhill. Four more of them help."
            },
        ),
    )
    return {"after": after}


SCREENS: tuple[Screen, ...] = (
    a_network_you_can_hold_in_your_hand,
    forward_to_one_number,
    back_through_the_outputs,
    one_layer_further,
    all_of_the_numbers,
)
