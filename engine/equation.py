"""Equation: what a number of a step is made of, as one small tree of which every way of telling it is written.

`a = tanh(z)` is `Equation(A.quantity, f("tanh", Z))`. The same tree is evaluated on a trace's numbers (`value`),
written as NumPy for whole arrays (`numpy_of`), and in `app.words` as MathML, as LaTeX and with its numbers put in: so
that no two of them can disagree.

An operation brings its equations itself: beside its two calls it has two functions from a place (layer, unit, example;
numbers or letters) to equations, forwards and backwards, made by `+ - * /`, `f(function, …)` and `total(letter, …)`
of quantities. Every quantity that is a target once is known from there on; what an operation saves on its way forward
(a mask, a mean) is a quantity of its own. Nothing else is needed: the program, the walkthrough's generic moment and
the receipts are written from the equations.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.quantity import Index, Quantity

Places = Mapping[str, Any]  # a number or an array of numbers for each letter
Look = Callable[[Quantity, Places], Floats]


class Tree:
    """A number, a quantity, or something made of these."""

    def __add__(self, other: "Tree | float") -> "Tree":
        return Sum((*_terms(self), *_terms(tree(other))))

    def __radd__(self, other: float) -> "Tree":
        return tree(other) + self

    def __sub__(self, other: "Tree | float") -> "Tree":
        return self + -tree(other)

    def __rsub__(self, other: float) -> "Tree":
        return tree(other) - self

    def __neg__(self) -> "Tree":
        if isinstance(self, Number):
            return Number(-self.value)
        own = self if isinstance(self, Product) else Product((self,))
        return _product((Number(-1.0), *own.factors), own.over)

    def __mul__(self, other: "Tree | float") -> "Tree":
        left, right = (each if isinstance(each, Product) else Product((each,)) for each in (self, tree(other)))
        return _product((*left.factors, *right.factors), (*left.over, *right.over))

    def __rmul__(self, other: float) -> "Tree":
        return tree(other) * self

    def __truediv__(self, other: "Tree | float") -> "Tree":
        by, own = tree(other), self if isinstance(self, Product) else Product((self,))
        return _product(own.factors, (*own.over, *_factors(by)))

    def __rtruediv__(self, other: float) -> "Tree":
        return tree(other) / self


@dataclass(frozen=True)
class Number(Tree):
    """A number that is written as it is."""

    value: float


@dataclass(frozen=True)
class Ref(Tree):
    """The number that a quantity has."""

    quantity: Quantity


@dataclass(frozen=True)
class Sum(Tree):
    """Terms added up; what is taken away is a product with a negative number first."""

    terms: tuple[Tree, ...]


@dataclass(frozen=True)
class Product(Tree):
    """Factors multiplied, and what their product is divided by."""

    factors: tuple[Tree, ...]
    over: tuple[Tree, ...] = ()


@dataclass(frozen=True)
class Apply(Tree):
    """A function of FUNCTIONS, applied."""

    function: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True)
class Over(Tree):
    """Sum, max or logsumexp of a body over a letter, which takes the values given; a table's entry leaves them open."""

    how: str
    letter: str
    values: tuple[int, ...]
    body: Tree


@dataclass(frozen=True)
class Equation:
    """A quantity and the tree that it is equal to; `where` are equations of named parts of the tree."""

    target: Quantity
    tree: Tree
    where: tuple["Equation", ...] = ()


@dataclass(frozen=True)
class Function:
    """A function of numbers: what computes it, and its NumPy, with `{}` for each argument.

    `atoms` says that its arguments are put in brackets unless they are short; `level` how tightly its code binds:
    3 as a name does, 2 as a power, 1 as a product.
    """

    numpy: Callable[..., Any]
    code: str
    level: int = 3
    atoms: bool = False


FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp, "np.exp({})"),
    "expm1": Function(np.expm1, "np.expm1({})"),
    "ln": Function(np.log, "np.log({})"),
    "tanh": Function(np.tanh, "np.tanh({})"),
    "sigmoid": Function(lambda z: 1.0 / (1.0 + np.exp(-z)), "1 / (1 + np.exp(-{}))", 1, True),
    "softplus": Function(lambda z: np.logaddexp(0.0, z), "np.logaddexp(0, {})"),
    "sqrt": Function(np.sqrt, "np.sqrt({})"),
    "sin": Function(np.sin, "np.sin({})"),
    "cos": Function(np.cos, "np.cos({})"),
    "square": Function(np.square, "{}**2", 2, True),
    "cube": Function(lambda z: z * z * z, "{}**3", 2, True),
    "power": Function(np.power, "{}**{}", 2, True),
    "abs": Function(np.abs, "np.abs({})"),
    "sign": Function(np.sign, "np.sign({})"),
    "max": Function(np.maximum, "np.maximum({}, {})"),
    "min": Function(np.minimum, "np.minimum({}, {})"),
    "choose": Function(lambda a, b, yes, no: np.where(a > b, yes, no), "np.where({} > {}, {}, {})"),
}
REDUCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "sum": lambda values: np.add.reduce(values, -1),
    "max": lambda values: np.maximum.reduce(values, -1),
    "logsumexp": lambda values: np.logaddexp.reduce(values, -1),
}


def tree(value: "Tree | float | Quantity") -> Tree:
    """A number or a quantity as a tree."""
    return value if isinstance(value, Tree) else Ref(value) if isinstance(value, Quantity) else Number(float(value))


def f(function: str, *arguments: Tree | float) -> Tree:
    """A function applied."""
    return Apply(function, tuple(tree(argument) for argument in arguments))


def total(letter: str, body: Tree, how: str = "sum", values: Sequence[int] = ()) -> Tree:
    """The body summed over a letter's values."""
    return Over(how, letter, tuple(values), body)


def totals(*letters: tuple[str, Sequence[int]], body: Tree) -> Tree:
    """The body summed over several letters, the first outside."""
    return reduce(lambda inner, each: total(each[0], inner, values=each[1]), reversed(letters), body)


def name(kind: str, *index: Index, example: Index | None = None) -> Ref:
    """A quantity without a place yet, for a table's entry: z, or z of unit i."""
    return Ref(Quantity(kind, 0, index, example))


# The names that the tables' entries are written in. Of one unit: its z, a, da, target y; of each: z of unit i.
Z, A, DA, Y = name("z"), name("a"), name("da"), name("y")
COUNT, OUTPUTS, RATE, WEIGHT = name("count"), name("outputs"), name("rate"), name("W")


def of_each(of: Ref, letter: str = "i") -> Ref:
    """The same number of each unit of the layer."""
    return name(of.quantity.kind, letter)


def whole(of: Tree) -> str:
    """An entry as NumPy for arrays of all examples and units, batch-first, under the entry's own names."""
    rows = ("z", "a", "da", "y", "t")
    everywhere = mapped(of, lambda q: Quantity(q.kind, 0, q.index or ("j",), "n") if q.kind in rows else q)
    return numpy_of(everywhere, ("n", "j"))


def _terms(of: Tree) -> tuple[Tree, ...]:
    return of.terms if isinstance(of, Sum) else (of,)


def _factors(of: Tree) -> tuple[Tree, ...]:
    return of.factors if isinstance(of, Product) and not of.over else (of,)


def _product(factors: tuple[Tree, ...], over: tuple[Tree, ...]) -> Tree:
    """Numbers in front as one, ones left out."""
    number = reduce(lambda product, each: product * each.value, [x for x in factors if isinstance(x, Number)], 1.0)
    others = tuple(x for x in factors if not isinstance(x, Number))
    front = (Number(number),) if number != 1.0 or not others else ()
    found = (*front, *others)
    return found[0] if len(found) == 1 and not over else Product(found, over)


def parts(of: Tree) -> tuple[Tree, ...]:
    """What a tree is made of directly."""
    match of:
        case Sum(terms):
            return terms
        case Product(factors, over):
            return (*factors, *over)
        case Apply(_, arguments):
            return arguments
        case Over(_, _, _, body):
            return (body,)
    return ()


