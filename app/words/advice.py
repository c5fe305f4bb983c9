"""What goes wrong in training, and what to do about it: a sentence for each finding of the engine, by the name
"health …"; tests/test_stuck.py follows the advice.
"""

from app.words.messages import Message

ADVICE: dict[str, Message] = {
    "health zero": Message(
        "Every weight of {layer} is 0, so nothing passes back through it and its units are all alike: start from "
        "random weights, such as Xavier or He."
    ),
    "health alike": Message(
        "All units of {layer} are alike and get the same gradient, so they will stay alike: start from random weights, "
        "such as Xavier or He."
    ),
    "health threshold": Message(
        "The threshold's slope is 0 everywhere, so no gradient passes {layer}: no layer up to it can learn by "
        "backpropagation. Try sigmoid, its smooth sister, or the optimizer trial and error."
    ),
    "health threshold led round": Message(
        "The threshold's slope is 0 everywhere, so no gradient passes {layer}: it cannot learn by backpropagation. Try "
        "sigmoid, its smooth sister, or the optimizer trial and error."
    ),
    "health threshold at the output": Message(
        "The threshold's slope is 0 everywhere, so no gradient passes {layer}: nothing can learn by backpropagation. "
        "Try sigmoid, its smooth sister, or the optimizer trial and error."
    ),
    "only unit": Message("The only unit of {layer}"),
    "all units": Message("All {units} units of {layer}"),
    "some units": Message("{dead} of {units} units of {layer}"),
    "on these": Message(by="examples", one="on this one example", many="on every one of these {examples} examples"),
    "health dead units": Message(
        by="dead",
        one="{who} gives slope 0 {on}: dead {function}, which no gradient can wake. Try {cure}.",
        many="{who} give slope 0 {on}: dead {function}, which no gradient can wake. Try {cure}.",
    ),
    "health saturated units": Message(
        by="dead",
        one="{who} gives slope 0 {on}: {function} is saturated, driven to its ends. Try {cure}.",
        many="{who} give slope 0 {on}: {function} is saturated, driven to its ends. Try {cure}.",
    ),
    # what to try, by what the run has already
    "other than ReLU": Message("tanh or ELU in its place, or more units a layer"),
    "smaller start": Message("a new start with smaller weights, such as Xavier"),
    "slower start": Message("a new start with a smaller learning rate than {rate}"),
    "steeper or fewer": Message("ReLU or tanh in place of {flat}, or fewer layers"),
    "fewer": Message("fewer layers"),
    "smaller or fewer": Message("smaller starting weights (Xavier or He), a smaller learning rate, or fewer layers"),
    "slower or fewer": Message("a smaller learning rate, or fewer layers"),
    "health overshot at first": Message(
        "The learning rate {rate} is too large: the first step changed the weights of {layer} by {share} of their own "
        "length, and what such steps lead to hardly learns. Start again with a smaller one, such as {such}."
    ),
    "health loss has grown": Message(
        "The loss is {times} what it was at the start: steps overshoot. Start again with a smaller learning rate than "
        "{rate}, such as {such}."
    ),
    "health overshoots by penalty": Message(
        "The regularization is too strong: L2 alone multiplies every weight by 1 − {rate} · {strength} = {kept} a "
        "step. Try a regularization rate below {below}."
    ),
    "health far inputs drive": Message(
        "The input {input} reaches {reach}, far from 0: {function} hardly answers there. Scale the inputs to mean 0 "
        "and spread 1."
    ),
    "health far inputs overshoot": Message(
        "The input {input} reaches {reach}, far from 0: so steps overshoot. Scale the inputs to mean 0 and spread 1."
    ),
    "health far targets overshoot": Message(
        "The values to predict reach {reach}, far from 0, so steps overshoot. Scale them to mean 0 and spread 1."
    ),
    "health far targets learn nothing": Message(
        "The values to predict reach {reach}, far from 0, and the network has come no further than their mean. "
        "Scale them."
    ),
    "health explodes": Message("Gradients explode: {times} as large in hidden 1 as at the output. Try {cure}."),
    "health overshoots": Message(
        "This step changes the weights of {layer} by {share} of their own length: it overshoots. Try a smaller "
        "learning rate than {rate}."
    ),
    "health vanishes": Message(
        "Gradients vanish on the way back: in hidden 1 they have {times} of the size they have at the output, so it "
        "hardly learns. Try {cure}."
    ),
    "health flat": Message(
        "{share} of {layer} is saturated: {function} is nearly flat there, so little gradient passes. Try {cure}."
    ),
    "health sure and wrong": Message(
        "The output is sure of itself and wrong: {function} is flat there, so the loss can hardly correct it. Try a "
        "new start with a smaller learning rate, or cross-entropy, whose gradient does not fade."
    ),
    "health by heart": Message(
        "It knows its {count} training examples by heart and is right in {right} of the others: there are too few. "
        "Try more examples, or a smaller test share."
    ),
    "health held back": Message(
        "The regularization pulls as strongly as the data, so the weights stay small. Try a regularization rate a "
        "hundredth as large, or none."
    ),
    "health linear": Message(
        "Every hidden layer is linear, so the boundary between the classes is a straight line, which gets {right} "
        "right. Try a hidden layer of tanh or ReLU."
    ),
    "health no hidden layer": Message(
        "There is no hidden layer, so the boundary between the classes is a straight line, which gets {right} right. "
        "Try a hidden layer of 4 tanh units."
    ),
    "health always the same": Message(
        "It always says {class}, and is right in {right}, for so many of the training examples are {class}: judge it "
        "by the table of classes, not by its accuracy."
    ),
    "health plateau": Message(
        "The loss has stopped falling on a plateau, with {right} right. Try another start, with a larger learning rate."
    ),
    "health all outputs alike": Message(
        "All outputs are alike: the loss has stopped falling on a plateau, with {right} right. Try another start, with "
        "a larger learning rate."
    ),
    "health diverged by inputs": Message("The input {input} reaches {reach}, far from 0: scale them."),
    "health diverged by targets": Message("The values to predict reach {reach}, far from 0: scale them."),
    # a run whose numbers have run out
    "diverged": Message(
        "At step {step}, {quantity} grew beyond any number a computer holds: {cause}. Go back, and try {cure}."
    ),
    "of a layer": Message("{quantity} of {layer}"),
    "steps overshot": Message("each step overshot further than the last"),
    "too large from the start": Message("the numbers it starts from are too large"),
    "smaller steps": Message("a smaller learning rate than {rate}"),
    "smaller steps or a bound": Message(
        "a smaller learning rate than {rate}, smaller starting weights, or an output that is bounded"
    ),
}
