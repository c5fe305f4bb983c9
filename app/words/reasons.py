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
    "why largest": Message(
        "Only the largest of the {count} numbers goes on (framed). Nudge another one a little, and nothing changes."
    ),
    "why tie": Message(
        "Several of the {count} numbers are equally large: the first of them, row by row, is the winner (framed). It "
        "goes on, and gets all that comes back."
    ),
    "why mean": Message("Each of the {count} numbers moves the mean by one part in {count} of its own nudge."),
    "why winner": Message(
        "The other numbers of the window did not go on, so a nudge of them changes nothing, and nothing comes back to "
        "them: the winner (framed) gets it all."
    ),
    "why share": Message(
        "Each of the {count} numbers moved the mean alike, so each gets one part in {count} of what comes back."
    ),
    "why same mask": Message(
        "What was put to 0 moved nothing above, so nothing comes back to it. What was let through went on "
        "{scale:short} times as large, and so does what comes back: it is the same mask."
    ),
    "why meet": Message("What it gives is used twice, so the loss feels a nudge of it in two ways: they add up."),
    "why kernel": Message(
        "A nudge of one weight moves the sum at every place where it lay: at each by what it met there (left), and δ "
        "(right) says what that does to the loss. Each product is one place's share, the largest is framed; the "
        "gradient is the sum of them all."
    ),
    "why penalty": Message(
        "Large weights let outputs turn sharply, which fits single examples more than what they have in common. Who "
        "pays for size keeps only as much of it as lessens the loss."
    ),
    "why remembered": Message(
        "One step's gradient depends on its few examples and jumps about. What is remembered of earlier ones evens out "
        "which way the steps go, or how long they are."
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