def mapped(of: Tree, change: Callable[[Quantity], "Quantity | Tree"], values: Mapping[str, Sequence[int]] = {}) -> Tree:
    """The same tree with other quantities, or trees, in place of its quantities; open letters get their values."""
    match of:
        case Ref(quantity):
            return tree(change(quantity))
        case Sum(terms):
            return reduce(lambda sum_, term: sum_ + term, (mapped(term, change, values) for term in terms))
        case Product(factors, over):
            made = [mapped(factor, change, values) for factor in factors]
            divided = [mapped(each, change, values) for each in over]
            return reduce(lambda own, by: own / by, divided, reduce(lambda own, by: own * by, made))
        case Apply(function, arguments):
            return Apply(function, tuple(mapped(argument, change, values) for argument in arguments))
        case Over(how, letter, taken, body):
            return Over(how, letter, taken or tuple(values.get(letter, ())), mapped(body, change, values))
    return of


def overs(of: Tree) -> Iterator[Over]:
    """Every sum over a letter in a tree."""
    if isinstance(of, Over):
        yield of
    for part in parts(of):
        yield from overs(part)


def quantities(of: Tree) -> tuple[Quantity, ...]:
    """Every quantity in a tree, in the order in which it is written."""
    if isinstance(of, Ref):
        return (of.quantity,)
    return tuple(quantity for part in parts(of) for quantity in quantities(part))


def value(of: Tree, look: Look, at: Places | None = None) -> Any:
    """What a tree comes to on the numbers that `look` finds; `at` has numbers for its letters.

    A sum over a letter is one array with a further axis, so that a long one costs no more calls than a short one.
    """
    places = at or {}
    match of:
        case Number(number):
            return number
        case Ref(quantity):
            return look(quantity, places)
        case Sum(terms):
            return reduce(np.add, (value(term, look, places) for term in terms))
        case Product(factors, over):
            product = reduce(np.multiply, (value(factor, look, places) for factor in factors))
            return reduce(np.divide, (value(each, look, places) for each in over), product)
        case Apply(function, arguments):
            return FUNCTIONS[function].numpy(*(value(argument, look, places) for argument in arguments))
        case Over(how, letter, values, body):
            inside = {key: np.asarray(place)[..., None] for key, place in places.items()}
            found = np.asarray(value(body, look, inside | {letter: np.array(values)}))
            shape = np.broadcast_shapes(found.shape, (len(values),))
            return REDUCTIONS[how](np.broadcast_to(found, shape))
    raise TypeError(f"no tree: {of!r}")


def solved(of: Equation, look: Look, at: Places | None = None) -> Any:
    """What an equation's tree comes to, its named parts computed from their own trees."""
    parts_of = {part.target: part for part in of.where}

    def find(quantity: Quantity, places: Places) -> Any:
        part = parts_of.get(quantity)
        return value(part.tree, find, places) if part else look(quantity, places)

    return value(of.tree, find, at)


@dataclass(frozen=True)
class _Code:
    """NumPy, how tightly it binds (0 sum, 1 product, 2 power, 3 name), and the letters of its axes."""

    text: str
    level: int = 3
    axes: tuple[str, ...] = field(default=())

    def within(self, level: int) -> str:
        return self.text if self.level >= level else f"({self.text})"


def code_name(of: Quantity) -> str:
    """The program's variable for a whole layer of a quantity: z2, W2_next; beta_2, for Adam has a beta2. The number of
    examples is its n."""
    if of == COUNT.quantity:
        return "n"
    base, _, after = of.kind.partition("_next")
    base += "_" * (base.endswith(("gamma", "beta")) and of.layer > 0)
    return f"{base}{of.layer or ''}" + ("_next" if "_next" in of.kind else after)


def axes_of(of: Quantity) -> tuple[str, ...]:
    """The letters along which a quantity differs, in the order of its array's axes: examples first."""
    return tuple(i for i in (of.example, *of.index) if isinstance(i, str))


def numpy_of(of: Tree, axes: tuple[str, ...] = ()) -> str:
    """A tree as a NumPy expression whose array has these axes: the whole layer of a tree with letters."""
    return _code(of, axes).text


def written_out(of: Tree, where: Sequence[Equation]) -> Tree:
    """A tree with its named parts put in."""
    named = {part.target: part.tree for part in where}
    if not named:
        return of
    return mapped(of, lambda quantity: written_out(named[quantity], where) if quantity in named else quantity)


