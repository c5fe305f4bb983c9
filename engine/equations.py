"""The equations of a step: what each of its quantities is made of, made of the tables' entries.

Units, sources and examples are numbers, or letters where a whole layer is meant: `Equations.of(trace).z(2, 1, 0)` is z
of one unit on the batch's first example, `.z(2, "j", "n")` that of the whole layer. They are made of what a layer
receives (`below`) and of what comes back to it (`back`): who feeds a layer from elsewhere says so in these two alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add

from engine.activations import ACTIVATIONS, Activation
from engine.equation import COUNT, Equation, Tree, f, mapped, name, total, tree
from engine.feature_maps import MapEquations
from engine.losses import LOSSES
from engine.network import Network
from engine.operations import OPERATIONS
from engine.optimizers import OPTIMIZERS
from engine.penalties import PENALTIES
from engine.quantity import Index, Quantity, bias, unit, weight
from engine.tracing import Trace


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

    def given(self, layer: int, j: Index, n: Index) -> Tree:
        """What a unit gives to those above: o where a shortcut leads to it, h after dropout, else a; an input its x."""
        return tree(Quantity(self.network.given_kind(layer) if layer else "x", layer, (j,), n))

    def h(self, layer: int, j: Index, n: Index) -> Equation:
        """What dropout lets through of a unit's activation."""
        made = OPERATIONS["dropout"].equation
        assert made is not None
        own = unit(layer, j).at(n)
        return Equation(own.like("h"), made([tree(own), tree(own.like("mask"))]))

    def _shared(self, kind: str, layer: int, j: Index, n: Index) -> Tree:
        """A number that a normalization takes over the units of one example, or over the examples of one unit."""
        return tree(self.shared(kind, layer, j, n))

    def shared(self, kind: str, layer: int, j: Index, n: Index) -> Quantity:
        """Its quantity: of a layer and an example, or of a unit."""
        each = self.network.norms[layer] == "layer_norm"
        return Quantity(kind, layer, () if each else (j,), n if each else None)

    def _mean(self, layer: int, j: Index, n: Index, body: Callable[[Index, Index], Tree]) -> Tree:
        """The mean of a body over all that a normalization takes together."""
        if self.network.norms[layer] == "layer_norm":
            return total("i", body("i", n), values=self.units(layer)) / len(self.units(layer))
        return total("m", body(j, "m"), values=range(self.count)) / COUNT

    def mean(self, layer: int, j: Index, n: Index) -> Equation:
        """The mean of what a normalization takes together."""
        target = self.shared("mean", layer, j, n)
        return Equation(target, self._mean(layer, j, n, lambda j, n: _of_unit("z", layer, j, n)))

    def spread(self, layer: int, j: Index, n: Index) -> Equation:
        """The root of their variance, and a little."""

        def square(j: Index, n: Index) -> Tree:
            return f("square", _of_unit("z", layer, j, n) - self._shared("mean", layer, j, n))

        return Equation(self.shared("spread", layer, j, n), f("sqrt", self._mean(layer, j, n, square) + name("eps")))

    def xhat(self, layer: int, j: Index, n: Index) -> Equation:
        """A unit's z without the mean, in units of the spread."""
        centred = _of_unit("z", layer, j, n) - self._shared("mean", layer, j, n)
        return Equation(Quantity("xhat", layer, (j,), n), centred / self._shared("spread", layer, j, n))

    def n(self, layer: int, j: Index, n: Index) -> Equation:
        """What a normalization gives on of a unit."""
        own = tree(Quantity("gamma", layer, (j,))) * _of_unit("xhat", layer, j, n)
        return Equation(Quantity("n", layer, (j,), n), own + tree(Quantity("beta", layer, (j,))))

    def o(self, layer: int, j: Index, n: Index) -> Equation:
        """What a unit gives where a shortcut leads to it."""
        added = self.given(self.network.shortcuts[layer], j, n)
        made = OPERATIONS["shortcut"].equation
        assert made is not None
        own = unit(layer, j).like("h" if layer in self.network.dropouts else "a").at(n)
        return Equation(Quantity("o", layer, (j,), n), made([tree(own), added]))

    def back(self, layer: int, source: Index, example: Index) -> list[Tree]:
        """What comes back to a unit: a term for every place that received what it gave; they are its da, or dh."""
        if self.network.image(layer + 1) and isinstance(source, int):
            return [self.maps.to_number(layer, source, example)]
        products = tree(weight(layer + 1, "j", source)) * tree(Quantity("dz", layer + 1, ("j",), example))
        over_links = total("j", products, values=self.units(layer + 1))
        over_arcs = ((self.network.joint_kind(to), to) for to in self.network.arcs(layer))
        return [over_links, *(_of_unit(kind, to, source, example) for kind, to in over_arcs)]

    def product(self, layer: int, j: Index, i: Index, n: Index) -> Equation:
        """What one link carries."""
        return Equation(Quantity("p", layer, (j, i), n), tree(weight(layer, j, i)) * self.below(layer, i, n))

    def sum(self, layer: int, j: Index, n: Index) -> Equation:
        """What all links into a unit carry together."""
        return Equation(Quantity("s", layer, (j,), n), self._carried(layer, j, n))

    def bias(self, layer: int, j: Index, n: Index) -> Equation:
        """A unit's z, from the sum."""
        return Equation(Quantity("z", layer, (j,), n), tree(Quantity("s", layer, (j,), n)) + tree(bias(layer, j)))

    def z(self, layer: int, j: Index, n: Index) -> Equation:
        """A unit's z, from what it receives."""
        return Equation(Quantity("z", layer, (j,), n), self._carried(layer, j, n) + tree(bias(layer, j)))

    def _carried(self, layer: int, j: Index, n: Index) -> Tree:
        return total("i", tree(weight(layer, j, "i")) * self.below(layer, "i", n), values=self.sources(layer))

    def a(self, layer: int, j: Index, n: Index, stable: bool = False) -> Equation:
        """A unit's activation; `stable`: computed so that no sum is too large for it."""
        entry = self.activation(layer)
        made = (entry.stable if stable else None) or entry.tree
        return Equation(unit(layer, j).at(n), self._placed(made, layer, j, n), self._where(entry, layer, j, n))

    def _where(self, entry: Activation, layer: int, j: Index, n: Index) -> tuple[Equation, ...]:
        placed = ((part.target, part.tree) for part in entry.where)
        return tuple(Equation(self._at(named, layer, j, n), self._placed(of, layer, j, n)) for named, of in placed)

    def _at(self, of: Quantity, layer: int, j: Index, n: Index) -> Quantity:
        """A name of a table's entry as the quantity of a unit; z is what the activation takes."""
        if of.kind not in _OF_UNITS:
            return of
        kind = self.network.bent_kind(layer) if of.kind == "z" else of.kind
        return Quantity(kind, 0 if of.kind == "y" else layer, of.index or (j,), n)

    def _placed(self, entry: Tree, layer: int, j: Index, n: Index) -> Tree:
        """A table's entry about one unit."""
        values = {"i": self.units(layer), "m": self.units(layer), "k": self.units(layer), "n": range(self.count)}
        return mapped(entry, lambda of: self._at(of, layer, j, of.example or n), values)

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
            axes = reversed(list(zip(map(str, of.index), shape, strict=True)))
            terms.append(reduce(lambda inner, axis: total(axis[0], inner, values=range(1, axis[1] + 1)), axes, each))
        return Equation(Quantity("penalty"), name("regularization_rate") * reduce(add, terms))

    def da(self, layer: int, j: Index, n: Index) -> Equation:
        """How the loss changes with a unit's activation."""
        target = Quantity("da", layer, (j,), n)
        if layer == self.last:
            return Equation(target, self._placed(LOSSES[self.network.loss_name].slope, layer, j, n))
        if layer in self.network.dropouts:
            return Equation(target, _of_unit("mask", layer, j, n) * _of_unit("dh", layer, j, n))
        return Equation(target, reduce(add, self.back(layer, j, n)))

    def dh(self, layer: int, j: Index, n: Index) -> Equation:
        """How the loss changes with what dropout lets through of a unit."""
        return Equation(Quantity("dh", layer, (j,), n), reduce(add, self.back(layer, j, n)))

    def product_back(self, layer: int, j: Index, i: Index, n: Index) -> Equation:
        """What one link takes back."""
        return Equation(Quantity("q", layer, (j, i), n), tree(weight(layer, j, i)) * _of_unit("dz", layer, j, n))

    def slope(self, layer: int, j: Index, n: Index) -> Equation:
        """The activation's derivative at a unit's z."""
        entry = self.activation(layer)
        target = Quantity("slope", layer, (j,), n)
        return Equation(target, self._placed(entry.slope, layer, j, n), self._where(entry, layer, j, n))

    def dz(self, layer: int, j: Index, n: Index) -> Equation:
        """A unit's delta; behind a normalization what comes back over its three ways."""
        if layer not in self.network.norms:
            return self.bent(layer, j, n)
        ways = (_of_unit(kind, layer, j, n) for kind in ("dz_own", "dz_mean", "dz_spread"))
        return Equation(Quantity("dz", layer, (j,), n), reduce(add, ways))

    def ways(self, layer: int, j: Index, n: Index) -> tuple[Equation, ...]:
        """The three ways back through a normalization: through the number itself, the mean and the spread."""
        own, spread = _of_unit("dxhat", layer, j, n), self._shared("spread", layer, j, n)
        level = self._mean(layer, j, n, lambda j, n: _of_unit("dxhat", layer, j, n))
        tilt = self._mean(layer, j, n, lambda j, n: _of_unit("dxhat", layer, j, n) * _of_unit("xhat", layer, j, n))
        each = {"dz_own": own, "dz_mean": -level, "dz_spread": -(_of_unit("xhat", layer, j, n) * tilt)}
        return tuple(Equation(Quantity(kind, layer, (j,), n), made / spread) for kind, made in each.items())

    def dxhat(self, layer: int, j: Index, n: Index) -> Equation:
        """What comes back to what is normalized."""
        gain = tree(Quantity("gamma", layer, (j,)))
        return Equation(Quantity("dxhat", layer, (j,), n), gain * _of_unit("dn", layer, j, n))

    def dgamma(self, layer: int, j: Index) -> Equation:
        """A gain's gradient."""
        body = _of_unit("dn", layer, j, "n") * _of_unit("xhat", layer, j, "n")
        return Equation(Quantity("dgamma", layer, (j,)), self._over(body))

    def dbeta(self, layer: int, j: Index) -> Equation:
        """A shift's gradient."""
        return Equation(Quantity("dbeta", layer, (j,)), self._over(_of_unit("dn", layer, j, "n")))

    def bent(self, layer: int, j: Index, n: Index) -> Equation:
        """What comes back to what the activation takes: where loss and output are one, from these; else from its da."""
        target, joined = Quantity("d" + self.network.bent_kind(layer), layer, (j,), n), self.network.joined
        entry = self.activation(layer)
        if layer == self.last and joined:
            made = (self.classes and joined.dz_of_classes) or joined.dz
            return Equation(target, self._placed(made, layer, j, n))
        if entry.product:
            return Equation(target, self._placed(entry.slope, layer, j, n))
        slope = self.slope(layer, j, n)
        return Equation(target, _of_unit("da", layer, j, n) * tree(slope.target), (slope, *slope.where))

    def dW(self, layer: int, j: Index, i: Index) -> Equation:
        """A weight's gradient: what each example's delta and what the link carried make, added up."""
        return Equation(
            Quantity("dW", layer, (j, i)), self._over(_of_unit("dz", layer, j, "n") * self.below(layer, i, "n"))
        )

    def db(self, layer: int, j: Index) -> Equation:
        """A bias's gradient."""
        return Equation(Quantity("db", layer, (j,)), self._over(_of_unit("dz", layer, j, "n")))

    def _over(self, body: Tree) -> Tree:
        return total("n", body, values=range(self.count))

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


def _of_unit(kind: str, layer: int, j: Index, n: Index) -> Tree:
    """A number of a unit, as a tree."""
    return tree(Quantity(kind, layer, (j,), n))
