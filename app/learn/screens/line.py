"""What the lesson “A line: y = mx + b” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.posing import better_problem, choice_problem, number_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed, fixed_signed


def two_numbers_make_a_line(at: Visit, head: Any) -> Values:
    """Two numbers make a line"""
    M, B = head.M, head.B
    m = at.number("m", "slope m", 0.5, -3, 3, 0.05)
    b = at.number("b", "intercept b", 0, -3, 3, 0.05)
    point = at.facts(
        {
            "dataset": "custom",
            "data": {"x": [[2]], "y": [[1]], "task": "regression"},
            "hidden": [],
            "test_share": 0,
            "batch_size": 1,
            "parameters": [{"W": [[0.5]], "b": [-0.3]}],
        }
    )
    answer = point["a1.1"]
    at.ask(
        "answer",
        number_problem(
            f"with m = {fixed(point[M], 1)} and b = {fixed(point[B], 1)}, what does the line answer at x = 2?",
            answer,
            f"{fixed(point[M], 1)} × 2 − {fixed(-point[B], 1)} = {fixed_signed(answer)}.",
            "Multiply first, then add b.",
            {
                "b": (answer - point[B], "That is m times x. Add b."),
                "x": (point[M] + point[B], "Multiply m by x = 2 first."),
                "sign of b": (point[M] * 2 - point[B], "b is negative: it lowers the line."),
            },
        ),
    )
    return {"m": m, "b": b}


def steer_by_the_loss_alone(at: Visit, head: Any) -> Values:
    """Steer by the loss alone"""
    run, M, B = head.run, head.M, head.B
    m = at.number("m", "slope m", run[M], -3, 3, 0.05)
    b = at.number("b", "intercept b", run[B], -3, 3, 0.05)
    now = run.with_values({M: m, B: b})
    higher = now.with_values({B: b + 0.5})
    raised = at.ask(
        "raise",
        better_problem(
            "you raise b by 0.5 from where the line stands now. Does the loss get better or worse?",
            now.loss,
            higher.loss,
        ),
        [m, b],
    )
    return {"now": now, "higher": higher if raised.answer else None}


def the_best_line_is_not_perfect(at: Visit, head: Any) -> Values:
    """The best line is not perfect"""
    run, M = head.run, head.M
    best = run.after(400)
    push_m = at.number("dm", "change m by", 0, -0.5, 0.5, 0.05)
    push_b = at.number("db", "change b by", 0, -0.5, 0.5, 0.05)
    steeper = best.with_values({M: best[M] + 0.1})
    turned = at.ask(
        "steeper",
        better_problem("from the best line, m goes up by 0.1. What does the loss do?", best.loss, steeper.loss),
    )
    mean, _ = pieces.mean_residual(best)
    at.ask(
        "mean",
        choice_problem(
            "what is the mean of the residuals of the best line?",
            "zero",
            "It is zero: were the points above the line on the whole, raising b would help.",
            {
                "positive": "Then lowering b would make the loss better, and this would not be the best line.",
                "negative": "Then raising b would make the loss better, and this would not be the best line.",
            }
            if abs(mean) < 1e-6
            else {},
        ),
    )
    return {"best": best, "push_m": push_m, "push_b": push_b, "steeper": steeper if turned.answer else None}


SCREENS: tuple[Screen, ...] = (
    two_numbers_make_a_line,
    steer_by_the_loss_alone,
    the_best_line_is_not_perfect,
)
