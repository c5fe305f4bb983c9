"""What the lesson on pooling asks on each screen, and what its text and pictures show beside."""

from typing import Any

import numpy as np

from app.learn import windows
from app.learn.homework import Sought, problem_of
from app.learn.listings import run_listing
from app.learn.posing import choice_problem, number_problem
from app.learn.screens.code import line_of
from app.learn.screens.convolution import places_of
from app.learn.visit import Screen, Task, Values, Visit
from app.learn.windows import Place, Seen
from app.words.numbers import fixed, fixed_signed
from engine.homework import BACKWARD

PIXEL: Place = (1, 2)  # the winner that is asked about, from 0
LOSER: Place = (0, 0)
POOLS = (("max_pool", "the largest"), ("avg_pool", "the mean"))


def _side_by_side(at: Visit, seen: Seen) -> Values:
    """The window that the reader slides to, and every window's winner."""
    i, j = divmod(at.place("window", "the window (row/column)", places_of(2), 0), 2)
    winners = [windows.winner(seen, place, 2) for place in np.ndindex(2, 2)]
    return {"seen": seen, "window": ((2 * i, 2 * j), (i, j)), "winners": winners, "known": 2 * i + j + 1}


def _until(at: Visit, task: Task, places: list[Place]) -> list[Place]:
    """What is asked about is not told beside the question, until it is answered."""
    return [] if task.revealed or at.printing else places


def the_largest_passes(at: Visit, head: Any) -> Values:
    """The largest passes"""
    seen = windows.pool(head, "max_pool")
    shown = _side_by_side(at, seen)
    last = seen.x[2:, 2:]
    at.ask(
        "largest",
        number_problem(
            "what does the last window give, at row 2, column 2?",
            float(seen.out[1, 1]),
            f"The largest of {', '.join(fixed(each, 0) for each in last.ravel().tolist())} is "
            f"{fixed(float(seen.out[1, 1]), 0)}.",
            "The largest of its four pixels.",
            {
                "sum": (float(last.sum()), "That is their sum. Only the largest passes."),
                "mean": (float(last.mean()), "That is their mean. Only the largest passes."),
            },
        ),
    )
    loser = next(place for place in np.ndindex(2, 2) if place not in shown["winners"])
    same = abs(seen.moved("x", loser, 0.1).loss - seen.loss) < 1e-12
    truth = "nothing" if same else "it changes"
    at.ask(
        "loser",
        choice_problem(
            f"the pixel in row {loser[0] + 1}, column {loser[1] + 1} is not the largest of its window. It rises by "
            "0.1. What does that change in what the pool gives?",
            truth,
            "As long as it does not overtake the winner, nobody hears of it.",
            {
                "it rises by 0.1": "Only the largest passes. Is it the largest now?",
                "it rises by a quarter of that": "So it would be with a mean. Here only the largest passes.",
            },
        ),
    )
    return {**shown, "winners": shown["winners"][: shown["known"]]}


def only_the_winner_gets_it(at: Visit, head: Any) -> Values:
    """Only the winner gets it"""
    seen = windows.pool(head, "max_pool")
    delta = float(seen.delta[0, 1])
    task = at.ask(
        "winner",
        problem_of(
            "max_pool",
            seen.case,
            Sought(
                "dx",
                (0, 0, *PIXEL),
                f"what comes back to the pixel in row {PIXEL[0] + 1}, column {PIXEL[1] + 1}?",
                f"It is the winner of its window and gets all of its δ: {fixed_signed(delta, 1)}.",
                "Which window is it in, and is it the largest there?",
            ),
        ),
    )
    slope = float(seen.back[LOSER])
    truth = "stay" if not slope else "down" if slope > 0 else "up"
    sentence = "It did not win. What comes back to it?"
    move = at.ask(
        "move",
        choice_problem(
            f"which way should the pixel in row {LOSER[0] + 1}, column {LOSER[1] + 1} move, for a smaller loss?",
            truth,
            "It gets 0: a small move of it changes nothing.",
            {other: sentence for other in ("up", "down", "stay") if other != truth},
        ),
    )
    moves = {"up": 0.1, "down": -0.1, "stay": 0.0}
    moved = seen.moved("x", LOSER, moves[move.answer]) if move.answer in moves else None
    return {**_side_by_side(at, seen), "move": move, "moved": moved, "hidden": _until(at, task, [PIXEL])}


