"""The field `layers`: a network's hidden layers one by one, as text, as JSON and as values, and the nodes they make.

"dense 8 tanh, dense 8 tanh, dropout 0.2, shortcut 1" is two dense layers; of what the second one gives, a share is
dropped, and what the first one gives is added to it. A normalization is written after its layer, too, and stands
between its sums and its activation. Each item is an operation with its options in the table's order; those at the end
may be left out. A list of {"kind": "dense", "units": 8, "activation": "tanh"} says the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from math import isqrt, prod
from typing import Any

from engine.checks import SpecError, integer, number, one_of
from engine.fields import Limits
from engine.network import Network
from engine.operations import OPERATIONS
from engine.operations.base import Image, Node, Operation, Option, Value
from engine.operations.flatten import FLATTEN
from engine.wording import Words, said

FORM: Words = "a text such as 'dense 8 tanh, dense 8 tanh, shortcut 1', or a list of its items"


def kinds() -> tuple[str, ...]:
    """What an item may be: all operations but the activation, which is an option of what begins a layer."""
    return tuple(name for name in OPERATIONS if name != "activation")


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
        given = list(zip(OPERATIONS[self.kind].options, (value for _, value in self.options), strict=True))
        while given and not given[-1][0].said and given[-1][1] == given[-1][0].default:
            given.pop()
        return " ".join([self.kind, *(str(value) for _, value in given)])

    def to_dict(self) -> dict[str, Any]:
        """The item for JSON."""
        return {"kind": self.kind, **dict(self.options)}


Items = tuple[LayerItem, ...]
Shape = tuple[int, ...]  # units; or channels, height and width
READ = {"conv": "conv2d"}  # what is written otherwise, by the name that it is written by


def dense(units: int, activation: str) -> LayerItem:
    """A dense layer and what it applies."""
    return LayerItem("dense", (("units", units), ("activation", activation)))


def text_of(items: Sequence[Mapping[str, Any]]) -> str:
    """The short spelling of items as JSON has them."""
    return ", ".join(LayerItem(item["kind"], tuple(list(item.items())[1:])).text for item in items)


def items_from(given: Any, inputs: int, limits: Limits) -> Items:
    """The items of a text or a list, for a network of so many inputs; SpecError names the one that makes no sense."""
    parts = given.split(",") if isinstance(given, str) and given.strip() else given
    if not isinstance(parts, list | tuple):
        raise SpecError("layers", given, FORM)
    items: list[LayerItem] = []
    shapes: list[Shape] = [(inputs,)]
    for place, part in enumerate(parts):
        field, item = f"layers.{place}", _item(f"layers.{place}", part, limits)
        _check_place(field, item, items)
        if item.kind == "shortcut":
            _check_shortcut(field, item, shapes)
        else:
            _shaped(field, item, shapes)
        if len(shapes) - 1 > limits.hidden_layers:
            raise SpecError(field, item.text, "left out: at most {most} layers", most=limits.hidden_layers)
        items.append(item)
    return tuple(items)


def _item(field: str, given: Any, limits: Limits) -> LayerItem:
    if isinstance(given, str):
        name, *values = given.split()[:10] or [""]
        kind = one_of(field, READ.get(name, name), kinds())
        options = OPERATIONS[kind].options
        if len(values) > len(options):
            raise SpecError(field, given.strip(), "{spelling}, and no more", spelling=_spelling(kind))
        named: Mapping[str, Any] = {o.name: _plain(v) for o, v in zip(options, values, strict=False)}
    elif isinstance(given, Mapping):
        told = given.get("kind")
        kind = one_of(f"{field}.kind", READ.get(told, told) if isinstance(told, str) else told, kinds())
        named, options = {name: value for name, value in given.items() if name != "kind"}, OPERATIONS[kind].options
    else:
        raise SpecError(
            field, given, "an object with a kind, or a text such as '{spelling}'", spelling=_spelling("dense")
        )
    for name in named:
        if name not in (option.name for option in options):
            raise SpecError(f"{field}.{name}", named[name], "left out: it is {spelling}", spelling=_spelling(kind))
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
    if option.bounds and option.whole:
        return integer(field, value, *option.bounds)
    if option.bounds:
        return number(field, value, *option.bounds)
    return one_of(field, value, option.choices)


def _check_place(field: str, item: LayerItem, before: Sequence[LayerItem]) -> None:
    """Whether what is attached to a layer stands right after it, or after what comes first there; a pool may stand at
    any place after the activation."""
    operation, own = OPERATIONS[item.kind], _attached(before)
    if not operation.rank:
        return
    taken = [each for each in own if operation.anywhere or not each.anywhere]
    fits = (
        max((each.rank for each in taken), default=0) < operation.rank
        if not operation.anywhere
        else not any(each.anywhere for each in own)
    )
    closed = any(each.rank == FLATTEN.rank for each in own) or (own and operation.rank < OPERATIONS["activation"].rank)
    if not before or not fits or closed:
        here = said("{name} comes before it", name=own[0].name) if own else said("no layer comes before it")
        order: Words = "right after the layer that it belongs to, one a layer: {order}; {here}"
        raise SpecError(field, item.text, order, order=_order(), here=here)


def _order() -> Words:
    """What may be attached to a layer, in its order."""
    fixed = [each for each in OPERATIONS.values() if each.rank and not each.anywhere and each.name != "activation"]
    places = ([each.name for each in fixed if each.rank == rank] for rank in sorted({each.rank for each in fixed}))
    order = reduce(_then, (reduce(_or, names) for names in places))
    pools = ", ".join(each.name for each in OPERATIONS.values() if each.anywhere)
    told: Words = "{order}, and a pool ({pools}) at any place after the activation"
    return said(told, order=order, pools=pools)


def _then(some: Words, last: Words) -> Words:
    return said("{some}, then {last}", some=some, last=last)


def _or(some: Words, last: Words) -> Words:
    return said("{some} or {last}", some=some, last=last)


def _attached(before: Sequence[LayerItem]) -> list[Operation]:
    """What the last layer has already, after the operation that begins it."""
    own = list[Operation]()
    for each in reversed(before):
        if not OPERATIONS[each.kind].rank:
            break
        own.append(OPERATIONS[each.kind])
    return own


def _shaped(field: str, item: LayerItem, shapes: list[Shape]) -> None:
    """Note the shape that an item gives; SpecError if it cannot take what it gets."""
    operation, taken = OPERATIONS[item.kind], shapes[-1]
    if operation.anywhere and len(taken) < 3:
        raise SpecError(
            field,
            item.text,
            "after an image: it would take the {shape_text} of {name}",
            shape_text=shape_text(taken),
            name=_name(len(shapes) - 1),
        )
    try:
        node = Node(item.kind, 0, (), item.options, image_for(item.kind, taken))
        image = operation.image(node)
    except ValueError as reason:
        raise SpecError(field, item.text, "one that fits: {reason}", reason=said(reason.args[0])) from None
    made = image or ((operation.rows(node, [prod(taken)]),) if item.kind != "flatten" else (prod(taken),))
    if operation.rank:
        shapes[-1] = made
    else:
        shapes.append(made)


def image_for(kind: str, taken: Shape) -> Image:
    """The image that an operation takes of what there is; plain numbers are read as a square of one channel by what
    needs one. ValueError if they are none."""
    if len(taken) == 3 or kind != "conv2d":
        return taken if len(taken) == 3 else ()
    side = isqrt(taken[0])
    if side * side != taken[0]:
        raise ValueError(said("{count} numbers are no square image", count=taken[0]))
    return 1, side, side


def shape_text(shape: Shape) -> Words:
    """8 x 16 x 16, or 10 numbers."""
    if len(shape) > 1:
        return " x ".join(map(str, shape))
    return said("1 number") if shape[0] == 1 else said("{count} numbers", count=shape[0])


def _check_shortcut(field: str, item: LayerItem, shapes: Sequence[Shape]) -> None:
    """Whether it can be there; `shapes` are the inputs' and those of the layers before it."""
    layer, over = len(shapes) - 1, item.option("over")
    if over > layer:
        raise SpecError(
            field, item.text, "over at most {layer}: no more layers lie below, down to the inputs", layer=layer
        )
    own, added = shapes[-1], shapes[layer - over]
    if own != added:
        between: Words = "between layers of equal width: it would add the {added} of {other} to the {own} of {layer}"
        if len(own) > 1:
            between = "between layers of equal shape: it would add the {added} of {other} to the {own} of {layer}"
        shapes_here = {"added": shape_text(added), "own": " x ".join(map(str, own))}
        raise SpecError(field, item.text, between, **shapes_here, other=_name(layer - over), layer=_name(layer))


