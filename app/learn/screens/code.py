"""What the lesson “Backpropagation in code” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.listings import run_listing, stops_of
from app.learn.posing import choice_problem, number_problem
from app.learn.problems import gradient_problem
from app.learn.visit import Screen, Values, Visit
from app.words.names import name_of
from app.words.numbers import fixed


def line_of(at: Visit, name: str) -> int:
    """How many lines of a listing the reader has let run."""
    return int(at.number("line", "lines that have run", 0, 0, len(stops_of(name)), 1))


def every_number_on_its_own(at: Visit, head: Any) -> Values:
    """Every number on its own"""
    run = head.run
    at.ask("gradient", gradient_problem(run, "W1.2.1"))
    early = pieces.early_update(run)
    at.ask(
        "early",
        choice_problem(
            "in the last line, let da use new_W in place of W. Are the first layer's new weights still right?",
            "wrong" if abs(early - run.next("W1.1.1")) > 1e-9 else "right",
            f"{name_of('W1.1.1')} becomes {fixed(early, 9)} instead of {fixed(run.next('W1.1.1'), 9)}. "
            "Close enough to go unnoticed for years.",
            {
                "right"
                if abs(early - run.next("W1.1.1")) > 1e-9
                else "wrong": "da adds up weight × δ. Another weight, another sum."
            },
        ),
    )
    return {"line": line_of(at, "scalar.py")}


def a_layer_at_a_time(at: Visit, head: Any) -> Values:
    """A layer at a time"""
    wide = at.facts({"dataset": "circle", "hidden": [4], "samples": 20})
    W = wide.trace.layers[0].W
    at.ask(
        "shape",
        choice_problem(
            f"a layer has {W.shape[1]} inputs and {W.shape[0]} units, and W is (to, from). What is the "
            "shape of its gradient?",
            f"{W.shape[0]} × {W.shape[1]}",
            "A gradient has the shape of what it is the gradient of: one slope a weight.",
            {
                f"{W.shape[1]} × {W.shape[0]}": (
                    "Rows are the units that the links lead to. np.outer(dz, a) puts δ first."
                ),
                f"{W.shape[0]} × {W.shape[0]}": "One slope a weight: as many columns as the layer has inputs.",
                f"{W.shape[0] * W.shape[1]} × 1": "As many numbers, but laid out as W is.",
            },
        ),
    )
    return {"line": line_of(at, "vector.py")}


def one_flat_vector(at: Visit, head: Any) -> Values:
    """One flat vector"""
    run = head.run
    size = run.state.spec.network.size
    at.ask(
        "length",
        number_problem(
            "how long is p for this network of 2, 2 and 2 units?",
            size,
            f"Four units, each with two weights and a bias: {size}.",
            "A row a unit: its weights and its bias.",
            {
                "biases": (size - 4, "Those are the weights. Each of the four units that compute has a bias too."),
                "inputs": (size + 2, "The inputs compute nothing: they have no bias."),
            },
            0.5,
        ),
    )
    return {"line": line_of(at, "flat.py")}


def _as_spec(made: dict[str, Any]) -> Values:
    """The spec of the run that train.py makes by hand."""
    return {
        "dataset": "custom",
        "data": {"x": made["points"], "y": made["y"].tolist(), "task": "regression"},
        "hidden": [3],
        "activation": "sigmoid",
        "output_activation": "sigmoid",
        "loss": "squared_error",
        "learning_rate": made["rate"],
        "batch_size": 4,
        "test_share": 0,
        "parameters": [{"W": made["start"][0].tolist(), "b": [0, 0, 0]}, {"W": made["start"][1].tolist(), "b": [0]}],
    }


def a_whole_program(at: Visit, head: Any) -> Values:
    """A whole program"""
    made = run_listing("train.py")
    start = _as_spec(made)
    zeros = {**start, "parameters": [{"W": [[0, 0], [0, 0], [0, 0]], "b": [0, 0, 0]}, {"W": [[0, 0, 0]], "b": [0]}]}
    half = at.facts(zeros)
    at.ask(
        "half",
        number_problem(
            "at first the curve hardly falls. What is the loss of a network that answers ½ to all four?",
            half.loss,
            f"Every miss is ½, so half of its square is ⅛, and so is the mean: {fixed(half.loss, 3)}. "
            "That much is learned soon, and there the curve lingers; to tell the four apart takes longer.",
            "Half the square of each miss, then the mean over the four.",
            {
                "one half": (2 * half.loss, "That is the square. The loss is half of it."),
                "square": (4 * half.loss, "That is the miss. Square it, and halve."),
            },
        ),
    )
    count = len(made["y"])
    at.ask(
        "mean",
        choice_problem(
            "leave out “/ len(y)” in backward. What becomes of the slopes?",
            f"{count} times as large",
            f"They are the slopes of the sum, not of the mean: {count} times as large, and so is every "
            "step. The check would have told.",
            {
                "the same": "Every slope comes from that da, by products and sums.",
                "a quarter": "It divides. What happens to a number that is no longer divided?",
            },
        ),
    )
    return {"made": made, "start": start, "line": line_of(at, "train.py")}


def the_same_in_pytorch(at: Visit, head: Any) -> Values:
    """The same in PyTorch"""
    run = head.run
    twice = run["W2.1.1"] - 2 * run.rate * run["dW2.1.1"]
    at.ask(
        "zero",
        number_problem(
            "the slopes are not set to zero, and backward() has run twice before the step. What is the "
            f"new {name_of('W2.1.1')}?",
            twice,
            f"{fixed(run['W2.1.1'], 2)} − {run.rate} × 2 × {fixed(run['dW2.1.1'], 4)} = {fixed(twice, 4)}"
            ": the slope counts twice.",
            "The second backward() adds the same slope once more.",
            {
                "twice": (run.next("W2.1.1"), "That is the right step. Here the slope has been added up twice."),
                "learning rate": (
                    run["W2.1.1"] - 2 * run["dW2.1.1"],
                    f"Multiply by the learning rate too, {run.rate}.",
                ),
                "sign": (2 * run["W2.1.1"] - twice, "Against the slope: subtract."),
            },
            0.0006,
        ),
    )
    return {}


SCREENS: tuple[Screen, ...] = (
    every_number_on_its_own,
    a_layer_at_a_time,
    one_flat_vector,
    a_whole_program,
    the_same_in_pytorch,
)
