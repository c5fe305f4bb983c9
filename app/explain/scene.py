"""What the writers of moments share: one trace, its equations and names, and the few ways its numbers are set out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isqrt
from typing import Any

import numpy as np

from app.explain.moments import Face
from app.words.columns import NOISE, Columns, scalar
from app.words.digits import Terms, digits, named, terms_of
from app.words.formulas import Formula, Role, role_of
from app.words.names import input_titles, layer_name, output_names, own_name, unit_name
from app.words.numbers import DIGITS, MINUS, signed
from app.words.segments import Segment, Segments, joined, say, several
from app.words.sentences import Sentence, capital, sentence
from app.words.texts import text
from engine import ACTIVATIONS, FEATURES, LayerTrace, Network, Quantity, Trace
from engine.along import again
from engine.arrays import Floats
from engine.equation import (
    Equation,
    Look,
    Number,
    Over,
    Places,
    Product,
    axes_of,
    code_name,
    mapped,
    overs,
    quantities,
    total,
)
from engine.equations import At, Equations
from engine.evaluation import classify
from engine.examples import class_names
from engine.lookup import Numbers
from engine.operations import behind
from engine.quantity import Index, unit

EXAMPLES = 3  # examples of a batch that are written out
UNITS = 4  # units of a layer that are written out
_BACKWARD = ("dz", "dn", "da", "q", "dW", "db", "dxhat", "dz_own", "dz_mean", "dz_spread")
BY_NAME = ("z", "da", "dh", "dn", "dxhat", "loss")  # what is called by name where it stands alone, too
_SIGNS = ("+", MINUS, "×", "/")


Spot = tuple[int, ...]  # channel, row, column; of plain numbers the unit
Writer = Callable[["Scene", int, int, int], Face]  # of a moment: about a layer, a unit of it or 0 for all, a source


def behind_back(kind: str) -> bool:
    """Whether it is what comes back to something that stands behind an activation, such as dh."""
    return kind[:1] == "d" and behind(kind) is not None


def goes_back(kind: str) -> bool:
    """Whether the sum of a batch is drawn of it; of all else it is the mean."""
    return kind in _BACKWARD or behind_back(kind)


def strongest(maps: Floats, j: int) -> Spot:
    """The place of a channel where the first example's map has its largest number, by size: (channel, row, column)."""
    own = np.abs(np.nan_to_num(maps[0, j - 1]))
    row, column = (int(at) + 1 for at in np.unravel_index(int(own.argmax()), own.shape))
    return j, row, column


def of_one(of: Equation) -> Equation:
    """About the first example, where an equation is about each and does not go through all of them."""
    if any(over.letter == "n" for over in overs(of.tree)):
        return of
    return replace(of, tree=mapped(of.tree, lambda q: q.at(0) if q.example == "n" else q))


def is_first(of: Formula) -> bool:
    """Whether it is about the first example alone."""
    ends = (of,) if isinstance(of, Quantity) else quantities(of.tree if isinstance(of, Equation) else of)
    return any(each.example == 0 for each in (*ends, *([of.target] if isinstance(of, Equation) else [])))


def _unravelled(place: int, shape: tuple[int, ...]) -> tuple[int, int, int]:
    channel, row, column = (int(at) + 1 for at in np.unravel_index(place - 1, shape))
    return channel, row, column


@dataclass(frozen=True)
class Known:
    """A step's numbers, and what has been made of them beside it."""

    look: Look
    made: Mapping[Quantity, float]

    def __call__(self, of: Quantity, at: Any = None) -> Any:
        return self.made[of] if of in self.made else self.look(of, at)


