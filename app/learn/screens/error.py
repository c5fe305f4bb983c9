"""What the lesson “Error” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.posing import choice_problem, number_problem
from app.learn.problems import direction_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed, fixed_signed


def how_far_off(at: Visit, head: Any) -> Values:
    """How far off?"""
    run, y = head.run, head.y
    guess = at.number("guess", "the model says ŷ =", run["a1.1"], -1, 3, 0.1)
    low = run.with_values({"W1.1.1": 0.4})
    at.ask(
        "residual",
        number_problem(
            "the model says 0.4 where 1 is right. What is the residual ŷ − y?",
            low["a1.1"] - y,
            f"0.4 − 1 = {fixed_signed(low['a1.1'] - y)}: too little, so it is negative.",
            "Take the answer first, then subtract the truth.",
            {
                "sign": (
                    y - low["a1.1"],
                    "The size is right. The residual is the answer minus the truth, in this order.",
                )
            },
        ),
    )
    return {"guess": guess}


def why_square_it(at: Visit, head: Any) -> Values:
    """Why square it?"""
    two, run = head.two, head.run
    both = at.facts(two)
    r = both.residuals.ravel()
    mean = at.ask(
        "mean",
        number_problem(
            "what is the mean of the two residuals?",
            r.mean(),
            f"{fixed_signed(r[0], 0)} and {fixed_signed(r[1], 0)} cancel: the mean is {fixed(r.mean(), 0)}"
            ", and yet both answers are wrong.",
            "Add the two residuals, with their signs, and halve.",
            {
                "sign": (
                    abs(r).mean(),
                    "That is the mean of their sizes. With their signs, one is positive and one negative.",
                )
            },
            0.001,
        ),
    )
    once, twice = run.loss, run.with_values({"W1.1.1": 3}).loss
    at.ask(
        "twice",
        choice_problem(
            "the model is off by 2 instead of 1. How many times as large is the loss?",
            f"{fixed(twice / once, 0)} times",
            f"It goes from {fixed(once, 2)} to {fixed(twice, 2)}: {fixed(twice / once, 0)} times.",
            {
                "2 times": "The residual doubles. The loss is its square.",
                "8 times": "That would be a cube; the residual is squared.",
                "the same": "A larger miss costs more.",
            },
        ),
    )
    return {"both": both, "r": r, "mean": mean}


def a_valley_with_a_slope(at: Visit, head: Any) -> Values:
    """A valley with a slope"""
    run = head.run
    guess = at.number("guess", "ŷ", run["a1.1"], -1, 3, 0.05)
    left = run.with_values({"W1.1.1": 0.3})
    way = at.ask("way", direction_problem(left, "W1.1.1", "ŷ from 0.3", "The slope there, 0.3 − 1,"))
    moved = pieces.acted(left.with_rate(0.5), {"W1.1.1": way.answer}) if way.answer else None
    return {"guess": guess, "left": left, "moved": moved}


SCREENS: tuple[Screen, ...] = (
    how_far_off,
    why_square_it,
    a_valley_with_a_slope,
)
