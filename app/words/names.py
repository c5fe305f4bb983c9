"""What layers, units and quantities are called: hidden 1, unit 2; input mass; output for Gentoo; W₂,₁,₃."""

from app.words.numbers import SUBSCRIPTS
from app.words.texts import text
from engine import FEATURES, Quantity, Spec
from engine.examples import class_names
from engine.operations import behind
from engine.wording import Words

LETTERS: dict[str, Words] = {
    "dz": "δ",
    "da": "∂L/∂a",
    "mask": "m",
    "mean": "μ",
    "spread": "σ",
    "xhat": "x̂",
    "gamma": "γ",
    "beta": "β",
    "dn": "∂L/∂n",
    "dxhat": "∂L/∂x̂",
    "dz_own": "δ(x̂)",
    "dz_mean": "δ(μ)",
    "dz_spread": "δ(σ)",
    "dgamma": "∂L/∂γ",
    "dbeta": "∂L/∂β",
    "dW": "∂L/∂W",
    "db": "∂L/∂b",
    "loss": "L",
    "slope": "a′",
    "rate": "learning rate",
    "penalty": "penalty",
}
SPELLED: tuple[Words, ...] = (  # names of code that are words, too: whoever shows one says text(name)
    *("forward", "loss", "backward", "update", "again", "Forward", "Loss", "Backward", "Update", "Again"),
    *("operation", "unit", "layer", "pass", "weights", "activations", "gradients", "updates"),
    *("epoch", "test accuracy", "train accuracy", "input", "target", "out", "number", "text", "class"),
    *("up", "down", "stay", "better", "worse", "the same", "open", "closed", "revealed"),
    *("x", "W", "b", "activation", "filter", "mask", "padding", "size", "stride", "answer", "do", "hidden"),
)


def spelled(kind: str, otherwise: str = "") -> str:
    """The letter that a kind of quantity has beside its numbers."""
    if kind[:1] == "d" and behind(kind):
        return f"∂L/∂{kind[1:]}"
    return text(LETTERS[kind]) if kind in LETTERS else otherwise or kind


def layer_name(index: int, layers: int) -> str:
    """input, hidden 1, …, output; `layers` counts all but the inputs."""
    if 0 < index < layers:
        return text("hidden {layer}", layer=index)
    return text("input" if index == 0 else "output")


def unit_name(layer: int, unit: int, layers: int) -> str:
    """ "hidden 1, unit 2", both counted from 1."""
    return text("{layer}, unit {unit}", layer=layer_name(layer, layers), unit=unit)


def input_titles(spec: Spec) -> tuple[str, ...]:
    """What the inputs are called: x₁, or by the columns of one's own data."""
    own = spec.data.names if spec.data else ()
    if not spec.features:
        return own or tuple(f"x{i + 1}" for i in range(spec.network.sizes[0]))
    titles = [text(FEATURES[name].title) for name in spec.features]
    for i, name in enumerate(own, 1):
        titles = [title.replace(f"x{i}".translate(SUBSCRIPTS), name) for title in titles]
    return tuple(titles)


def output_names(spec: Spec) -> tuple[str, ...]:
    """What the outputs stand for: classes, or the columns of one's own data; empty where that needs no word."""
    outputs, own = spec.network.sizes[-1], spec.data
    if spec.task == "multiclass" or (own and len(own.classes) == outputs):
        return class_names(spec)
    if own and own.classes:
        return own.classes[1:] if own.classes != ("0", "1") else ()
    return own.targets if own and len(own.targets) == outputs else ()


def own_name(spec: Spec, layer: int, unit: int) -> str:
    """What one's own data calls an input, or one of several outputs: input mass, output for Gentoo. Else nothing."""
    data, outputs = spec.data, spec.network.sizes[-1]
    if data and data.names and layer == 0:
        return text("input {unit}", unit=input_titles(spec)[unit - 1])
    if not data or outputs == 1 or layer < len(spec.network.sizes) - 1:
        return ""
    if data.classes:
        return text("output for {unit}", unit=data.classes[unit - 1])
    return text("output {unit}", unit=data.targets[unit - 1]) if len(data.targets) == outputs else ""


def called(spec: Spec, layer: int, unit: int) -> str:
    """A unit by the name that one's own data has for it, else by its number."""
    last = len(spec.network.sizes) - 1
    if layer and spec.network.image(layer):
        return text("{layer}, channel {channel}", layer=layer_name(layer, last), channel=unit)
    return own_name(spec, layer, unit) or unit_name(layer, unit, last)


def shortened(names: tuple[str, ...], most: int) -> tuple[str, ...]:
    """Names of at most so many letters; those that begin alike are cut in the middle."""
    cut = [name if len(name) <= most else name[: most - 1] + "…" for name in names]
    half = most // 2
    return tuple(
        f"{name[: most - half - 1]}…{name[-half:]}" if len(name) > most and cut.count(short) > 1 else short
        for name, short in zip(names, cut, strict=True)
    )


def name_of(quantity: Quantity | str) -> str:
    """A quantity in plain text, its places below by commas as in equations: W₂,₁,₃, b₂,₁, a₀,₂, δ₂,₁; x₂ and y₁."""
    of = Quantity.parse(quantity) if isinstance(quantity, str) else quantity
    given = of.kind in ("x", "y") and of.index  # no layer gives it
    places = of.layer or of.index or of.kind in ("a", "x")
    below = ",".join(map(str, of.index if given else (of.layer, *of.index))).translate(SUBSCRIPTS) if places else ""
    letter, bracket, way = spelled(of.kind, of.kind.partition("_")[0]).partition("(")
    return letter + below + bracket + way