@dataclass(frozen=True)
class Scene:
    """A trace and the names of what is in it. Layers count from 1, 0 is the inputs; units count from 1. `chosen` is
    what is told of feature maps in the place of what is largest: a place such as a1.2.5.7, a weight of a kernel."""

    trace: Trace
    chosen: tuple[Quantity, ...] = ()

    @cached_property
    def equations(self) -> Equations:
        """The equations of the step."""
        return Equations.of(self.trace)

    @cached_property
    def look(self) -> Numbers:
        """The step's numbers."""
        return Numbers(self.trace)

    @cached_property
    def after(self) -> "Scene":
        """The same examples in the network that the step has made."""
        return Scene(again(self.trace))

    def drawn(self, of: Quantity, at: Any = None) -> Any:
        """A number as the drawing has it: of a batch the mean of all examples', on the way back their sum; 0 where that
        is nothing but the rounding of numbers that cancel, as behind a batch norm."""
        if of.example is None or self.count == 1:
            return self.look(of, at)
        each: Floats = self.look(of.at("n"), self.all)
        cancels = abs(each.sum()) <= NOISE * np.abs(each).sum()
        return 0.0 if cancels else each.sum() if goes_back(of.kind) else each.mean()

    @property
    def network(self) -> Network:
        """Its layers and what is attached to them."""
        return self.trace.spec.network

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer, the inputs first."""
        return self.trace.spec.network.sizes

    @property
    def last(self) -> int:
        """The output layer."""
        return len(self.trace.layers)

    @property
    def count(self) -> int:
        """Examples in the trace."""
        return len(self.trace.examples)

    def layer(self, k: int) -> LayerTrace:
        """Layer k, from 1."""
        return self.trace.layers[k - 1]

    def below(self, k: int) -> Floats:
        """What layer k receives: (examples, inputs)."""
        return self.trace.inputs_of(k - 1)

    def place(self, k: int) -> tuple[int, int] | None:
        """The row and column that are chosen in a layer's maps."""
        found = (of.index[1:] for of in self.chosen if of.layer == k and len(of.index) == 3)
        return next(((int(str(row)), int(str(column))) for row, column in found), None)

    def spot(self, k: int, j: int, maps: Floats) -> Spot:
        """The place of a channel that is told of: the chosen one, or where these maps, of which a pool's are smaller,
        have the first example's largest number by size. Of plain numbers the unit's."""
        if maps.ndim < 4:
            return (j,)
        if place := self.place(k):
            found: tuple[int, ...] | None = (j, *place)
            if maps.shape[2:] != self.network.image(k)[1:]:
                found = self.equations.maps.read_by(k, (j, *place))
            if found:
                return found
        return strongest(maps, j)

    def given_spot(self, k: int, i: int) -> Spot:
        """The place of what a channel gives that is told of to a unit above."""
        return self.spot(k, i, self.look(Quantity(self.network.given_kind(k), k)))

    def gives_at(self, k: int, spot: Spot) -> Quantity:
        """What the first example's channel gives at a place."""
        return Quantity(self.network.given_kind(k), k, spot, 0)

    def kernel_place(self, k: int, j: int, i: int = 0) -> tuple[int, int, int, int]:
        """The weight of a channel's kernels that is told of, or of the one from a channel below: the chosen one, or
        that with the largest gradient."""
        for of in self.chosen:
            if of.kind == "W" and len(of.index) == 4 and (of.layer, of.unit) == (k, j) and i in (0, of.source):
                _, source, row, column = (int(str(at)) for at in of.index)
                return j, source, row, column
        dW = self.layer(k).dW[j - 1]
        some = np.nan_to_num(np.abs(dW[i - 1 : i] if i else dW))
        source, row, column = (int(at) + 1 for at in np.unravel_index(int(some.argmax()), some.shape))
        return j, i or source, row, column

    def gives(self, k: int, i: int) -> Quantity:
        """What a unit gives to those above it: its a, or what dropout or a shortcut makes of that."""
        return unit(k, i).like(self.network.given_kind(k))

    def came(self, k: int, at: At, n: Index = 0) -> list[Equation]:
        """What comes back, stage after stage, to a unit, a place of a channel or by its letter to a whole layer: to
        what the layer gives, down to what its activation gave, and took. What no window of a pool has is no stage."""
        of, network, places = self.equations, self.network, dict[str, At](a=at)
        for letter in network.attached(k):
            before = places[network.before(k, letter)]
            if network.at(k, letter)[1].equation is None and isinstance(before, tuple):
                before = of.maps.read_by(k, tuple(int(str(each)) for each in before)) or ()
            places[letter] = before
        letters = [letter for letter in reversed("a" + network.behind(k)) if places[letter] != ()]
        return [*(of.came(letter, k, places[letter], n, self.look) for letter in letters), of.bent(k, at, n)]

    def scale(self, k: int) -> float:
        """What dropout multiplies by what it leaves in."""
        return 1 / (1 - self.network.dropouts[k])

    def back_kinds(self, k: int) -> tuple[str, ...]:
        """The kinds of what comes back to a layer's activation and to what stands behind that, the last of it first."""
        return tuple(f"d{letter}" for letter in reversed("a" + self.network.behind(k)))

    def slope_name(self, k: int) -> str:
        """What that which comes back to a layer is called: ∂L/∂a, or ∂L/∂h after dropout."""
        return named(self.network.back_kind(k))

    def function(self, k: int) -> str:
        """What a layer's activation is called."""
        return text(ACTIVATIONS[self.layer(k).activation].title)

    def layer_name(self, k: int) -> str:
        """hidden 1, …, the output layer."""
        return text("the output layer") if k == self.last else layer_name(k, self.last)

    def unit(self, k: int, j: int) -> str:
        """What people call a unit: x₂, input mass, hidden 1, unit 3, or the output."""
        if own := own_name(self.trace.spec, k, j):
            return own
        if k == 0:
            names = self.trace.spec.features
            return text(FEATURES[names[j - 1]].title) if names else text("input {unit}", unit=j)
        if channel := self.channel(k, j):
            return channel
        if self.sizes[k] == 1:
            return text("the output") if k == self.last else text("{layer}'s only unit", layer=self.layer_name(k))
        return unit_name(k, j, self.last)

    def channel(self, k: int, j: int) -> str:
        """What a channel is called; nothing for what is none."""
        is_map = k > 0 and self.network.image(k)
        return text("{layer}, channel {channel}", layer=self.layer_name(k), channel=j) if is_map else ""

    def layer_below(self, k: int) -> str:
        """What a layer of feature maps lies over."""
        return text("the image") if k == 1 else self.layer_name(k - 1)

    def links(self, k: int) -> int:
        """How many weights lead into a unit, or a channel."""
        return int(self.layer(k).W[0].size)

    def source(self, k: int, i: int) -> str:
        """The name of what layer k receives, short: x₁ or unit 3; of a kernel's weight where it lies, and of a feature
        map a place."""
        network = self.network
        if shape := network.image(k) and self.layer(k).W.shape[1:]:
            channel, row, column = _unravelled(i, shape)
            return text("row {row}, column {column}, channel {channel}", row=row, column=column, channel=channel)
        if k > 1 and (shape := network.image(k - 1, network.given_kind(k - 1))):
            channel, row, column = _unravelled(i, shape)
            return text("channel {channel}, row {row}, column {column}", row=row, column=column, channel=channel)
        return self.unit(0, i) if k == 1 else text("unit {unit}", unit=i)

    def spell(self, of: Quantity) -> str:
        """One number of the program's arrays, where it stands there: feature maps are in one row for a dense layer, and
        plain numbers are for one that takes an image."""
        network = self.network
        image = network.image(of.layer, of.kind) if of.layer else ()
        if of.kind in ("mean", "spread") and network.image(of.layer):
            return f"{of.kind}{of.layer}[{of.example or 0},{of.unit - 1 if of.index else 0},0,0]"
        if len(of.index) == 1 and image and of.kind == network.given_kind(of.layer):
            return scalar(of.like("flat"))
        if len(of.index) == 3 and not image and (of.kind in ("x", "a") or of.kind in network.attached(of.layer)):
            side, (_, row, column) = isqrt(network.sizes[of.layer]), (int(str(i)) for i in of.index)
            return scalar(Quantity(of.kind, of.layer, (side * (row - 1) + column,), of.example))
        return scalar(of)

    def short_input(self, i: int) -> str:
        """An input, short: x₂, or what one's own data calls it."""
        return input_titles(self.trace.spec)[i - 1] if own_name(self.trace.spec, 0, i) else self.unit(0, i)

    def short_output(self, j: int) -> str:
        """One of several outputs, short: unit 3, or what one's own data calls it."""
        own = own_name(self.trace.spec, self.last, j)
        return output_names(self.trace.spec)[j - 1] if own else text("unit {unit}", unit=j)

    @property
    def wanted(self) -> int | None:
        """The output, from 1, that should be the only high one for the first example; None if it is not so."""
        y = self.trace.y[0]
        alone = self.trace.spec.task == "multiclass" and np.count_nonzero(y == y.max()) == 1
        return int(y.argmax()) + 1 if alone else None

    @property
    def wanted_name(self) -> str:
        """Output for Gentoo; output, unit 3 (class 2): without names classes count from 0."""
        own = own_name(self.trace.spec, self.last, self.wanted or 1)
        if own:
            return capital(own)
        return text("Output, unit {unit} (class {place})", unit=self.wanted, place=(self.wanted or 1) - 1)

    @property
    def classed(self) -> str:
        """The first example's class by its name, where one's own data has two of them and one output tells which."""
        spec, y = self.trace.spec, self.trace.y[0]
        if spec.task != "binary" or not spec.data or len(y) > 1:
            return ""
        return class_names(spec)[int(classify(spec, y[:, np.newaxis])[0])]

    def told_da(self, j: int) -> bool:
        """Whether output j's dL/da is a number: next to 0 or 1 it may be beyond any, where its delta is not."""
        output = self.layer(self.last)
        return bool((np.isfinite(output.da[:, j - 1]) | ~np.isfinite(output.dz[:, j - 1])).all())

    @property
    def first(self) -> str:
        """Says in a batch that what follows is its first example's."""
        return "" if self.count == 1 else text("example {example}: ", example=self.trace.examples[0])

    def say(self, message: str, **parts: object) -> Sentence:
        """The sentence of one example, or the one of a batch, which may say of how many."""
        if self.count == 1:
            return sentence(message, **parts)  # type: ignore[arg-type]
        of = {"count": self.count, "example": int(self.trace.examples[0])}
        return sentence(f"{message} in a batch", **of | parts)  # type: ignore[arg-type]

    def values(self, k: int, j: int, *kinds: str) -> dict[str, float | Floats]:
        """A layer's numbers by their kinds, an entry an example: of one unit, or for 0 of all."""
        arrays = {kind: self.look(Quantity(kind, k)) for kind in kinds}
        return {kind: array[:, j - 1] if j else array for kind, array in arrays.items()}

    def of_first(self, k: int, at: int | Spot, *kinds: str) -> dict[str, float]:
        """The first example's numbers at a unit, or at a place of a feature map, by their kinds."""
        index = at if isinstance(at, tuple) else (at,)
        return {kind: float(self.look(Quantity(kind, k, index, 0))) for kind in kinds}

    def of_drawing(self, k: int, at: int | Spot, *kinds: str) -> dict[str, float]:
        """A unit's numbers, or those at a place of a feature map, as the drawing has them, by their kinds."""
        index = at if isinstance(at, tuple) else (at,)
        return {kind: float(self.drawn(Quantity(kind, k, index, 0))) for kind in kinds}

    def face(
        self,
        words: Sentence | Iterable[Sentence],
        *made: Equation,
        kinds: str = "",
        values: Mapping[str, float | Floats] = {},
        shown: Sequence[Equation] = (),
        numbers: Segments | None = None,
        line: str = "",
    ) -> Face:
        """What a moment tells: all that follows from the equations it has made. Its numbers are these, or what is
        `shown` in their stead, of a whole layer some of each unit's; its line computes the last of them; its values are
        the numbers of these kinds there, and others by name."""
        of, told = made[-1].target, shown or made
        k, j = of.layer, of.unit
        if numbers is None:
            numbers = self.told(*told) if j else self.of_layer(k, of.kind)
        sentences = (words,) if isinstance(words, Sentence) else tuple(words)
        line_of, found = (line or code_name(of),), {**self.values(k, j, *kinds.split()), **values}
        return Face(
            sentences, made, numbers, line_of, found, total=None if axes_of(told[0].target) else self.terms(told[0])
        )

    def of_layer(self, k: int, kind: str) -> Segments:
        """The first example's numbers of a kind in a layer, the first few."""
        return say(self.first, f"{named(kind)} = ", *self.some(self.look(Quantity(kind, k))[0], role_of(kind)))

    def told(self, *made: Equation) -> Segments:
        """Equations with their numbers put in, by name where there are several or the name says more. They are of the
        first example, where they are of one; in a batch everybody's last one stands after them, if that is a unit's."""
        of, alone = made[-1].target, made[0].target.kind
        by_name = len(made) > 1 or alone in BY_NAME or behind_back(alone)
        told = joined([self._digits(each, by_name) for each in made], "; ")
        if self.count == 1 or not any(map(is_first, made)):
            return told
        everybody = self.each(self.look(of.at("n"), self.all), role_of(of.kind)) if len(of.index) < 3 else ()
        return say(self.first, *told, *(say(text("; all: "), *everybody) if everybody else ()))

    def each(self, values: Floats, role: Role) -> Segments:
        """One number per example: itself for one example; the first few of a batch, and that there are more."""
        return self.some(values, role, EXAMPLES)

    def some(self, values: Floats, role: Role, most: int = UNITS) -> Segments:
        """The first few of any numbers, and that there are more."""
        return several((say(Segment(signed(value), role)) for value in values.ravel()[:most].tolist()), values.size)

    @property
    def all(self) -> Places:
        """Every example, for a quantity's n."""
        return {"n": np.arange(self.count)}

    def piece(self, value: float, role: Role) -> Segment:
        """A number in the colour of a role."""
        return Segment(signed(value), role)

    def number(self, of: Quantity) -> Segment:
        """A quantity's number in its colour."""
        return Segment(signed(float(self.look(of))), role_of(of.kind), str(of))

    def _digits(self, of: Equation, by_name: bool) -> Segments:
        bare = by_name and all(isinstance(part.tree, Number) for part in of.where)  # else it is named after its parts
        return say(f"{named(of.target.kind)} = " if bare else "", *digits(of, self.look))

    def closing(self, of: Equation, made: Mapping[Quantity, float] | None = None) -> Segments:
        """An equation with as many digits as make it close; `made` are numbers that the trace does not have."""
        result, _, *cells = Columns(Known(self.look, made or {})).cells(of)
        pieces, after = list[Segment](), ""
        for cell in cells:
            bare = cell.number.lstrip("+") if after in ("+", MINUS, "×") else cell.number
            number = f"({bare})" if after and bare.startswith(MINUS) and not cell.sign else bare
            pieces.append(Segment(f" {cell.number} " if cell.sign and cell.number in _SIGNS else number, cell.role))
            after = cell.number if cell.sign and cell.number in _SIGNS else ""
        return say(*pieces, " = ", Segment(result.number, result.role))

    def printed(self, of: Equation, made: Mapping[Quantity, float] | None = None, shown: int = DIGITS) -> list[str]:
        """The numbers of an equation for a sentence, its result first: with as many digits as make it close."""
        cells = Columns(Known(self.drawn, made or {})).cells(of, shown)
        return [cell.number for cell in cells if not cell.sign]

    def alone(self, of: Equation) -> Equation:
        """The equation without its sum over examples, where there is but one."""
        over = of.tree
        return replace(of, tree=over.body) if self.count == 1 and isinstance(over, Over) else of

    def times_one(self, of: Equation) -> Equation:
        """A bias's gradient as the sum over examples of delta × 1; a shift's alike."""
        over = of.tree
        assert isinstance(over, Over)
        return replace(of, tree=total("n", Product((over.body, Number(1.0))), values=over.values))

    def terms(self, of: Equation) -> Terms | None:
        """What an equation adds up, its largest terms by name."""
        k = of.target.layer

        def label(letter: str, n: int) -> str:
            if letter == "n":
                return text("example {example}", example=self.trace.examples[n])
            return self.unit(k + 1, n) if letter == "j" else self.source(k, n)

        return terms_of(of.tree, self.look, label)
