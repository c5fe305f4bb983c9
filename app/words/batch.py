"""What the walkthrough says of a mini-batch: the numbers that are drawn, its means, and its sums on the way back."""

from app.words.messages import Message

BATCH: dict[str, Message] = {
    "product in a batch": Message(
        "{Source} holds {a:forward}, the mean of the batch of {count}. The link to {unit} has for every example the "
        "weight {weight:sign}: together {product:forward}."
    ),
    "sum in a batch": Message(
        by="links",
        one="What {unit}'s only link brings is the whole sum: {sum:forward}, the mean of the batch of {count}.",
        many="{Unit} adds up what its {links} links bring: {sum:forward}, the mean of the batch of {count}.",
    ),
    "bias in a batch": Message(
        by="bias",
        none="Its bias is 0 and changes nothing, alike for every example: z = {z:forward}, the mean of the batch of "
        "{count}.",
        up="Its bias, {bias:sign}, pushes the sum up, alike for every example: z = {z:forward}, the mean of the "
        "batch of {count}.",
        down="Its bias, {bias:sign}, pushes the sum down, alike for every example: z = {z:forward}, the mean of the "
        "batch of {count}.",
    ),
    "activation in a batch": Message(
        "{Function} turns each example's own {bent} into its a: {a:forward}, the mean of the batch of {count}."
    ),
    "dropout in a batch": Message(
        "Dropout puts {unit} to 0 for {out} of {count} examples, and gives it on × {scale:size} for the others: "
        "h = {h:forward}, the mean of the batch."
    ),
    "shortcut in a batch": Message(
        "Over the shortcut, {unit} adds what {source} gave, for each example by itself: {added:forward}, the mean of "
        "the batch of {count}. It gives {o:forward}."
    ),
    "attached in a batch": Message("{Unit} goes through {operation}, each example's number by itself. {what}"),
    "back through in a batch": Message("Back through {operation}, each example's number by itself."),
    "z in a batch": Message(
        by="links",
        one="{Unit} takes what its only link brings, weight × what comes, and adds its bias: z = {z:forward}, the "
        "mean of the batch of {count}.",
        many="{Unit} adds up what its {links} links bring, weight × what comes, and its bias: z = {z:forward}, the "
        "mean of the batch of {count}.",
    ),
    "forward in a batch": Message(
        "{Unit} adds up what its links bring, weight × what comes, and its bias: z = {z:forward}, the mean of the "
        "batch of {count}. {Function} turns each example's own z into its a: their mean is {a:forward}."
    ),
    "asks in a batch": Message(
        by="dz",
        tone="backward",
        none="The loss asks nothing of {unit} as a whole: over the batch its δs add up to [0].",
        down="The loss asks {unit} to [go up]: over the batch its δ adds up to {dz:backward}.",
        up="The loss asks {unit} to [go down]: over the batch its δ adds up to {dz:backward}.",
    ),
    "comes back in a batch": Message("Summed over the batch of {count}, ∂L/∂a = {da:backward}: {tendency}."),
    "over a shortcut in a batch": Message(
        "Over the shortcut to {end} its {back} comes back unchanged, for each example: {da:backward}, the sum over the "
        "batch of {count}. Two ways, so gradients add."
    ),
    "back through the mask in a batch": Message(
        "The same mask on the way back: nothing comes through where it was out, the rest × {scale:size}. Summed over "
        "the batch, what comes back, {dh:backward}, becomes {da:backward}."
    ),
    "all ways in a batch": Message("All that comes back, summed over the batch, is {sum:backward}."),
    "product back in a batch": Message(
        "{Unit} sends each example's δ back to {source}, times the same weight: {product:backward}, the sum over the "
        "batch of {count}."
    ),
    "gathered in a batch": Message(
        by="links",
        one="{Unit} feeds one unit, which sends back {sent}, the sum over the batch of {count}.",
        many="{Unit} feeds {links} units. Summed over the batch of {count} they send back {sent: and }, together "
        "{da:backward}.",
    ),
    "gathered from many in a batch": Message(
        "{Unit} feeds {links} units. Summed over the batch of {count} they send back {da:backward}."
    ),
    "loss of a batch": Message(
        "The outputs are held against their targets: over the {count} examples the loss, {name}, is {loss:size} on "
        "average."
    ),
    "below": Message("Below: example {example}."),
}
