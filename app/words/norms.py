"""What the walkthrough says of a normalization, forwards, back and in the update."""

from app.words.messages import Message

NORMS: dict[str, Message] = {
    "layer_norm": Message(
        "Layer norm takes the {units} sums of {layer} together: their mean is {mean:forward}, their spread "
        "{spread:forward}."
    ),
    "layer_norm in a batch": Message(
        "Layer norm takes the {units} sums of {layer} together, for each example by itself: their mean and spread."
    ),
    "batch_norm in a batch": Message(
        "Batch norm takes each unit's sums over the {count} examples together, in {layer}: their mean and spread. "
        "Who only evaluates takes running ones."
    ),
    "why norm": Message(
        "However large or small the {count} sums are (above), what is given on has one size (below): the layers above "
        "need not follow every change of scale, and no slope lies flat because its sums are large."
    ),
    "why three ways": Message(
        "A change of z changes the mean and the spread as well, by which it is measured. What would only move the "
        "mean, or only the spread, changes nothing after all: that much is taken back (μ, σ)."
    ),
    "norm": Message(
        "{Unit}: without the mean and measured in spreads, z = {z:forward} is x̂ = {xhat:forward}. Times its gain γ, "
        "and with its shift β, that is n = {n:forward}."
    ),
    "norm in a batch": Message(
        "{Unit}: each example's z without the mean, measured in spreads, is x̂; times its gain γ, and with its shift β, "
        "n. Over the batch of {count} their means are z = {z:forward}, x̂ = {xhat:forward} and n = {n:forward}."
    ),
    "forward through a norm": Message("Between sums and activation, {norm} brings them to mean 0 and spread 1."),
    "slope before a norm": Message(
        "{Function}'s slope lets {share} of ∂L/∂a = {da:backward} through to n: {dz:backward}."
    ),
    "slopes before a norm in a batch": Message(
        "Each example's ∂L/∂a passes through {function}'s slope at its own n: ∂L/∂n = {dn:backward}, the sum over the "
        "batch of {count}."
    ),
    "nothing comes back": Message("Nothing comes back to {unit}."),
    "gains": Message("γ multiplied x̂, so its gradient is ∂L/∂n × x̂; β was added, so its gradient is ∂L/∂n itself."),
    "gains in a batch": Message(
        "γ multiplied each example's x̂, so its gradient is the sum of ∂L/∂n × x̂; β was added, so its gradient is the "
        "sum of ∂L/∂n."
    ),
    "gradient dgamma": Message("The gain multiplied x̂, so its gradient is ∂L/∂n × x̂."),
    "gradient dgamma in a batch": Message("The gain multiplied x̂, so its gradient is the sum of ∂L/∂n × x̂."),
    "gradient dbeta": Message("The shift was added, so its gradient is ∂L/∂n itself."),
    "gradient dbeta in a batch": Message("The shift was added, so its gradient is the sum of ∂L/∂n."),
    "back through the gain": Message("Back through the gain: what comes back to n comes back to x̂ times γ."),
    "back through the gain in a batch": Message(
        "Back through the gain: what comes back to each example's n comes back to its x̂ times γ: {dxhat:backward}, the "
        "sum over the batch of {count}."
    ),
    "back through the gains in a batch": Message(
        "Back through the gain: what comes back to each example's n comes back to its x̂ times γ."
    ),
    "three ways": Message(
        "Moving z moves the mean and the spread as well, and with them {others}. So there are three ways back: through "
        "the number itself {dz_own:backward}, through the mean {dz_mean:backward}, through the spread "
        "{dz_spread:backward}. They add up to δ = {dz:backward}."
    ),
    "three ways in a batch": Message(
        "Moving z moves the mean and the spread as well, and with them {others}. So each example has three ways back. "
        "Summed over the batch: through the number itself {dz_own:backward}, through the mean {dz_mean:backward}, "
        "through the spread {dz_spread:backward}. They add up to δ = {dz:backward}."
    ),
    "all of a layer": Message("all units of the layer"),
    "all of a batch": Message("all examples of the batch"),
    "back through a norm": Message(
        "Through {norm} they come back over three ways: the number itself, the mean and the spread."
    ),
    "update with a norm": Message(
        by="weights",
        one="{Unit}: its only weight, its bias, its gain and its shift take their step; {ways}.",
        many="{Unit}: its {weights} weights, its bias, its gain and its shift take their step; {ways}.",
    ),
    "update by trial with a norm": Message(
        by="weights",
        one="{Unit}: its only weight, its bias, its gain and its shift are tried up and down; {ways}.",
        many="{Unit}: its {weights} weights, its bias, its gain and its shift are tried up and down; {ways}.",
    ),
}
