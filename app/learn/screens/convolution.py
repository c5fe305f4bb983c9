"""What the lesson on convolution asks on each screen, and what its text and pictures show beside."""

from typing import Any

import numpy as np

from app.learn import windows
from app.learn.homework import Sought, problem_of
from app.learn.judging import Problem
from app.learn.listings import run_listing
from app.learn.posing import choice_problem, number_problem
from app.learn.screens.code import line_of
from app.learn.visit import Screen, Values, Visit
from app.learn.windows import Place, Seen
from app.words.numbers import fixed, fixed_signed

ASKED: Place = (2, 2)  # the place asked about, from 0
WEIGHT: Place = (1, 2)
PIXEL: Place = (1, 1)


def places_of(side: int) -> list[str]:
    """Row and column of every cell of a square, as a slider says them."""
    return [f"{i + 1}/{j + 1}" for i, j in np.ndindex(side, side)]


def _cell(place: int, side: int) -> Place:
    return divmod(place, side)


def laid_over_every_place(at: Visit, head: Any) -> Values:
    """Laid over every place"""
    seen = windows.convolution(head)
    place = at.place("place", "the filter lies at (row/column)", places_of(3))
    below, W, b = seen.x[2:5, 2:5], seen.filter, float(head.b)
    truth = float(seen.out[ASKED])
    at.ask(
        "out",
        number_problem(
            "the filter lies at row 3, column 3, over the last nine pixels. What does it give?",
            truth,
            f"The nine products add up to {fixed_signed(truth - b, 1)}, and with the bias {fixed_signed(b, 1)} that is "
            f"{fixed_signed(truth, 1)}.",
            "Multiply what lies over each other; the four pixels that are 0 give nothing.",
            {
                "bias": (truth - b, "The products are right. The bias is missing."),
                "turned": (float((below * W[::-1, ::-1]).sum()) + b, "The filter lies on it as it is; do not turn it."),
                "rows": (float((below * W.T).sum()) + b, "Rows and columns of the filter have changed places."),
            },
        ),
    )
    pixels, places = seen.x.size, seen.out.size
    at.ask(
        "count",
        number_problem(
            f"the filter has {W.size} weights. How many would a dense layer have, from the same {pixels} pixels to "
            f"{places} units?",
            pixels * places,
            f"{pixels} × {places} = {pixels * places}. And what it learned at one place it would not know at another.",
            "Every unit has a weight for every pixel.",
            {
                "filter": (W.size * places, "That would be nine weights a unit. A dense unit looks at every pixel."),
                "units": (pixels, "That is one unit."),
                "sum": (pixels + places, "Each pixel leads to each unit: multiply."),
            },
            0.5,
        ),
    )
    where = _cell(place, 3)
    return {"seen": seen, "place": where, "known": place + 1, "given": float(seen.out[where]), "b": b}


def the_sum_over_the_places(at: Visit, head: Any) -> Values:
    """The sum over the places"""
    seen = windows.convolution(head)
    weight = _cell(at.place("weight", "the weight (row/column)", places_of(3)), 3)
    gradient = seen.gradients()["dW"][0, 0]
    terms = windows.of_weight(seen, WEIGHT)
    told = [t for t in terms if t.product]
    sum_ = " + ".join(f"{fixed(t.one, 0)} × ({fixed_signed(t.other, 1)})" for t in told)
    at.ask(
        "weight",
        problem_of(
            "conv2d",
            seen.case,
            Sought(
                "dW",
                (0, 0, *WEIGHT),
                f"what is the gradient of the weight in row {WEIGHT[0] + 1}, column {WEIGHT[1] + 1}?",
                f"Where a pixel is not 0: {sum_} = {fixed_signed(gradient[WEIGHT], 1)}.",
                "The window of pixels that it met begins at its own row and column; δ times pixel, added up.",
            ),
        ),
    )
    truth, other = ("up", "down") if gradient[WEIGHT] < 0 else ("down", "up")
    way = at.ask(
        "way",
        choice_problem(
            "which way does the next step move that weight?",
            truth,
            f"Against its slope, {fixed_signed(gradient[WEIGHT], 1)}.",
            {other: "Against the slope: what is the sign of the sum?"},
        ),
    )
    at.ask("bias", _bias_problem(seen))
    moves = {"up": 0.1, "down": -0.1}
    moved = seen.moved("W", WEIGHT, moves[way.answer]) if way.answer in moves else None
    shown = {"terms": windows.of_weight(seen, weight), "total": float(gradient[weight])}
    return {"seen": seen, "weight": weight, "way": way, "moved": moved, "nudged": seen.nudged("W", weight), **shown}


