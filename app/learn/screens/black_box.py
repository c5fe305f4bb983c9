"""What the lesson “The black box?” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import information
from app.learn.posing import choice_problem, number_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed


def what_a_layer_knows(at: Visit, head: Any) -> Values:
    """What a layer knows"""
    spec, run = head.spec, head.run
    bins = int(at.number("bins", "bins", 30, 2, 100, 1))
    plane = information.plane(spec, bins)
    train = run.state.spec.samples
    at.ask(
        "most",
        number_problem(
            f"there are {train} inputs, all different. How many bits at most can a layer tell about which it was?",
            plane.most_x,
            f"2 to the power {fixed(plane.most_x, 2)} is {train}.",
            f"How often must {train} be halved until one is left?",
            {
                "count": (train, "So many inputs. Bits count halvings: 2, 4, 8, …"),
                "half": (train / 2, "Halve again, and again, until one is left, and count."),
                "rounding": (
                    10,
                    (
                        "Nearly: ten halvings are a little more than it takes, for 2 to the power 10 is 1,024. Give "
                        "one decimal."
                    ),
                ),
                "bins": (
                    plane.at(1, 0).about_input,
                    "That is what hidden 1 tells with these bins. The question is the most that any layer could.",
                ),
            },
            0.15,
        ),
    )
    return {"plane": plane}


def the_information_plane(at: Visit, head: Any) -> Values:
    """The information plane"""
    spec, rectified = head.spec, head.rectified
    kind = at.choice("kind", "activation of the hidden layers", [("tanh", "tanh"), ("relu", "ReLU")], "tanh")
    plane = information.plane(spec if kind == "tanh" else rectified, 30)
    index = at.place("epoch", "epoch", plane.epochs)
    tanh = information.plane(spec, 30)
    fell = tanh.change(4) < -0.5
    at.ask(
        "tanh",
        choice_problem(
            "the tanh network, 30 bins. At the end, does hidden layer 4 tell more or less about the "
            "input than it once did?",
            "less" if fell else "as much as ever",
            f"It has lost {fixed(-tanh.change(4), 2)} bits since its most: compression, as the theory says.",
            {
                "more" if fell else "less": "Move the epoch to the end, and watch 4.",
                "as much as ever" if fell else "more": "Move the epoch to the end, and watch 4.",
            },
        ),
    )
    relu = information.plane(rectified, 30)
    relu_fell = relu.change(4) < -0.5
    at.ask(
        "relu",
        choice_problem(
            "and the same network with ReLU? How many bits about the input has hidden layer 4 lost at "
            "the end, of the most it had?",
            "more than half a bit" if relu_fell else "less than half a bit",
            f"{fixed(-relu.change(4) + 0, 2)} bits. It learns the label nearly as well, "
            f"{fixed(relu.at(4, 99).about_label, 2)} bits of it.",
            {
                "less than half a bit"
                if relu_fell
                else "more than half a bit": "Choose ReLU, and move the epoch to the end."
            },
        ),
    )
    return {"plane": plane, "index": index}


def turn_the_knob(at: Visit, head: Any) -> Values:
    """Turn the knob"""
    spec, rectified = head.spec, head.rectified
    kind = at.choice("kind", "activation of the hidden layers", [("tanh", "tanh"), ("relu", "ReLU")], "tanh")
    bins = int(at.number("bins", "bins", 30, 2, 200, 1))
    plane = information.plane(spec if kind == "tanh" else rectified, bins)
    index = at.place("epoch", "epoch", plane.epochs, len(plane.epochs) - 1)
    coarse, fine = information.plane(spec, 10), information.plane(spec, 100)
    grows = fine.at(3, 99).about_input > coarse.at(3, 99).about_input
    at.ask(
        "bins",
        choice_problem(
            "100 bins instead of 10, the same trained network. Does I(X;T) of hidden layer 3 come out "
            "larger or smaller?",
            "larger" if grows else "smaller",
            f"{fixed(coarse.at(3, 99).about_input, 2)} bits become {fixed(fine.at(3, 99).about_input, 2)}"
            ". Cutting a bin can only tell inputs apart that were one before.",
            {
                "smaller" if grows else "larger": "With finer bins, can two inputs that were told apart become one?",
                "the same": "It would, if information were a property of the network alone.",
            },
        ),
    )
    return {"plane": plane, "index": index}


def a_dispute_told_fairly(at: Visit, head: Any) -> Values:
    """A dispute, told fairly"""
    spec, run = head.spec, head.run
    kind = at.choice("kind", "activation of the hidden layers", [("tanh", "tanh"), ("relu", "ReLU")], "tanh")
    layer = int(at.number("layer", "hidden layer", 4, 1, 4, 1))
    read = information.exactly(spec, 4)
    steady = (max(read) - min(read)) < 0.01
    exact = at.ask(
        "exact",
        choice_problem(
            f"read without any rounding, each of the {run.state.spec.samples} inputs gives tanh layer 4 "
            "activations of its own. How would I(X;T) change while the network trains?",
            "not at all" if steady else "fall",
            f"It is {fixed(read[0], 2)} bits at the start and {fixed(read[-1], 2)} at the end: every "
            "input has a state of its own all the time. The line is in the picture now.",
            {
                "fall": "Only if inputs come to share a state; read exactly, they do not.",
                "rise": "It is at its most already: every input has a state of its own.",
            },
        ),
    )
    full, bits = information.at_the_ends(spec, 4, 30), information.plane(spec, 30).path(4)[0]
    crowd = at.ask(
        "crowd",
        choice_problem(
            f"tanh, layer 4: before training {fixed(100 * full[0], 0)} of a hundred activations lie in "
            "the two outermost of 30 bins. How many after it?",
            "most of them" if full[-1] > 0.5 else "about as many",
            f"{fixed(100 * full[-1], 0)} of a hundred, while I(X;T) with 30 bins goes from "
            f"{fixed(bits[0], 1)} to {fixed(bits[-1], 1)} bits. That is what Saxe and others point at.",
            {
                "fewer": "Weights grow, and with them the sums. Where is tanh flat?",
                "about as many": "Weights grow, and with them the sums. Where is tanh flat?",
            },
        ),
    )
    return {"kind": kind, "layer": layer, "exact": exact, "crowd": crowd}


SCREENS: tuple[Screen, ...] = (
    what_a_layer_knows,
    the_information_plane,
    turn_the_knob,
    a_dispute_told_fairly,
)
