"""What the lesson “The same process, deeper” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.posing import choice_problem, evenest_problem, number_problem
from app.learn.problems import direction_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed, fixed_signed, unsigned


def nothing_new_happens(at: Visit, head: Any) -> Values:
    """Nothing new happens"""
    run = head.run
    back = at.place("back", "the message is at layer", ["loss", "output", *range(run.layers - 1, 0, -1)])
    hidden, most = run.layers - 1, pieces.activation_at("sigmoid", 0)[1]
    at.ask(
        "slopes",
        number_problem(
            f"a sigmoid's slope is at most {fixed(most, 2)}. What share of a message do {hidden} such slopes let "
            "through, at the very most?",
            most**hidden,
            f"{' × '.join([fixed(most, 2)] * hidden)} = {fixed(most**hidden, 6)}. And the weights multiply, too: slide "
            "the message back and see what really arrives.",
            "They stand one behind the other: multiply.",
            {
                "one slope": (most, "That is one of them. The message passes all six."),
                "product": (most / hidden, "Dividing by six is not passing six of them. Multiply each time."),
                "sum": (most * hidden, "Slopes along one way multiply."),
                "share": (1 / most**hidden, "That is how many times smaller it gets. The share is one over it."),
            },
            0.00002,
        ),
    )
    return {"back": back}


def vanishing(at: Visit, head: Any) -> Values:
    """Vanishing"""
    ACTIVATIONS, spec, run = head.ACTIVATIONS, head.spec, head.run
    kind = at.choice("kind", "activation", ACTIVATIONS, "sigmoid")
    depth = int(at.number("depth", "hidden layers", 6, 1, 8, 1))
    as_tanh = pieces.delta_norms(at.facts({**spec, "activation": "tanh"}))
    as_sigmoid = pieces.delta_norms(run)
    more = as_tanh[0][1] > as_sigmoid[0][1]
    at.ask(
        "tanh",
        choice_problem(
            "the slope of tanh is up to 1, not ¼. Six hidden layers of tanh: are the first layer's "
            "δ larger or smaller than with sigmoid?",
            "larger" if more else "smaller",
            f"{unsigned(as_tanh[0][1], 3)} against {unsigned(as_sigmoid[0][1], 3)}: "
            f"{fixed(as_tanh[0][1] / as_sigmoid[0][1], 0)} times as much. One reason why deep networks "
            "gave up the sigmoid between layers.",
            {"smaller" if more else "larger": "Each factor on the way back is larger, and there are six of them."},
        ),
    )
    return {"kind": kind, "depth": depth}


def exploding_and_where_to_start(at: Visit, head: Any) -> Values:
    """Exploding, and where to start"""
    ACTIVATIONS, STARTS, spec = head.ACTIVATIONS, head.STARTS, head.spec
    kind = at.choice("kind", "activation", ACTIVATIONS, "relu")
    init = at.choice("start", "starting weights", STARTS, "normal")
    wide = {**spec, "hidden": [32] * 6}
    left = pieces.start_ratios(
        {**wide, "activation": "relu"}, {"normal, sd ½": "normal", "Xavier": "xavier_uniform", "He": "he_normal"}
    )
    at.ask(
        "even",
        evenest_problem(
            "six layers of 32 ReLU units: with which start does the message keep its size best, from the "
            "last hidden layer to the first?",
            left,
        ),
    )
    return {"kind": kind, "init": init, "wide": wide}


def all_zero_and_all_the_same(at: Visit, head: Any) -> Values:
    """All zero, and all the same"""
    ACTIVATIONS, spec = head.ACTIVATIONS, head.spec
    kind = at.choice("kind", "activation", ACTIVATIONS, "tanh")
    soft = at.facts(
        {**spec, "initializer": "zeros", "hidden": [4, 2], "activation": "sigmoid", "learning_rate": 1}
    ).after(200)
    alike = abs(soft["W1.1.1"] - soft["W1.2.1"]) < 1e-9
    same = at.ask(
        "alike",
        choice_problem(
            "sigmoid units pass on ½ at the start, not zero, and the weights do move. After 200 steps, "
            "are the weights into hidden units 1 and 2 the same or different?",
            "the same" if alike else "different",
            f"Both are {fixed_signed(soft['W1.1.1'], 5)}. What starts alike and is told alike stays alike.",
            {
                "different"
                if alike
                else "the same": "Both units start alike and get the same message. What should tell them apart?"
            },
        ),
    )
    tanh = at.facts({**spec, "initializer": "zeros", "hidden": [4, 2], "activation": "tanh"})
    zeroed = at.ask("zero", direction_problem(tanh, "W1.1.1", "W₁,₁,₁ of the tanh network that starts at zero"))
    moved = pieces.acted(tanh, {"W1.1.1": zeroed.answer}, 0.1) if zeroed.answer else None
    return {"kind": kind, "same": same, "zeroed": zeroed, "tanh": tanh, "moved": moved}


SCREENS: tuple[Screen, ...] = (
    nothing_new_happens,
    vanishing,
    exploding_and_where_to_start,
    all_zero_and_all_the_same,
)
