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
    "why step": Message(
        by="gradient", none="Where the gradient is 0, no step helps.",
        up="From {source} the gradient is {gradient:backward}: more weight makes the loss larger, so the weight goes "
        "down, by the learning rate times that.",
        down="From {source} the gradient is {gradient:backward}: more weight makes the loss smaller, so the weight "
        "goes up, by the learning rate times that.",
    ),
}  # fmt: skip
