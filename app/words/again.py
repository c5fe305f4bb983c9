"""What is said after the update: the same examples once more, and the ways from the loss to a parameter."""

from app.words.messages import Message

AGAIN: dict[str, Message] = {
    # run again
    "again": Message("The loss was {before:size}; after this step it is {after:less}."),
    "again with a penalty": Message(
        "The loss with its {title} penalty was {before:size}; after this step it is {after:less}."
    ),
    "output again": Message(
        by="nearer",
        none="The same example, run again with the new weights: {which} stays at {now:forward}.",
        up="The same example, run again with the new weights: {which} moved from {was:forward} to {now:forward}, "
        "towards its target {y:target}.",
        down="The same example, run again with the new weights: {which} moved from {was:forward} to {now:forward}, "
        "away from its target {y:target}.",
    ),
    "run again": Message("The same example has run again, with the new weights."),
    "run again in a batch": Message("The same {count} examples have run again, with the new weights."),
    "promise": Message("The gradient promised {promised:backward}, the step brought {brought:update}."),
    "step still": Message("The loss is what it was."),
    "step short": Message("Too short: a longer step would get more out of this way."),
    "step right": Message("Just right: this is about all that this way has to give."),
    "step over": Message("Overshoot: the lowest place of this way lies behind it."),
    "step worse": Message("Overshoot: the loss is no better than before the step."),
    "everyone": Message("Of the training examples, {everyone} together fare best near {best:short}."),
    "everyone stays": Message("Of the training examples, {everyone} together fare best without this step."),
    # ways from the loss to a parameter
    "ways": Message(
        by="count",
        one="One way leads from the loss to {address}: its factors, multiplied, are the gradient.",
        many="{count} ways lead from the loss to {address}: each multiplies its factors, and all their products "
        "added up are the gradient.",
    ),
    "too many ways": Message(
        "{count} ways lead from the loss to {address}, over no more than {links} links. Going backwards layer by layer "
        "uses each link once: that is why it is cheap. The strongest way alone brings {product:backward}."
    ),
}