def _name(layer: int) -> Words:
    return said("hidden {layer}", layer=layer) if layer else said("the input")


@lru_cache(maxsize=256)  # so that one network is one object, and found in the caches without being compared
def network_of(inputs: int, items: Items, outputs: int, output_activation: str, loss: str) -> Network:
    """The network of these hidden layers and a dense output layer."""
    nodes: list[Node] = []
    gives, shapes = [0], list[Shape]([(inputs,)])  # by layer: the value that it gives to those above; its shape
    for item in (*items, dense(outputs, output_activation)):
        options, rank = dict(item.options), OPERATIONS[item.kind].rank
        takes = image_for(item.kind, shapes[-1])
        if item.kind == "shortcut":
            added = gives[-1 - int(options["over"])]
            nodes.append(Node(item.kind, len(gives) - 1, (gives[-1], added), takes=takes))
            gives[-1] = len(nodes)
        elif item.kind == "flatten":
            shapes[-1] = (prod(shapes[-1]),)
        elif rank:
            after = [nodes.pop()] if rank < OPERATIONS["activation"].rank else []
            nodes.append(Node(item.kind, len(gives) - 1, (len(nodes),), item.options, takes))
            nodes += (replace(node, inputs=(len(nodes),)) for node in after)
            gives[-1] = len(nodes)
            shapes[-1] = OPERATIONS[item.kind].image(nodes[-1 - len(after)]) or (shapes[-1][0],)
        else:
            activation = options.pop("activation")
            node = Node(
                item.kind, len(gives), (gives[-1],), tuple(options.items()), takes if item.kind == "conv2d" else ()
            )
            image = OPERATIONS[item.kind].image(node)
            function = (("function", activation),)
            nodes += (node, Node("activation", len(gives), (len(nodes) + 1,), function, image))
            gives.append(len(nodes))
            shapes.append(image or (int(options["units"]),))
    return Network(inputs, tuple(nodes), loss)
