"""What is told of a question when it is resolved: which way a parameter goes, and why."""

from app.words.messages import Message

ASKED: dict[str, Message] = {
    "asked mean": Message(
        by="gradient",
        none="{Product}, the mean of the batch, is {gradient}, zero",
        down="{Product}, the mean of the batch, is {gradient}, negative",
        up="{Product}, the mean of the batch, is {gradient}, positive",
    ),
    "asked of one": Message(
        by="gradient",
        none="{Product} is {gradient}, zero",
        down="{Product} is {gradient}, negative",
        up="{Product} is {gradient}, positive",
    ),
    "asked step": Message(
        by="change",
        none="it stays at {now}",
        down="the step goes down, from {now} to {after}",
        up="the step goes up, from {now} to {after}",
    ),
    "asked step of one": Message(
        by="change",
        none="it stays at {now}",
        down="its step would go down, from {now} to {after}",
        up="its step would go up, from {now} to {after}",
    ),
    "asked so": Message("{mean}: so {moves}."),
    "asked frozen": Message("{mean}; yet it is frozen, so {moves}."),
    "asked otherwise": Message("{mean}; yet with {optimizer} and its settings {moves}."),
    "asked misled": Message(
        by="change",
        none="The mean of a times the sum of δ says it stays, and misleads: it is not the sum of the products. {why}",
        down="The mean of a times the sum of δ says up, and misleads: it is not the sum of the products. {why}",
        up="The mean of a times the sum of δ says down, and misleads: it is not the sum of the products. {why}",
    ),
    "asked goes": Message(
        by="change",
        none="{because} So {what} stays where it is.",
        down="{because} The step goes against the slope. So {what} goes down.",
        up="{because} The step goes against the slope. So {what} goes up.",
    ),
    "asked slope": Message(
        by="gradient",
        none="{slope} is {gradient:size}: zero.",
        down="{slope} is {gradient:size}: negative.",
        up="{slope} is {gradient:size}: positive.",
    ),
    "asked mean of products": Message(
        by="gradient",
        none="The mean of δ × activation over the examples is {gradient:size}: zero.",
        down="The mean of δ × activation over the examples is {gradient:size}: negative.",
        up="The mean of δ × activation over the examples is {gradient:size}: positive.",
    ),
    "asked mean of δs": Message(
        by="gradient",
        none="The mean of δ over the examples is {gradient:size}: zero.",
        down="The mean of δ over the examples is {gradient:size}: negative.",
        up="The mean of δ over the examples is {gradient:size}: positive.",
    ),
    "asked delta": Message(
        by="gradient",
        none="The gradient of a bias is δ, {gradient:size}: zero.",
        down="The gradient of a bias is δ, {gradient:size}: negative.",
        up="The gradient of a bias is δ, {gradient:size}: positive.",
    ),
    "asked product": Message(
        by="gradient",
        none="δ × activation is {delta:size} × {a:size}: zero.",
        down="δ × activation is {delta:size} × {a:size}: negative.",
        up="δ × activation is {delta:size} × {a:size}: positive.",
    ),
    "asked better": Message(
        by="change",
        none="The loss goes from {before} to {after}: the same.",
        down="The loss goes from {before} to {after}: better.",
        up="The loss goes from {before} to {after}: worse.",
    ),
    # a term that is pointed at
    "term": Message("{name} = {value}: {means}."),
    "term slope": Message(
        by="slope",
        none="{name} = {slope}: {means}.",
        down="{name} = {slope}: {means}. It is below 0: more of {what} makes the loss smaller.",
        up="{name} = {slope}: {means}. It is above 0: more of {what} makes the loss larger.",
    ),
    "asked loss": Message(
        by="change",
        none="The training loss stays at {now}.",
        down="The training loss goes from {now} to {after}: down.",
        up="The training loss goes from {now} to {after}: up.",
    ),
}