def line_of(of: Equation) -> str:
    """An equation as a line of NumPy."""
    right, axes = written_out(of.tree, of.where), axes_of(of.target)
    column = ("n", "j") if axes == ("n",) else axes  # one number an example stands so that it meets all units
    return f"{code_name(of.target)} = {numpy_of(right, column)}"


def _code(of: Tree, axes: tuple[str, ...]) -> _Code:
    match of:
        case Number(number):
            text = f"{number:.0f}" if number == int(number) else repr(number)
            return _Code(text, 3 if number >= 0 else 1)
        case Ref(quantity):
            return _Code(code_name(quantity), 3, axes_of(quantity))
        case Sum(terms):
            return _sum_code(terms, axes)
        case Product(factors, over):
            return _product_code(factors, over, axes)
        case Apply(function, arguments):
            entry, inner = FUNCTIONS[function], [_code(argument, axes) for argument in arguments]
            texts = [each.within(3 if entry.atoms else 0) for each in inner]
            return _Code(entry.code.format(*texts), entry.level, _joint(inner))
        case Over():
            return _over_code(of, axes)
    raise TypeError(f"no tree: {of!r}")


def _joint(made: Sequence[_Code]) -> tuple[str, ...]:
    return max((each.axes for each in made), key=len, default=())


def _sum_code(terms: tuple[Tree, ...], axes: tuple[str, ...]) -> _Code:
    made = [_code(term, axes) for term in terms]
    text = made[0].text
    for each in made[1:]:
        text += f" - {each.text[1:]}" if each.text.startswith("-") else f" + {each.text}"
    return _Code(text, 0, _joint(made))


def _product_code(factors: tuple[Tree, ...], over: tuple[Tree, ...], axes: tuple[str, ...]) -> _Code:
    sign = "-" if factors[0] == Number(-1.0) and len(factors) > 1 else ""
    made = [_code(factor, axes) for factor in factors[1 if sign else 0 :]]
    by = [_code(each, axes) for each in over]
    text = " * ".join(each.within(2 if n else 1) for n, each in enumerate(made))
    under = " * ".join(each.within(2) for each in by)
    divided = f" / ({under})" if len(by) > 1 else f" / {under}" if by else ""
    return _Code(sign + text + divided, 1, _joint([*made, *by]))


def _over_code(of: Over, axes: tuple[str, ...]) -> _Code:
    letters, body = [of.letter], of.body
    while isinstance(body, Over) and body.how == of.how:
        letters, body = [*letters, body.letter], body.body
    matched = _matmul(body, of.letter, axes) if of.how == "sum" and len(letters) == 1 else None
    if matched:
        return matched
    there = {*letters, *axes} & {axis for quantity in quantities(body) for axis in axes_of(quantity)}
    inner = _code(body, tuple(sorted(there, key=lambda axis: axis != "n")))
    left = tuple(axis for axis in inner.axes if axis not in letters)
    kept = len(axes) == len(inner.axes) and bool(left)
    where = [str(place) for place, axis in enumerate(inner.axes) if axis in letters] if left else []
    options = ", ".join([*(f"axis={place}" for place in where), *(["keepdims=True"] if kept else [])])
    if of.how == "sum":
        return _Code(f"{inner.within(3)}.sum({options})", 3, axes if kept else left)
    return _Code(f"np.{_REDUCE[of.how]}.reduce({inner.text}, {options})", 3, axes if kept else left)


_REDUCE = {"max": "maximum", "logsumexp": "logaddexp"}


def _matmul(body: Tree, letter: str, axes: tuple[str, ...]) -> _Code | None:
    """A sum of products of two arrays as their matrix product, each turned so that it fits."""
    if not isinstance(body, Product) or body.over or len(body.factors) != 2 or len(axes) != 2:
        return None
    made = sorted((_code(factor, axes) for factor in body.factors), key=lambda each: axes[0] not in each.axes)
    if any(letter not in each.axes or len(each.axes) != 2 for each in made):
        return None
    left, right = made
    if left.axes[left.axes[0] == letter] != axes[0] or right.axes[right.axes[0] == letter] != axes[1]:
        return None
    turned = left.within(3) + (".T" if left.axes[0] == letter else "")
    return _Code(f"{turned} @ {right.within(3)}" + (".T" if right.axes[0] != letter else ""), 1, axes)
