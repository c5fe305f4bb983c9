"""The field `layers`: a network's hidden layers one by one, as text, as JSON and as values, and the nodes they make.

"dense 8 tanh, dense 8 tanh, dropout 0.2, shortcut 1" is two dense layers; of what the second one gives, a share is
dropped, and what the first one gives is added to it. A normalization is written after its layer, too, and stands
between its sums and its activation. Each item is an operation with its options in the table's order; those at the end
may be left out. A list of {"kind": "dense", "units": 8, "activation": "tanh"} says the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from engine.checks import SpecError, integer, number, one_of
from engine.fields import Limits
from engine.network import Network
from engine.operations import OPERATIONS
from engine.operations.base import Node, Option, Value

KINDS = tuple(name for name in OPERATIONS if name != "activation")  # that is an option of what begins a layer
FORM = "a text such as 'dense 8 tanh, dense 8 tanh, shortcut 1', or a list of its items"


@dataclass(frozen=True)
class LayerItem:
    """One item: an operation by name, and its options, every one present."""

    kind: str
    options: tuple[tuple[str, Value], ...]

    def option(self, name: str) -> Any:
        """The value of one of its options."""
        return dict(self.options)[name]

    @property
    def text(self) -> str:
        """The item in the short spelling."""
        return " ".join([self.kind, *(str(value) for _, value in self.options)])

    def to_dict(self) -> dict[str, Any]:
        """The item for JSON."""
        return {"kind": self.kind, **dict(self.options)}


Items = tuple[LayerItem, ...]


def dense(units: int, activation: str) -> LayerItem:
    """A dense layer and what it applies."""
    return LayerItem("dense", (("units", units), ("activation", activation)))


def text_of(items: Sequence[Mapping[str, Any]]) -> str:
    """The short spelling of items as JSON has them."""
    return ", ".join(" ".join(map(str, item.values())) for item in items)


def items_from(given: Any, inputs: int, limits: Limits) -> Items:
    """The items of a text or a list, for a network of so many inputs; SpecError names the one that makes no sense."""
    parts = given.split(",") if isinstance(given, str) and given.strip() else given
    if not isinstance(parts, list | tuple):
        raise SpecError("layers", given, FORM)
    items: list[LayerItem] = []
    widths = [inputs]
    for place, part in enumerate(parts):
        item = _item(f"layers.{place}", part, limits)
        _check_place(f"layers.{place}", item, items)
        if item.kind == "shortcut":
            _check_shortcut(f"layers.{place}", item, widths)
        if not OPERATIONS[item.kind].rank:
            widths.append(item.option("units"))
        if len(widths) - 1 > limits.hidden_layers:
            raise SpecError(f"layers.{place}", item.text, f"left out: at most {limits.hidden_layers} layers")
        items.append(item)
    return tuple(items)


def _item(field: str, given: Any, limits: Limits) -> LayerItem:
    if isinstance(given, str):
        name, *values = given.split()[:10] or [""]
        kind = one_of(field, name, KINDS)
        options = OPERATIONS[kind].options
        if len(values) > len(options):
            raise SpecError(field, given.strip(), f"{_spelling(kind)}, and no more")
        named: Mapping[str, Any] = {o.name: _plain(v) for o, v in zip(options, values, strict=False)}
    elif isinstance(given, Mapping):
        kind = one_of(f"{field}.kind", given.get("kind"), KINDS)
        named, options = {name: value for name, value in given.items() if name != "kind"}, OPERATIONS[kind].options
    else:
        raise SpecError(field, given, f"an object with a kind, or a text such as '{_spelling('dense')}'")
    for name in named:
        if name not in (option.name for option in options):
            raise SpecError(f"{field}.{name}", named[name], f"left out: it is {_spelling(kind)}")
    return LayerItem(kind, tuple((o.name, _option(f"{field}.{o.name}", o, named, limits)) for o in options))


def _spelling(kind: str) -> str:
    return " ".join([kind, *(f"<{option.name}>" for option in OPERATIONS[kind].options)])


def _plain(text: str) -> Value:
    if not text.isascii() or len(text) > 20 or not text[:1].isdecimal():
        return text
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return text


def _option(field: str, option: Option, named: Mapping[str, Any], limits: Limits) -> Value:
    value = named.get(option.name)
    value = option.default if value is None else value
    if option.limit:
        return integer(field, value, 1, getattr(limits, option.limit))
    if option.bounds:
        return number(field, value, *option.bounds)
    return one_of(field, value, option.choices)


def _check_place(field: str, item: LayerItem, before: Sequence[LayerItem]) -> None:
    """Whether what is attached to a layer stands right after it, or after what comes first there."""
    rank = OPERATIONS[item.kind].rank
    if rank and not (before and OPERATIONS[before[-1].kind].rank < rank):
        raise SpecError(field, item.text, f"right after the layer that it belongs to, one a layer: {', '.join(KINDS)}")


def _check_shortcut(field: str, item: LayerItem, widths: Sequence[int]) -> None:
    """Whether it can be there; `widths` are the inputs' and those of the layers before it."""
    layer, over = len(widths) - 1, item.option("over")
    if over > layer:
        raise SpecError(field, item.text, f"over at most {layer}: no more layers lie below, down to the inputs")
    if widths[-1] != widths[layer - over]:
        what = f"the {widths[layer - over]} numbers of {_name(layer - over)} to the {widths[-1]} of {_name(layer)}"
        raise SpecError(field, item.text, f"between layers of equal width: it would add {what}")


def _name(layer: int) -> str:
    return f"hidden {layer}" if layer else "the input"


@lru_cache(maxsize=256)  # so that one network is one object, and found in the caches without being compared
def network_of(inputs: int, items: Items, outputs: int, output_activation: str, loss: str) -> Network:
    """The network of these hidden layers and a dense output layer."""
    nodes: list[Node] = []
    gives = [0]  # by layer: the value that it gives to those above
    for item in (*items, dense(outputs, output_activation)):
        options = dict(item.options)
        if item.kind == "shortcut":
            added = gives[-1 - int(options["over"])]
            nodes.append(Node(item.kind, len(gives) - 1, (gives[-1], added)))
            gives[-1] = len(nodes)
        elif OPERATIONS[item.kind].rank:
            after = [nodes.pop()] if OPERATIONS[item.kind].rank < OPERATIONS["activation"].rank else []
            nodes.append(Node(item.kind, len(gives) - 1, (len(nodes),), item.options))
            nodes += (replace(node, inputs=(len(nodes),)) for node in after)
            gives[-1] = len(nodes)
        else:
            activation = options.pop("activation")
            nodes.append(Node(item.kind, len(gives), (gives[-1],), tuple(options.items())))
            nodes.append(Node("activation", len(gives), (len(nodes),), (("function", activation),)))
            gives.append(len(nodes))
    return Network(inputs, tuple(nodes), loss)
