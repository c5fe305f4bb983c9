"""What the lesson “256 pixels” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import digits, pieces
from app.learn.posing import choice_problem, largest_problem, number_problem
from app.learn.problems import direction_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed


def one_input_for_every_pixel(at: Visit, head: Any) -> Values:
    """One input for every pixel"""
    run = head.run
    example = int(at.number("example", "example", 3, 0, 60, 1))
    sizes = run.state.spec.network.sizes
    first = sizes[0] * sizes[1]
    at.ask(
        "weights",
        number_problem(
            "how many weights lead from the pixels into the hidden layer?",
            first,
            f"{sizes[0]} × {sizes[1]} = {first}: each unit has one for every pixel, an image of its own.",
            "Every pixel has a link to every hidden unit.",
            {
                "hidden units": (sizes[0], f"So many has each unit. There are {sizes[1]} units."),
                "outputs": (sizes[0] * sizes[2], "That would be into the outputs. The links go to the hidden units."),
            },
            0.5,
        ),
    )
    return {"example": example, "sizes": sizes}


def draw_a_digit(at: Visit, head: Any) -> Values:
    """Draw a digit"""
    run = head.run
    untrained = run.metrics["test"].accuracy * 100
    chance = at.ask(
        "chance",
        number_problem(
            "ten digits, random weights. Of a hundred digits, about how many does the network get right at step 0?",
            untrained,
            f"It gets {fixed(untrained, 1)} in a hundred. Guessing gets about 10, and random weights are "
            "a way of guessing.",
            "Ten answers, and it knows nothing.",
            {},
            8,
        ),
    )
    return {"chance": chance}


def what_the_first_layer_looks_for(at: Visit, head: Any) -> Values:
    """What the first layer looks for"""
    run = head.run
    steps = at.count("steps", 200, 800)
    now = run.after(steps)
    corner = at.ask(
        "corner", direction_problem(now, "W1.1.1", "the weight from the top left pixel, which is empty in every digit")
    )
    moved = pieces.acted(now, {"W1.1.1": corner.answer}, 0.1) if corner.answer else None
    return {"steps": steps, "now": now, "moved": moved}


def what_one_example_wants(at: Visit, head: Any) -> Values:
    """What one example wants"""
    run = head.run
    steps = at.count("steps", 50, 800)
    example = int(at.number("example", "example", 5, 0, 60, 1))
    one = run.after(steps).on(example)
    wants = digits.output_wishes(one)
    truth = digits.label(run, example)
    wish = at.ask(
        "wish",
        largest_problem(f"which output gets the largest δ from this {truth}, by size?", dict(wants), "δ"),
        [steps, example],
    )
    at.ask(
        "sum",
        choice_problem(
            "add up the ten δ of one example. What comes out?",
            "zero" if abs(sum(value for _, value in wants)) < 1e-6 else "not zero",
            "Zero: the shares add up to 1, and so do the targets. What one output is to gain, the others are to give.",
            {
                "positive": f"The output for {truth} is to rise, all others to fall: both signs are there.",
                "negative": f"The output for {truth} is to rise, all others to fall: both signs are there.",
            },
        ),
    )
    return {"steps": steps, "example": example, "one": one, "wants": wants, "truth": truth, "wish": wish}


SCREENS: tuple[Screen, ...] = (
    one_input_for_every_pixel,
    draw_a_digit,
    what_the_first_layer_looks_for,
    what_one_example_wants,
)
