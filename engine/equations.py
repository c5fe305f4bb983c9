"""The equations of a step: what each of its quantities is made of, made of the tables' entries.

Units, sources and examples are numbers, or letters where a whole layer is meant: `Equations.of(trace).z(2, 1, 0)` is z
of one unit on the batch's first example, `.z(2, "j", "n")` that of the whole layer. They are made of what a layer
receives (`below`) and of what comes back to it (`back`): who feeds a layer from elsewhere says so in these two alone.
What is alike for a unit and for a place of feature maps, `.a(1, (2, 5, 7), 0)`, is written once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import add, mul

from engine.activations import ACTIVATIONS, Activation
from engine.equation import COUNT, Equation, Look, Tree, f, mapped, name, total, totals, tree
from engine.feature_maps import MapEquations
from engine.losses import LOSSES
from engine.network import Network
from engine.optimizers import OPTIMIZERS
from engine.penalties import PENALTIES
from engine.quantity import Index, Quantity, bias, weight
from engine.slopes import slope_of
from engine.tracing import Trace

At = Index | tuple[Index, ...]  # a unit; or a place of feature maps: channel, row, column


@dataclass(frozen=True)
class Equations:
    """The equations of one step on so many examples; without a penalty its name is ""; `classes`:
    every row of y adds up to 1."""

    network: Network
    optimizer: str
    penalty_name: str
    count: int
    classes: bool = False

    @classmethod
    def of(cls, trace: Trace) -> "Equations":
        """Those of a trace."""
        spec, classes = trace.spec, bool((trace.y.sum(axis=1) == 1.0).all())
        penalty = spec.regularization if spec.penalized else ""
        return cls(spec.network, spec.optimizer, penalty, len(trace.examples), classes)

    @property
    def last(self) -> int:
        """The output layer."""
        return len(self.network.shapes)

    def units(self, layer: int) -> range:
        """The units of a layer, from 1."""
        return range(1, self.network.sizes[layer] + 1)

    @property
    def maps(self) -> MapEquations:
        """Those of feature maps."""
        return MapEquations(self)

    def sources(self, layer: int) -> range:
        """The numbers that a dense layer receives, from 1."""
        return range(1, self.network.shapes[layer - 1][1])

    def activation(self, layer: int) -> Activation:
        """The activation's entry."""
        return ACTIVATIONS[self.network.activation_names[layer - 1]]

    def below(self, layer: int, source: Index, example: Index) -> Tree:
        """What a layer receives from one of its sources."""
        return self.given(layer - 1, source, example)

    def given(self, layer: int, at: At, n: Index) -> Tree:
        """What a unit gives to those above: its a, or what is made of that last; an input its x."""
        return _one(self.network.given_kind(layer) if layer else "x", layer, at, n)

    def stage(self, letter: str, layer: int, at: At, n: Index) -> Equation:
        """What a layer makes of what it receives, or of the stage before: z, n, a, or what stands behind that."""
        made: dict[str, Callable[..., Equation]] = {"z": self.z, "n": self.n, "a": self.a}
        return made[letter](layer, at, n) if letter in made else self.attached(letter, layer, at, n)

    def attached(self, letter: str, layer: int, at: At, n: Index) -> Equation:
        """What an operation behind an activation makes of what stands before it, and of what else it is given."""
        node, entry = self.network.at(layer, letter)
        if entry.equation is None:
            return self.maps.v(layer, _spot(at), n)
        others = (self.given(self.network.gives.index(value), at, n) for value in node.inputs[1:])
        saved = (_one(name, layer, at, n) for name in self.network.saved(node))
        own = _one(self.network.before(layer, letter), layer, at, n)
        return Equation(Quantity(letter, layer, _index(at), n), entry.equation(node, [own, *others, *saved]))

    def came(self, letter: str, layer: int, at: At, n: Index, look: Look | None = None) -> Equation:
        """How the loss changes with a number that its activation gives, or what stands behind that: through what is
        made of it within the layer, at its end from above. Who won a pool's window is seen in the numbers."""
        target, after = Quantity("d" + letter, layer, _index(at), n), self.network.after(layer, letter)
        if after and self.network.at(layer, after)[1].equation is None:
            return Equation(target, self.maps.through_pool(layer, _spot(at), n, look))
        if after:
            own = Quantity(self.network.before(layer, after), layer, _index(at), n)
            slope = slope_of(self.attached(after, layer, at, n).tree, own)
            return Equation(target, slope * _one("d" + after, layer, at, n))
        if layer == self.last:
            return Equation(target, self._placed(LOSSES[self.network.loss_name].slope, layer, at, n))
        if isinstance(at, tuple):
            return Equation(target, self.maps.back(layer, _spot(at), n))
        return Equation(target, reduce(add, self.back(layer, at, n)))

    def shared(self, kind: str, layer: int, at: At, n: Index) -> Quantity:
        """A number that a normalization takes over all of one example's layer, or over the examples of one unit."""
        each = self.network.norms[layer] == "layer_norm"
        return Quantity(kind, layer, () if each else _index(at)[:1], n if each else None)

    def _places(self, layer: int) -> tuple[tuple[str, range], ...]:
        """The letters of a channel's places, with where each runs; of plain units none."""
        sides = self.network.image(layer)[1:]
        return tuple((letter, range(1, side + 1)) for letter, side in zip("yx", sides, strict=False))

    def _mean(self, layer: int, at: At, n: Index, body: Callable[[At, Index], Tree]) -> Tree:
        """The mean of a body over all that a normalization takes together: an example's whole layer, or on all examples
        a unit, or a channel's places."""
        places, count = self._places(layer), prod(self.network.image(layer)[1:])
        within = tuple(letter for letter, _ in places)
        if self.network.norms[layer] == "layer_norm":
            unit = "c" if places else "i"
            each = totals((unit, self.units(layer)), *places, body=body((unit, *within), n))
            return each / (len(self.units(layer)) * count)
        each = totals(("m", range(self.count)), *places, body=body((_index(at)[0], *within), "m"))
        return (each / count if places else each) / COUNT

    def mean(self, layer: int, at: At, n: Index) -> Equation:
        """The mean of what a normalization takes together."""
        target = self.shared("mean", layer, at, n)
        return Equation(target, self._mean(layer, at, n, lambda at, n: _one("z", layer, at, n)))

    def spread(self, layer: int, at: At, n: Index) -> Equation:
        """The root of their variance, and a little."""
        mean = tree(self.shared("mean", layer, at, n))
        variance = self._mean(layer, at, n, lambda at, m: f("square", _one("z", layer, at, m) - mean))
        return Equation(self.shared("spread", layer, at, n), f("sqrt", variance + name("eps")))

    def xhat(self, layer: int, at: At, n: Index) -> Equation:
        """A number's z without the mean, in units of the spread."""
        mean, spread = (tree(self.shared(kind, layer, at, n)) for kind in ("mean", "spread"))
        return Equation(Quantity("xhat", layer, _index(at), n), (_one("z", layer, at, n) - mean) / spread)

    def n(self, layer: int, at: At, n: Index) -> Equation:
        """What a normalization gives on."""
        gain, shift = (tree(Quantity(kind, layer, _index(at)[:1])) for kind in ("gamma", "beta"))
        return Equation(Quantity("n", layer, _index(at), n), gain * _one("xhat", layer, at, n) + shift)

    def back(self, layer: int, source: Index, example: Index) -> list[Tree]:
        """What comes back to a unit: a term for every place that received what it gave; they are its da, or dh."""
        if self.network.image(layer + 1) and isinstance(source, int):
            return [self.maps.to_number(layer, source, example)]
        products = tree(weight(layer + 1, "j", source)) * tree(Quantity("dz", layer + 1, ("j",), example))
        over_links = total("j", products, values=self.units(layer + 1))
        over_arcs = ((self.network.joint_kind(to), to) for to in self.network.arcs(layer))
        return [over_links, *(_one(kind, to, source, example) for kind, to in over_arcs)]

    def product(self, layer: int, j: Index, i: Index, n: Index) -> Equation:
        """What one link carries."""
        return Equation(Quantity("p", layer, (j, i), n), tree(weight(layer, j, i)) * self.below(layer, i, n))

    def sum(self, layer: int, j: Index, n: Index) -> Equation:
        """What all links into a unit carry together."""
        return Equation(Quantity("s", layer, (j,), n), self._carried(layer, j, n))

    def bias(self, layer: int, j: Index, n: Index) -> Equation:
        """A unit's z, from the sum."""
        return Equation(Quantity("z", layer, (j,), n), tree(Quantity("s", layer, (j,), n)) + tree(bias(layer, j)))

    def z(self, layer: int, at: At, n: Index) -> Equation:
        """A unit's z, from what it receives."""
        own = _index(at)
        return Equation(Quantity("z", layer, own, n), self._carried(layer, at, n) + tree(bias(layer, own[0])))

    def _carried(self, layer: int, at: At, n: Index) -> Tree:
        if isinstance(at, tuple):
            return self.maps.over_window(layer, at, n)
        j = at
        return total("i", tree(weight(layer, j, "i")) * self.below(layer, "i", n), values=self.sources(layer))

    def a(self, layer: int, at: At, n: Index, stable: bool = False) -> Equation:
        """A unit's activation; `stable`: computed so that no sum is too large for it."""
        entry = self.activation(layer)
        made = (entry.stable if stable else None) or entry.tree
        target = Quantity("a", layer, _index(at), n)
        return Equation(target, self._placed(made, layer, at, n), self._where(entry, layer, at, n))

    def _where(self, entry: Activation, layer: int, at: At, n: Index) -> tuple[Equation, ...]:
        placed = ((part.target, part.tree) for part in entry.where)
        return tuple(Equation(self._at(named, layer, at, n), self._placed(of, layer, at, n)) for named, of in placed)

    def _at(self, of: Quantity, layer: int, at: At, n: Index) -> Quantity:
        """A name of a table's entry as the quantity of a unit; z is what the activation takes."""
        if of.kind not in _OF_UNITS:
            return of
        kind = self.network.bent_kind(layer) if of.kind == "z" else of.kind
        return Quantity(kind, 0 if of.kind == "y" else layer, of.index or _index(at), n)

    def _placed(self, entry: Tree, layer: int, at: At, n: Index) -> Tree:
        """A table's entry about one unit."""
        values = {"i": self.units(layer), "m": self.units(layer), "k": self.units(layer), "n": range(self.count)}
        return mapped(entry, lambda of: self._at(of, layer, at, of.example or n), values)

    def loss(self, stable: bool = False) -> Equation:
        """The loss of all outputs of all examples."""
        joined = self.network.joined if stable else None
        entry = joined.tree if joined else LOSSES[self.network.loss_name].tree
        return Equation(Quantity("loss"), self._placed(entry, self.last, "k", "n"))

    def weights(self, layer: int) -> Quantity:
        """All weights of a layer, by letters: to a unit from another, and of a kernel by row and column."""
        return Quantity("W", layer, ("j", "i", "r", "c") if self.network.image(layer) else ("j", "i"))

    def penalty(self) -> Equation:
        """What regularization adds to the loss."""
        cost, terms = PENALTIES[self.penalty_name].tree, []
        for k in range(1, self.last + 1):
            of = self.weights(k)
            each = mapped(cost, lambda w, of=of: of)  # type: ignore[misc]
            shape = next(own.shape for own in self.network.parameters if own.letter == "W" and own.layer == k)
            axes = ((str(letter), range(1, length + 1)) for letter, length in zip(of.index, shape, strict=True))
            terms.append(totals(*axes, body=each))
        return Equation(Quantity("penalty"), name("regularization_rate") * reduce(add, terms))

    def da(self, layer: int, j: Index, n: Index) -> Equation:
        """How the loss changes with a unit's activation."""
        return self.came("a", layer, j, n)

    def product_back(self, layer: int, j: Index, i: Index, n: Index) -> Equation:
        """What one link takes back."""
        return Equation(Quantity("q", layer, (j, i), n), tree(weight(layer, j, i)) * _one("dz", layer, j, n))

    def slope(self, layer: int, at: At, n: Index) -> Equation:
        """The activation's derivative at a unit's z."""
        entry = self.activation(layer)
        target = Quantity("slope", layer, _index(at), n)
        return Equation(target, self._placed(entry.slope, layer, at, n), self._where(entry, layer, at, n))

    def dz(self, layer: int, at: At, n: Index) -> Equation:
        """A unit's delta; behind a normalization what comes back over its three ways."""
        if layer not in self.network.norms:
            return self.bent(layer, at, n)
        ways = (_one(kind, layer, at, n) for kind in ("dz_own", "dz_mean", "dz_spread"))
        return Equation(Quantity("dz", layer, _index(at), n), reduce(add, ways))

    def ways(self, layer: int, at: At, n: Index) -> tuple[Equation, ...]:
        """The three ways back through a normalization: through the number itself, the mean and the spread."""
        own, spread = _one("dxhat", layer, at, n), tree(self.shared("spread", layer, at, n))
        level = self._mean(layer, at, n, lambda at, n: _one("dxhat", layer, at, n))
        tilt = self._mean(layer, at, n, lambda at, n: _one("dxhat", layer, at, n) * _one("xhat", layer, at, n))
        each = {"dz_own": own, "dz_mean": -level, "dz_spread": -(_one("xhat", layer, at, n) * tilt)}
        return tuple(Equation(Quantity(kind, layer, _index(at), n), made / spread) for kind, made in each.items())

    def dxhat(self, layer: int, at: At, n: Index) -> Equation:
        """What comes back to what is normalized."""
        gain = tree(Quantity("gamma", layer, _index(at)[:1]))
        return Equation(Quantity("dxhat", layer, _index(at), n), gain * _one("dn", layer, at, n))

    def dgamma(self, layer: int, j: Index) -> Equation:
        """A gain's gradient."""
        return self._everywhere("dgamma", layer, j, "dn", "xhat")

    def dbeta(self, layer: int, j: Index) -> Equation:
        """A shift's gradient."""
        return self._everywhere("dbeta", layer, j, "dn")

    def gains(self, layer: int, j: Index) -> tuple[Equation, Equation]:
        """Both of them."""
        return self.dgamma(layer, j), self.dbeta(layer, j)

    def db(self, layer: int, j: Index) -> Equation:
        """A bias's gradient."""
        return self._everywhere("db", layer, j, "dz")

    def _everywhere(self, target: str, layer: int, j: Index, *kinds: str) -> Equation:
        """The gradient of what all examples share, and all places of a channel: products of these, added up."""
        places = self._places(layer)
        at = (j, *(letter for letter, _ in places))
        body = reduce(mul, (_one(kind, layer, at, "n") for kind in kinds))
        return Equation(Quantity(target, layer, (j,)), totals(("n", range(self.count)), *places, body=body))

    def bent(self, layer: int, at: At, n: Index) -> Equation:
        """What comes back to what the activation takes: where loss and output are one, from these; else from its da."""
        target, joined = Quantity("d" + self.network.bent_kind(layer), layer, _index(at), n), self.network.joined
        entry = self.activation(layer)
        if layer == self.last and joined:
            made = (self.classes and joined.dz_of_classes) or joined.dz
            return Equation(target, self._placed(made, layer, at, n))
        if entry.product:
            return Equation(target, self._placed(entry.slope, layer, at, n))
        slope = self.slope(layer, at, n)
        return Equation(target, _one("da", layer, at, n) * tree(slope.target), (slope, *slope.where))

    def dW(self, layer: int, j: Index, i: Index) -> Equation:
        """A weight's gradient: what each example's delta and what the link carried make, added up."""
        body = _one("dz", layer, j, "n") * self.below(layer, i, "n")
        return Equation(Quantity("dW", layer, (j, i)), total("n", body, values=range(self.count)))

    def pull(self, layer: int, *index: Index) -> Equation:
        """What regularization adds to a weight's gradient."""
        slope = mapped(PENALTIES[self.penalty_name].slope, lambda _: Quantity("W", layer, index))
        return Equation(Quantity("dR", layer, index), name("regularization_rate") * slope)

    def pulled(self, layer: int, *index: Index) -> Equation:
        """A weight's gradient with what regularization adds."""
        return Equation(
            Quantity("gW", layer, index), tree(Quantity("dW", layer, index)) + self.pull(layer, *index).tree
        )

    def gradient(self, of: Quantity) -> Quantity:
        """The gradient that a parameter is updated by, with what regularization adds to a weight's."""
        return of.like("gW" if of.kind == "W" and self.penalty_name else f"d{of.kind}")

    def update(self, of: Quantity) -> Iterator[Equation]:
        """The lines of the optimizer's rule about one parameter, or about a whole layer's: each its next value."""
        gradient = self.gradient(of)
        slots = OPTIMIZERS[self.optimizer].slots

        def place(named: Quantity) -> Quantity:
            if named.kind in slots:
                return of.like(f"{named.kind}_{of.kind}")
            return {"p": of, "g": gradient}.get(named.kind, named)

        for line in OPTIMIZERS[self.optimizer].steps:
            target = of.like(f"{of.kind}_next") if line.target.kind == "p" else place(line.target)
            yield Equation(target, mapped(line.tree, place))


_OF_UNITS = ("z", "a", "da", "y", "t")


def _index(at: At) -> tuple[Index, ...]:
    return at if isinstance(at, tuple) else (at,)


def _spot(at: At) -> tuple[int, ...]:
    """A place of feature maps by its numbers."""
    return tuple(int(str(each)) for each in _index(at))


def _one(kind: str, layer: int, at: At, n: Index) -> Tree:
    """A number of a unit or of a place, as a tree."""
    return tree(Quantity(kind, layer, _index(at), n))
