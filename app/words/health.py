"""What goes wrong in training, in words: what the engine finds, a code with numbers and names, by the sentences of
`app.words.advice`.
"""

from collections.abc import Callable
from math import isinf

import numpy as np

from app.words.names import spelled
from app.words.sentences import Part, Sentence, in_words, lower, sentence
from app.words.texts import text
from engine import ACTIVATIONS, Divergence, RunState, Spec, Trace
from engine.health import Complaint, complaint
from engine.wording import Words

_QUANTITIES: dict[str, Words] = {
    "z": "a sum z", "a": "an activation a", "v": "a pooled v", "loss": "the loss",
    "da": "a gradient ∂L/∂a", "dz": "a δ, ∂L/∂z", "dW": "a weight's gradient",
    "n": "a normalized n", "dn": "a gradient ∂L/∂n", "gamma_next": "a gain", "beta_next": "a shift",
    "db": "a bias's gradient", "memory": "what the optimizer remembers", "W_next": "a weight", "b_next": "a bias",
}  # fmt: skip


def _called(kind: str) -> str:
    if kind in _QUANTITIES:
        return text(_QUANTITIES[kind])
    message: Words = "a gradient {letter}" if kind[:1] == "d" else "a value {letter}"
    return text(message, letter=spelled(kind))


def advised(trace: Trace, state: RunState | None = None) -> str:
    """The most basic thing that is wrong with a step, and what to try; "" when all is well."""
    found = complaint(trace, state)
    return advice(trace.spec, found) if found else ""


def advice(spec: Spec, found: Complaint) -> str:
    """A finding in words."""
    forms = _FORMS | _OTHERWISE.get(found.finding, {})
    parts: dict[str, Part] = {name: forms[name](part) if name in forms else part for name, part in found.parts.items()}
    parts |= {"layer": _layer(spec, found.layer), "cure": _cure(spec, found)}
    if "dead" in parts:
        parts |= {"who": _who(parts), "on": sentence("on these", **parts)}
    if found.divergence is None:
        return in_words(f"health {found.finding}", **parts)
    cause = found.finding.replace("diverged by penalty", "overshoots by penalty")
    why = [in_words(f"health {cause}", **parts)] if found.parts else []
    return " ".join([diverged(spec, found.divergence), *why])


def diverged(spec: Spec, divergence: Divergence) -> str:
    """Where the numbers of a run ran out, and what to try."""
    bounded = np.isfinite(ACTIVATIONS[spec.network.activation_names[-1]].range).all()
    layer, quantity = divergence.layer, _called(divergence.quantity)
    place = sentence("of a layer", quantity=quantity, layer=_layer(spec, layer, "hidden layer {layer}"))
    return in_words(
        "diverged",
        step=divergence.step + 1,
        quantity=place if layer else quantity,
        cause=sentence("steps overshot" if divergence.step else "too large from the start"),
        cure=sentence("smaller steps" if bounded else "smaller steps or a bound", rate=f"{spec.learning_rate:g}"),
    )


def _layer(spec: Spec, layer: int, hidden: Words = "hidden {layer}") -> str:
    output = layer == len(spec.network.activation_names)
    return text("the output layer") if output else text(hidden, layer=layer)


def _who(parts: dict[str, Part]) -> Sentence:
    if parts["units"] == 1:
        return sentence("only unit", **parts)
    return sentence("all units" if parts["dead"] == parts["units"] else "some units", **parts)


def _cure(spec: Spec, found: Complaint) -> Sentence:
    """What to try: nothing that the run has already."""
    good = spec.parameters is None and spec.initializer.startswith(("xavier", "he"))
    if found.name == "dead" and spec.parameters is None:
        return sentence("other than ReLU")
    if found.name == "exploding":
        return sentence("slower or fewer" if good else "smaller or fewer")
    if found.name != "vanishing":
        return sentence("slower start" if good else "smaller start", rate=f"{spec.learning_rate:g}")
    flat = next((name for name in spec.network.activation_names[:-1] if name in _FLAT), None)
    if flat:
        return sentence("steeper or fewer", flat=lower(text(ACTIVATIONS[flat].title)))
    return sentence("fewer")


def _share(share: float) -> str:
    """80 %; 100 % is all."""
    return f"{100 * share if share == 1 else min(100 * share, 99):.0f} %"


def _times(ratio: float) -> str:
    return text("{ratio} times", ratio=f"{ratio:,.0f}" if ratio < 1e9 else f"{ratio:.0e}")


def _less(ratio: float) -> str:
    return "0" if isinf(ratio) else f"1/{ratio:,.0f}" if ratio < 1e9 else f"1/{ratio:.0e}"


_FLAT = ("sigmoid", "softmax")  # slopes of 1/4 at most, so that a layer passes back a quarter
Forms = dict[str, Callable[..., str]]
_FORMS: Forms = {
    "function": text,
    "share": _share,
    "right": lambda share: f"{100 * share:.0f} %",
    "reach": "{:,.6g}".format,
    "below": "{:.2g}".format,
    "rate": "{:g}".format,
    "strength": "{:g}".format,
    "kept": "{:g}".format,
    "such": "{:.1g}".format,
    "times": _times,
}
_OTHERWISE: dict[str, Forms] = {
    "overshoots": {"share": lambda share: f"{100 * share:.0f} %"},
    "overshot at first": {"share": lambda share: f"{100 * share:.0f} %"},
    "vanishes": {"times": _less},
    "always the same": {"right": lambda share: f"{100 * share:.1f} %"},
}
