"""What the lesson “Backpropagation: the math” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn.posing import number_problem
from app.learn.problems import delta_problem, direction_problem, gradient_problem
from app.learn.visit import Screen, Values, Visit
from app.words.names import name_of
from app.words.numbers import fixed, fixed_signed


def the_chain_rule_along_one_path(at: Visit, head: Any) -> Values:
    """The chain rule along one path"""
    run = head.run
    at.ask("bias", gradient_problem(run, "b2.1"))
    return {}


def all_paths_add_them_up(at: Visit, head: Any) -> Values:
    """All paths: add them up"""
    run = head.run
    at.ask("second", delta_problem(run, 1, 2))
    deep = at.facts({"dataset": "circle", "hidden": [8, 8, 8], "samples": 20})
    sizes = deep.state.spec.network.sizes
    paths = sizes[2] * sizes[3] * sizes[4]
    at.ask(
        "paths",
        number_problem(
            "three hidden layers of 8 units and one output. How many paths lead from one unit of the "
            "first hidden layer to the loss?",
            paths,
            f"8 × 8 × 1 = {paths}. The backward pass goes over each link once: "
            f"{sizes[2] * sizes[1] + sizes[3] * sizes[2] + sizes[4] * sizes[3]} links for all units "
            "together.",
            "At each layer the path may go through any unit.",
            {
                "layers": (sizes[2] + sizes[3], "Choices along a path multiply."),
                "first layer": (
                    8 * 8 * 8,
                    "It starts at one unit of the first hidden layer; two hidden layers are left.",
                ),
            },
            0.5,
        ),
    )
    return {}


def four_equations(at: Visit, head: Any) -> Values:
    """Four equations"""
    run = head.run
    picks = [(address, name_of(address)) for address in run.state.spec.network.addresses()]
    w = at.number("w", name_of("W2.1.1"), run["W2.1.1"], -3, 3, 0.05)
    picked = at.choice("slope", "the slope of", picks, "W2.1.1")
    now = run.with_values({"W2.1.1": w})
    zero = run.with_values({"W2.1.1": 0, "W2.2.1": 0})
    at.ask("cut", direction_problem(zero, "W1.1.1", "W₁,₁,₁ if both weights that leave hidden unit 1 are zero"))
    at.ask("gradient", gradient_problem(now, "W1.2.2"), [w])
    return {"picked": picked, "now": now}


def softmax_with_cross_entropy(at: Visit, head: Any) -> Values:
    """Softmax with cross-entropy"""
    classes = head.classes
    example = int(at.number("example", "example", 2, 0, 40, 1))
    one = at.facts(classes, example).after(20)
    y = one.trace.y[0]
    truth = y.argmax() + 1
    share, delta = one[f"a2.{truth}"], one[f"delta2.{truth}"]
    at.ask(
        "delta",
        number_problem(
            f"the true class of this example is {truth}. what is the δ of its output?",
            delta,
            f"{fixed(share, 4)} − 1 = {fixed_signed(delta, 4)}.",
            "Share minus target.",
            {
                "target": (share, "That is the share. Subtract the target, which is 1 for the true class."),
                "sign": (-delta, "Share minus target, in this order."),
                "softmax": (one[f"da2.{truth}"], "That is ∂L/∂a. It still has to go through the softmax."),
            },
        ),
        [example],
    )
    return {"example": example, "one": one, "y": y, "truth": truth}


SCREENS: tuple[Screen, ...] = (
    the_chain_rule_along_one_path,
    all_paths_add_them_up,
    four_equations,
    softmax_with_cross_entropy,
)
