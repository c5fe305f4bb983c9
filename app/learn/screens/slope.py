"""What the lesson “The slope knows the direction” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.posing import choice_problem
from app.learn.problems import direction_problem, new_value_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed, fixed_signed


def two_slopes_read_off_the_residuals(at: Visit, head: Any) -> Values:
    """Two slopes, read off the residuals"""
    run, M, B = head.run, head.M, head.B
    m = at.number("m", "slope m", run[M], -1, 3, 0.05)
    b = at.number("b", "intercept b", run[B], -2, 2, 0.05)
    above = run.with_values({M: 1.5, B: 1.5})
    lifted, by_x = pieces.mean_residual(above)
    at.ask(
        "lifted",
        choice_problem(
            f"another line, m = {fixed(above[M], 1)} and b = {fixed(above[B], 1)}, lies above all the "
            "points. What is the sign of its ∂L/∂b?",
            "positive" if lifted > 0 else "negative",
            f"Every residual is positive, and so is their mean: {fixed_signed(lifted, 3)}. Raising b "
            "would make it worse. Set the sliders to it and look.",
            {
                "negative": "The residual is answer minus truth. Above the points, the answers are too large.",
                "zero": "It is zero where residuals cancel, which they cannot if all have the same sign.",
            },
        ),
    )
    return {"m": m, "b": b, "by_x": by_x}


def step_against_the_slope(at: Visit, head: Any) -> Values:
    """Step against the slope"""
    run, M, B = head.run, head.M, head.B
    steps = at.count("steps", 0, 40)
    now = run.after(steps)
    way = at.ask("way", direction_problem(now, M, "m", "∂L/∂m, the mean of residual × x,"), [steps])
    way_b = at.ask("way-b", direction_problem(now, B, "b", "∂L/∂b, the mean residual,"), [steps])
    moved = pieces.acted(now, {M: way.answer, B: way_b.answer}) if way.answer or way_b.answer else None
    return {"steps": steps, "now": now, "moved": moved}


def both_at_once_a_path(at: Visit, head: Any) -> Values:
    """Both at once: a path"""
    run, M = head.run, head.M
    at.ask("new", new_value_problem(run, M, "m"))
    return {}


def what_the_article_multiplies(at: Visit, head: Any) -> Values:
    """What the article multiplies"""
    M, run = head.M, head.run
    zero = run.with_values({M: 0})
    stuck = pieces.article_walk(zero, 1)
    moved = stuck.xs[1] - stuck.xs[0]
    at.ask(
        "stuck",
        choice_problem(
            "m is exactly 0, and its slope is not. Which way does the article's product move m?",
            "stay" if moved == 0 else "up" if moved > 0 else "down",
            "A product with a zero in it is zero: m would be stuck at 0 for ever. The true rule moves it "
            f"by {fixed_signed(zero.change(M), 3)}.",
            {
                "up": "That is what the true rule does. Multiply by the coefficient, which is 0.",
                "down": "Multiply the four things: one of them is 0.",
            },
            {"up": "coefficient", "down": "coefficient"},
        ),
    )
    return {}


SCREENS: tuple[Screen, ...] = (
    two_slopes_read_off_the_residuals,
    step_against_the_slope,
    both_at_once_a_path,
    what_the_article_multiplies,
)
