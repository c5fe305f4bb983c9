"""Why a moment of the walkthrough does what it does, one message a reason."""

from app.words.messages import Message

REASONS: dict[str, Message] = {
    "why forward": Message(
        "A link carries its weight times what is below it. Without {function}'s bend all layers together could draw no "
        "more than one layer can."
    ),
    "why loss": Message(
        "One number says how wrong the outputs are. Everything after this moment asks: which way must each number move "
        "to mend that?"
    ),
    "why slope": Message(
        "The loss feels {bent} only through a. Nudge {bent} by {nudge:short}: {function} moves a by {moved:forward}. "
        "Of what a is asked, the share {share:forward} reaches {bent}."
    ),
    "why ways": Message(
        "The loss feels this unit only through the links that leave it. Each sends its own weight × δ back, and what "
        "they send adds up."
    ),
    "why shared": Message(
        "All links into {unit} have the same δ: it is the unit's. Each gets δ times what it carried itself, so who "
        "carried nothing gets nothing; a bias carries 1."
    ),
    "why joined": Message("Here the slope and {loss} cancel: what is left is how far the output is from its target."),
    "why product": Message(
        "More weight moves z by what the link carries. From {source} that is {a:forward}: a nudge of {nudge:short} "
        "moves z by {moved:forward}, and δ says what that does to the loss."
    ),
    "why z": Message(
        "A link carries its weight times what is below it: what speaks for this unit adds, what speaks against it "
        "takes away."
    ),
    "why softmax": Message(
        "e to a power is above 0 whatever the sum, and grows fast with it: so the shares can be read as how sure the "
        "network is of each class."
    ),
    "why window": Message(
        "The same few weights look at every place: what they have learnt to see is seen wherever it stands, and there "
        "are few of them to learn."
    ),
    "why pool": Message(
        "That something is there matters more than its exact place; and fewer places leave less to compute above."
    ),
    "why mask": Message(
        "No unit can count on any other being there, so none learns what only helps one of them; those that stay "
        "give more, so that the sums above keep their size."
    ),
    "why shortcut": Message(
        "What was there goes on as it is, and the layer need only learn what to add. On the way back δ comes through "
        "it undiminished."
    ),
    "why kernel": Message(
        "One weight was used at many places. Each place says how the loss would change with it there, and a change of "
        "the weight is a change at all of them: so what they say adds up."
    ),
    "why step": Message(
        by="gradient",
        none="Where the gradient is 0, no step helps.",
        up="From {source} the gradient is {gradient:backward}: more weight makes the loss larger, so the weight goes "
        "down, by the learning rate times that.",
        down="From {source} the gradient is {gradient:backward}: more weight makes the loss smaller, so the weight "
        "goes up, by the learning rate times that.",
    ),
}
