"""What the letters of the equations mean, one sentence each: told where a term is pointed at."""

from app.words.names import name_of
from app.words.numbers import target
from app.words.sentences import in_words, lower
from app.words.texts import text
from engine import Quantity
from engine.operations import behind
from engine.wording import Words

MEANS: dict[str, Words] = {
    "x": "an input: given with the example",
    "y": "the target: what the output should be",
    "W": "a weight: what its link multiplies by",
    "b": "a bias: added whatever comes in",
    "z": "the sum of what reaches the unit, with its bias",
    "mean": "μ, the mean of the sums that are normalized together",
    "spread": "σ, how far these sums lie from their mean: the root of the variance, and a little so that it is never 0",
    "xhat": "x̂, the sum without the mean, measured in spreads",
    "gamma": "γ, a gain: what the normalized number is multiplied by",
    "beta": "β, a shift: what is added to that",
    "n": "what the normalization gives to the activation: γ × x̂ + β",
    "a": "an activation: what the unit gives on",
    "h": "what dropout lets through of the activation",
    "mask": "what dropout multiplies by, both ways: 0 where the unit is out",
    "v": "what the pool gives on of the window",
    "o": "what the unit gives on, with what its shortcut adds",
    "p": "weight × activation: what the link carries",
    "s": "what all links into the unit carry together",
    "da": "how much the loss changes when the activation a rises a little",
    "dh": "how much the loss changes when what dropout lets through rises a little",
    "dv": "how much the loss changes when what the pool gives on rises a little",
    "dn": "how much the loss changes when the normalization gives a little more",
    "dxhat": "how much the loss changes when the normalized number rises a little",
    "dz_own": "what comes back through the number itself",
    "dz_mean": "what comes back through the mean: a larger sum raises it, and lowers all the others",
    "dz_spread": "what comes back through the spread: a sum further out widens it, and draws all the others in",
    "dgamma": "the gain's gradient: how much the loss changes when γ rises a little",
    "dbeta": "the shift's gradient: how much the loss changes when β rises a little",
    "dz": "δ (delta): how much the loss changes when the unit's sum z rises a little",
    "q": "weight × δ: what comes back over the link",
    "slope": "the activation's slope: how much of a small move of z gets through to a",
    "dW": "the weight's gradient: how much the loss changes when the weight rises a little",
    "db": "the bias's gradient: how much the loss changes when the bias rises a little",
    "gW": "the weight's gradient with what regularization adds",
    "dR": "what regularization adds to the gradient",
    "loss": "how wrong the outputs are: training makes it smaller",
    "penalty": "what regularization adds to the loss",
    "loss_next": "the loss after the step",
    "W_next": "the weight after the step",
    "b_next": "the bias after the step",
    "gamma_next": "the gain after the step",
    "beta_next": "the shift after the step",
    "v_W": "what the optimizer remembers of earlier gradients of the weight",
    "v_b": "what the optimizer remembers of earlier gradients of the bias",
    "m_W": "the mean that the optimizer remembers of the weight's gradients",
    "m_b": "the mean that the optimizer remembers of the bias's gradients",
    "rate": "the learning rate: how long the step is",
}
SIGNED: dict[str, Words] = {"da": "a", "dn": "n", "dz": "z", "dW": "the weight", "db": "the bias"}
SIGNED |= {"dgamma": "the gain", "dbeta": "the shift"}


_RISES: Words = "how much the loss changes when what {operation} gives on rises a little"


def meaning(of: Quantity, value: float) -> str:
    """A quantity's name, value and meaning; of a slope of the loss, which way helps. Empty for what has no meaning."""
    kind, entry = of.kind.replace("_next_", "_"), behind(of.kind)
    if kind not in MEANS and entry is None:
        return ""
    if kind in MEANS:
        means = text(MEANS[kind])
    elif entry is not None:
        operation = lower(text(entry.title))
        message: Words = "what {operation} gives on" if kind == entry.letter else _RISES
        means = text(message, operation=operation)
    name = text("new {name}", name=name_of(of)) if "_next" in of.kind else name_of(of)
    if kind in SIGNED or (entry is not None and kind != entry.letter):
        what = text(SIGNED[kind]) if kind in SIGNED else kind[1:]
        return in_words("term slope", name=name, slope=value, means=means, what=what)
    told = target(value) if kind == "y" and value == int(value) else value
    return in_words("term", name=name, value=told, means=means)