def _bias_problem(seen: Seen) -> Problem:
    db = float(seen.gradients()["db"][0])
    return number_problem(
        "the bias is added at every place. From the map of δ: what is its gradient?",
        db,
        f"All δ added up: {fixed_signed(db, 1)}.",
        "What it is multiplied by is 1, at each of the nine places.",
        {
            "mean": (db / seen.delta.size, "That is their mean. It is used at every place: add up."),
            "place": (float(seen.delta[-1, -1]), "That is the last place alone, as with = in place of +=."),
            "squares": (2 * seen.loss, "Those are the squares. δ itself comes back."),
        },
    )


def _pixel_problem(seen: Seen) -> Problem:
    products = [f"({fixed_signed(t.one, 1)}) × ({fixed_signed(t.other, 1)})" for t in windows.of_pixel(seen, PIXEL)]
    asked = Sought(
        "dx",
        (0, 0, *PIXEL),
        f"what comes back to the pixel in row {PIXEL[0] + 1}, column {PIXEL[1] + 1}?",
        f"Four places looked at it: {' + '.join(products)} = {fixed_signed(float(seen.back[PIXEL]), 2)}.",
        "Which four places have it in their window, and which weight lay over it there?",
    )
    return problem_of("conv2d", seen.case, asked)


def back_to_the_pixels(at: Visit, head: Any) -> Values:
    """Back to the pixels"""
    seen = windows.convolution(head)
    pixel = _cell(at.place("pixel", "the pixel (row/column)", places_of(5), 12), 5)
    at.ask("pixel", _pixel_problem(seen))
    W, delta = seen.filter, seen.delta
    at.ask(
        "turned",
        choice_problem(
            "the place at row 1, column 1 and the pixel at row 3, column 3: through which weight did it look?",
            "the last one, row 3, column 3",
            f"Its window begins at row 1 and ends at row 3. The share that it hands back is "
            f"{fixed_signed(delta[0, 0], 1)} × ({fixed_signed(W[2, 2], 1)}).",
            {
                "the first one, row 1, column 1": "That lay over the pixel at row 1, column 1.",
                "the middle one, row 2, column 2": "That lay over the pixel at row 2, column 2.",
            },
        ),
    )
    terms = windows.of_pixel(seen, pixel)
    first, last = terms[0].place, terms[-1].place
    lies = (2 - pixel[0] + first[0], 2 - pixel[1] + first[1])
    shown = {"terms": terms, "total": float(seen.back[pixel]), "nudged": seen.nudged("x", pixel)}
    region = (last[0] - first[0] + 1, last[1] - first[1] + 1)
    return {"seen": seen, "pixel": pixel, "first": first, "lies": lies, "region": region, **shown}


def the_same_in_code(at: Visit, head: Any) -> Values:
    """The same in code"""
    seen, made = windows.convolution(head), run_listing("conv.py")
    right = seen.gradients()
    db, last = float(right["db"][0]), float(seen.delta[2, 2] * seen.x[2, 2])
    at.ask(
        "single",
        choice_problem(
            "somebody writes dW = … in the loop, in place of dW += … . What is in dW at the end?",
            "the last place's share",
            f"Each place writes over the one before. The first weight's gradient is then {fixed_signed(last, 1)} in "
            f"place of {fixed_signed(float(right['dW'][0, 0, 0, 0]), 1)}.",
            {"the first place's share": "Each place writes over the one before.", "the sum": "That takes +=."},
        ),
    )
    checked = [(f"dW[{i}, {j}]", float(made["dW"][i, j]), float(right["dW"][0, 0, i, j])) for i, j in ((0, 0), WEIGHT)]
    checked.append(("dx[1, 1]", float(made["dx"][PIXEL]), float(right["dx"][(0, 0, *PIXEL)])))
    return {"line": line_of(at, "conv.py"), "checked": [*checked, ("db", float(made["db"]), db)]}


SCREENS: tuple[Screen, ...] = (
    laid_over_every_place,
    the_sum_over_the_places,
    back_to_the_pixels,
    the_same_in_code,
)