def all_share_it(at: Visit, head: Any) -> Values:
    """All share it"""
    kind = at.choice("pool", "what passes is", POOLS, "max_pool")
    mean = windows.pool(head, "avg_pool")
    share, delta = float(mean.back[0, 0]), float(mean.delta[0, 0])
    task = at.ask(
        "share",
        number_problem(
            f"the first window's mean is off by δ = {fixed_signed(delta, 1)}. What comes back to each of its pixels?",
            share,
            f"{fixed_signed(delta, 1)} / 4 = {fixed_signed(share, 1)}: a pixel that moves by 1 moves the mean by ¼.",
            "By how much does the mean move if one of four pixels moves by 1?",
            {
                "quarter": (delta, "So it would be with a sum. 1/N is missing."),
                "times": (delta * 4, "Each has a quarter of the mean: divide."),
                "half": (delta / 2, "There are four in a window of 2 × 2."),
            },
        ),
    )
    whole = all(
        abs(float(windows.pool(head, name).back.sum() - windows.pool(head, name).delta.sum())) < 1e-9
        for name, _ in POOLS
    )
    at.ask(
        "lost",
        choice_problem(
            "add up all that comes back to the image. Is it as much as all δ of the windows together?",
            "with both pools" if whole else "with neither",
            "The winner gets all of a δ, or four get a quarter each: nothing is lost and nothing is added.",
            {
                "with the largest alone": "Four quarters: how much is that?",
                "with the mean alone": "The winner gets all of it.",
            },
        ),
    )
    seen = windows.pool(head, kind)
    shown, first = _side_by_side(at, seen), list(np.ndindex(2, 2))
    if kind == "max_pool":
        return {**shown, "hidden": ()}
    return {**shown, "winners": [], "hidden": _until(at, task, first)}


def winner_of_several_windows(at: Visit, head: Any) -> Values:
    """Winner of several windows"""
    seen = windows.pool(head, "max_pool", 1)
    pixel = divmod(at.place("pixel", "the pixel (row/column)", places_of(4)), 4)
    wins = windows.won(seen, PIXEL)
    sum_ = " + ".join(f"({fixed_signed(float(seen.delta[place]), 1)})" for place in wins)
    task = at.ask(
        "several",
        problem_of(
            "max_pool",
            seen.case,
            Sought(
                "dx",
                (0, 0, *PIXEL),
                f"what comes back to the pixel in row {PIXEL[0] + 1}, column {PIXEL[1] + 1}, from all its windows?",
                f"It wins {len(wins)} windows: {sum_} = {fixed_signed(float(seen.back[PIXEL]), 1)}.",
                "In which windows is it the largest? It gets the δ of them all.",
            ),
        ),
    )
    own = windows.won(seen, pixel)
    shares = [
        (f"window {i + 1}/{j + 1}, which it wins", fixed_signed(float(seen.delta[i, j]), 2), "backward") for i, j in own
    ]
    total, hidden = float(seen.back[pixel]), _until(at, task, [PIXEL])
    told = {"shares": shares, "total": total, "nudged": seen.nudged("x", pixel)}
    return {"seen": seen, "pixel": pixel, "hidden": hidden, "wins": own, **told}


def the_same_in_code(at: Visit, head: Any) -> Values:
    """The same in code"""
    made, most = run_listing("pool.py"), windows.pool(head, "max_pool")
    mean = windows.pool(head, "avg_pool").case.with_upstream(most.case.g)
    shared = BACKWARD["avg_pool"].backward(mean)["dx"][0, 0]
    at.ask(
        "mistake",
        choice_problem(
            "a max pool's program gives a quarter of δ to each pixel of the window. Does a nudge of the winner notice?",
            "yes: it finds all of δ",
            f"The nudge of a winner finds {fixed_signed(most.nudged('x', PIXEL), 2)}, the program says "
            f"{fixed_signed(float(most.delta[0, 1]) / 4, 2)}.",
            {
                "no: the sum is the same": "The sum is. But a nudge moves one pixel alone.",
                "only if there are equals": "Look at a winner: what does its window give if it moves?",
            },
        ),
    )
    checked = [
        (f"to_winner[{i}, {j}]", float(made["to_winner"][i, j]), float(most.back[i, j])) for i, j in (PIXEL, LOSER)
    ]
    checked += [(f"to_all[{i}, {j}]", float(made["to_all"][i, j]), float(shared[i, j])) for i, j in (PIXEL, LOSER)]
    return {"line": line_of(at, "pool.py"), "checked": checked}


SCREENS: tuple[Screen, ...] = (
    the_largest_passes,
    only_the_winner_gets_it,
    all_share_it,
    winner_of_several_windows,
    the_same_in_code,
)
