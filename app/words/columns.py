"""One equation in aligned rows: symbols, the same with numbers, the same as code, a column for each term and operator.

All three rows are written in one walk over the tree. The numbers close: they have as many digits as a pocket
calculator needs to find, with what is printed, the number that is printed. The code is NumPy about single numbers,
under the names of the step's program, and counts from 0.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, pairwise, product
from math import floor, isfinite, log10, nan
from typing import Any

import numpy as np
from markupsafe import Markup

from app.words.digits import largest
from app.words.formulas import COUNTS, MathML, Role, Typeset, element, role_of, turned
from app.words.numbers import DIGITS, MINUS, short, signed, target, unsigned
from app.words.terms import meaning
from app.words.texts import text
from engine import Quantity
from engine.arrays import Floats
from engine.equation import (
    FUNCTIONS,
    Apply,
    Equation,
    Look,
    Number,
    Over,
    Product,
    Ref,
    Sum,
    Tree,
    code_name,
    mapped,
    numpy_of,
    quantities,
    solved,
    tree,
    value,
)

ALL, SHOWN = 4, 2  # terms of a sum that are all written out; of a longer one
MOST_DIGITS = 13
WHOLE = ("loss", "penalty", "cost", "whole")  # of a whole step, never below 0
SETTING = 6  # digits of a setting that is not as short as it was typed
NOISE = 1e-12  # as a share of the terms: what is left of them where they cancel
TERMS = ("+", MINUS)
BREAKS = (*TERMS, "=", "×", "/", ",")  # where it breaks: before one, but after a comma
DEEPEST = 5  # brackets in each other
COLUMN = 42  # px of a column, on average
REST = "others"  # the sum of the terms that are not written out


@dataclass(frozen=True)
class Cell:
    """One column: a term by its symbol, number and code, or an operator; `part` is the address of what it shows."""

    symbol: Markup
    number: str
    code: str
    role: Role = "plain"
    part: str = ""
    sign: bool = False
    value: float = nan
    tip: str = ""
    digits: int = DIGITS


Cells = tuple[Cell, ...]


class Flat(MathML):
    """MathML on one line: slopes are written with a stroke, so that a row keeps its height."""

    def fraction(self, above: str, below: str) -> str:
        return self.row(above, "<mo>/</mo>", below)


FLAT = Typeset(Flat(), {})


@dataclass(frozen=True)
class Columns:
    """Writes equations about single numbers as columns; `look` finds these numbers. Symbols are set by `setting`, and
    `spell` names a quantity in code, where these are not a step's."""

    look: Look
    setting: Typeset = FLAT
    spell: Callable[[Quantity], str] | None = None

    def cells(self, of: Equation, shown: int = DIGITS) -> Cells:
        """Target with so many digits, = and the tree with as many as make it close, each number with few."""
        writer = self._writer(of)
        digits = writer.digits(of, shown)
        _shorten([(writer, of)], digits, shown)
        return writer.written(of, digits, shown)

    def digits(self, of: Equation, shown: int = DIGITS) -> int:
        """How many digits of its terms make an equation close whose target is told with so many."""
        return self._writer(of).digits(of, shown)

    def together(self, made: Sequence[Equation]) -> tuple[Cells, ...]:
        """Equations that are told beside each other: what they have in common reads the same."""
        fewer: dict[Quantity, int] = {}
        writers = [(replace(self._writer(of), fewer=fewer), of) for of in made]
        least = max((writer.digits(of, DIGITS) for writer, of in writers), default=DIGITS)
        close = (n for n in range(least, MOST_DIGITS) if all(writer.closes(of, n, DIGITS) for writer, of in writers))
        digits = next(close, least)
        _shorten(writers, digits, DIGITS)
        return tuple(writer.written(of, digits, DIGITS) for writer, of in writers)

    def _writer(self, of: Equation) -> "_ColumnWriter":
        named = {part.target: replace(part, where=of.where) for part in of.where}
        rests: dict[Quantity, float] = {}
        return _ColumnWriter(self.look, named, rests, self.setting, self.spell or scalar)


@dataclass(frozen=True)
class _ColumnWriter:
    base: Look
    named: Mapping[Quantity, Equation]
    rests: dict[Quantity, float]
    setting: Typeset
    spell: Callable[[Quantity], str]
    fewer: dict[Quantity, int] = field(default_factory=dict)

    def look(self, of: Quantity, at: Any = None) -> Any:
        if of in self.rests:
            return self.rests[of]
        return solved(self.named[of], self.base, at) if of in self.named else self.base(of, at)

    def digits(self, of: Equation, shown: int) -> int:
        """The least digits with which what is printed gives what is printed."""
        if not isfinite(float(self.look(of.target))):
            return DIGITS
        return next((n for n in range(DIGITS, MOST_DIGITS) if self.closes(of, n, shown)), DIGITS)

    def closes(self, of: Equation, digits: int, shown: int) -> bool:
        """Whether so many digits of the terms give so many of the target, or where they cancel, as many as they had."""
        found, result = self._found(of, digits), float(self.look(of.target))
        places = self._cancelled(of)
        return _rounded(found, shown) == _rounded(result, shown) or (
            places is not None and abs(found) < 0.5 * 10.0**-places
        )

    def _found(self, of: Equation, digits: int) -> float:
        return float(value(self.spread(of.tree), self._printed(digits)))

    def _cancelled(self, of: Equation) -> int | None:
        """How many places the terms of a sum have that is nothing but the rounding of these; else None."""
        terms = [abs(float(self.look(each))) for each in quantities(self.spread(of.tree))]
        result, most = abs(float(self.look(of.target))), max(terms, default=0.0)
        if not most or not isfinite(most) or not result <= NOISE * most:
            return None
        return max(0, DIGITS - 1 - floor(log10(most)))

    def _printed(self, digits: int) -> Look:
        fewer, look = self.fewer, self.look
        return lambda of, at: np.float64(_read(of, float(look(of)), fewer.get(of, digits)))  # type: ignore[return-value]

    def numbers(self, of: Tree) -> Iterator[Quantity]:
        """What stands in it as a number of its own, with digits that count; the rest of a sum has no name."""
        match of:
            case Ref(quantity) if _measured(quantity) and quantity.kind != REST:
                yield quantity
            case Sum(terms):
                yield from chain.from_iterable(map(self.numbers, terms))
            case Product(factors, over):
                yield from chain.from_iterable(map(self.numbers, (*factors, *over)))
            case Apply(_, arguments):
                yield from chain.from_iterable(map(self.numbers, arguments))

    def written(self, of: Equation, digits: int, shown: int) -> Cells:
        result, places = self._quantity(of.target, shown, bare=True), self._cancelled(of)
        if places is not None and self._found(of, digits) != result.value:
            result = replace(result, number=f"{0:.{places}f}")
        return (result, _sign("="), *self.tree(self.spread(of.tree), digits))

    def spread(self, of: Tree) -> Tree:
        """The tree with its sums written out: their largest terms, and the others as one number."""
        match of:
            case Sum(terms):
                return Sum(tuple(self.spread(term) for term in terms))
            case Product(factors, over):
                return Product(tuple(map(self.spread, factors)), tuple(map(self.spread, over)))
            case Apply(function, arguments):
                return self._applied(function, arguments)
            case Over("sum", letter, values, body):
                return self._spread_over(letter, values, body)
        return of

    def _applied(self, function: str, arguments: tuple[Tree, ...]) -> Tree:
        if function == "choose":
            left, right, yes, no = arguments
            return self.spread(yes if value(left, self.look) > value(right, self.look) else no)
        return Apply(function, tuple(map(self.spread, arguments)))

    def _spread_over(self, letter: str, values: Sequence[int], body: Tree) -> Tree:
        letters, body = _nested(letter, values, body)
        found = value(body, self.look, {name: of.ravel() for name, of in letters.items()})
        numbers: Floats = np.broadcast_to(np.asarray(found, float), next(iter(letters.values())).size)
        chosen = largest(numbers, ALL if len(numbers) <= ALL else SHOWN)
        bound = ({name: int(of.ravel()[n]) for name, of in letters.items()} for n in chosen.tolist())
        terms = [self.spread(mapped(body, lambda quantity, at=at: quantity.bind(at))) for at in bound]  # type: ignore[misc]
        others = np.delete(numbers, chosen)
        if len(others):
            rest = Quantity(REST, 0, (len(self.rests) + 1, len(others)))
            self.rests[rest] = float(others.sum())
            terms.append(tree(rest))
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def tree(self, of: Tree, digits: int, tight: bool = False) -> Iterator[Cell]:
        """The columns of a tree; `tight` puts a sum in brackets."""
        match of:
            case Number(number):
                yield Cell(element(self.setting.tree(of)), short(number), numpy_of(of))
            case Ref(quantity):
                yield self._quantity(quantity, digits)
            case Sum(terms):
                yield from self._within(self._sum(terms, digits), tight)
            case Product(factors, over):
                yield from self._product(factors, over, digits)
            case Apply(function, arguments):
                yield from self._apply(function, arguments, digits)
            case _:
                yield self._whole(of, digits)

    @staticmethod
    def _within(inner: Iterator[Cell], brackets: bool) -> Iterator[Cell]:
        yield from [_sign("(")] if brackets else []
        yield from inner
        yield from [_sign(")")] if brackets else []

    def _sum(self, terms: Sequence[Tree], digits: int) -> Iterator[Cell]:
        for n, term in enumerate(terms):
            taken = turned(term) if n else None
            if n:
                yield _sign("+" if taken is None else MINUS, "+" if taken is None else "-")
            yield from self.tree(term if taken is None else taken, digits, taken is not None)

    def _product(self, factors: tuple[Tree, ...], over: tuple[Tree, ...], digits: int) -> Iterator[Cell]:
        left, below = list(factors), [each for each in over if not self._is_one(each)]
        taken = left[0] == Number(-1.0) and len(left) > 1
        if taken:
            yield _sign(MINUS, "-")
            left = left[1:]
        for n, factor in enumerate(left):
            if n:
                yield _sign("×", "*")
            yield from self.tree(factor, digits, tight=taken or len(left) > 1 or bool(below))
        for each in below:
            yield _sign("/")
            yield from self.tree(each, digits, tight=True)

    def _is_one(self, of: Tree) -> bool:
        """Whether it is a count that changes nothing: one example, or one output."""
        return isinstance(of, Ref) and of.quantity.kind in COUNTS and bool(self.look(of.quantity) == 1)

    def _apply(self, function: str, arguments: Sequence[Tree], digits: int) -> Iterator[Cell]:
        entry, pieces = FUNCTIONS[function], FUNCTIONS[function].code.split("{}")
        opening, closing = _TEXTS[function]
        brackets = ("(", ")") if entry.atoms else ("", "")
        arguments, inside = _all_of(function, arguments)
        yield _sign(opening, pieces[0] * (1 + inside) + brackets[0])
        for n, argument in enumerate(arguments):
            if n:
                ends = pieces[-1] if 1 < n <= 1 + inside else ""
                between = pieces[1] if inside else pieces[n]
                yield _sign("^" if function == "power" else ",", brackets[1] + ends + between + brackets[0])
            yield from self.tree(argument, digits, tight=function == "power" and n > 0)
        yield _sign(closing, brackets[1] + pieces[-1])

    def _quantity(self, of: Quantity, digits: int, bare: bool = False) -> Cell:
        number, digits = float(self.look(of)), digits if bare else self.fewer.get(of, digits)
        if of.kind == REST:
            symbol = Markup(text("… ({count})", count=of.index[-1]))
            return Cell(symbol, signed(number, digits), f"{_rounded(number, 7)!r}", "plain", value=number)
        symbol = element(self.setting.quantity(of))
        if "_next" in of.kind:
            symbol = Markup("{} {}").format(text("new"), symbol)
        role: Role = ("negative" if number < 0 else "positive") if of.kind in ("W", "b") else role_of(of.kind)
        code = self._named_code(of) if of in self.named and not bare else self.spell(of)
        part = str(of) if of.kind.isalpha() or "_" in of.kind else ""  # beta1 would be read as beta of layer 1
        told, tip = _text(of, number, digits), meaning(of, number)
        return Cell(symbol, told, code, role, part, value=number, tip=tip, digits=digits)

    def _named_code(self, of: Quantity) -> str:
        """A named part has no array in the program: what it is made of, in brackets."""
        made = self._inner(self.named[of].tree)
        text = numpy_of(mapped(made, _scalar))
        return text if isinstance(made, Ref | Number | Apply) and text.endswith(")") else f"({text})"

    def _inner(self, of: Tree) -> Tree:
        return mapped(of, lambda q: self._inner(self.named[q].tree) if q in self.named else q)

    def _whole(self, of: Tree, digits: int) -> Cell:
        """What is not taken apart: its value."""
        roles = [role_of(each.kind) for each in quantities(of)]
        role: Role = "backward" if "backward" in roles else "forward" if "forward" in roles else "plain"
        symbol = element(self.setting.tree(of))
        return Cell(symbol, signed(float(value(of, self.look)), digits), numpy_of(mapped(of, _scalar)), role)


def _shorten(told: Sequence[tuple[_ColumnWriter, Equation]], digits: int, shown: int) -> None:
    """Takes digits from one number after the other as long as all equations close that it stands in."""
    if digits == DIGITS:
        return
    within: dict[Quantity, list[tuple[_ColumnWriter, Equation]]] = {}
    for writer, of in told:
        if writer._cancelled(of) is None:
            for number in writer.numbers(writer.spread(of.tree)):
                within.setdefault(number, []).append((writer, of))
    for number, all_of_them in within.items():
        fewer = all_of_them[0][0].fewer
        for fewer[number] in range(DIGITS, digits + 1):
            if all(writer.closes(of, digits, shown) for writer, of in all_of_them):
                break


def _all_of(function: str, arguments: Sequence[Tree]) -> tuple[Sequence[Tree], int]:
    """The largest, or smallest, of the largest of others is the largest of all: these, and how many are inside."""
    inside, first = 0, arguments[0]
    while function in ("max", "min") and isinstance(first, Apply) and first.function == function:
        arguments, inside = (*first.arguments, *arguments[1:]), inside + 1
        first = arguments[0]
    return arguments, inside


def _nested(letter: str, values: Sequence[int], body: Tree) -> tuple[dict[str, Floats], Tree]:
    """The letters of a sum with all that they stand for together; those of sums inside it, too, where it is over the
    places of feature maps."""
    letters = {letter: values}
    while isinstance(body, Over) and body.how == "sum" and any(len(q.index) > 2 for q in quantities(body)):
        letters[body.letter], body = body.values, body.body
    return dict(zip(letters, np.meshgrid(*letters.values(), indexing="ij"), strict=True)), body


def _text(of: Quantity, number: float, digits: int) -> str:
    if of.kind == "y" and len(short(number)) <= 5:
        return target(number)
    if of.kind in WHOLE:
        return unsigned(number, digits)
    return signed(number, digits) if _measured(of) else short(number)  # a setting as it was typed


def _measured(of: Quantity) -> bool:
    """Whether it is a number of the step, told with digits that count; a setting has those that it was given."""
    return bool(of.layer or of.index or of.kind in (*WHOLE, REST))


def _read(of: Quantity, number: float, digits: int) -> float:
    """What is read where a number is told."""
    if of.kind == "y" and len(short(number)) <= 5:
        return number
    return _rounded(number, digits if _measured(of) else SETTING)


def _rounded(number: float, digits: int) -> float:
    return float(f"{number:.{digits - 1}e}")


def _sign(text: str, code: str | None = None) -> Cell:
    return Cell(Markup("{}").format(text), text, text if code is None else code, sign=True)


def scalar(of: Quantity) -> str:
    """One number of the program's arrays: dz1[0, 3] is the first example's delta of unit 4."""
    places = [str(int(str(i))) for i in ([of.example] if of.example is not None else [])]
    places += [str(int(str(i)) - 1) for i in of.index]
    if of.kind in ("x", "y"):
        return f"{of.kind}[{','.join(places)}]"
    return code_name(of) + (f"[{','.join(places)}]" if places else "")


def _scalar(of: Quantity) -> Quantity:
    """The same as a name, for whole expressions; what has letters stays a whole array."""
    letters = any(isinstance(i, str) for i in (of.example, *of.index))
    return of if letters else Quantity(scalar(of))


def fitted(of: Equation, known: Equation) -> Equation:
    """An equation with another's tree in the place of that one's target."""
    made = mapped(of.tree, lambda q: known.tree if q == known.target else q)
    return Equation(of.target, made, (*of.where, *known.where))


def room(cells: Cells, code: bool = True) -> float:
    """How much room columns take, one of four digits being about 1: a sign needs less than a number. Without code, what
    rows under one formula take on a phone, where a symbol that is wider than its numbers gives way."""
    told = ((8 * len(cell.number), code * 7 * len(cell.code), _drawn(cell, code)) for cell in cells)
    return sum((6 + max(each)) / COLUMN for each in told)


def _drawn(cell: Cell, whole: bool) -> float:
    """How wide a symbol stands, in px: what stands below is small."""
    return 0 if cell.sign else max(36, whole * 6 * len(cell.symbol.striptags()))


def lines(cells: Cells, most: float) -> tuple[Cells, ...]:
    """Columns in lines of at most so much room where that can be: all rows break before the same sign."""
    found: list[Cells] = [()]
    for chunk in _chunks(cells, most):
        fits = not found[-1] or room((*found[-1], *chunk)) <= most
        found = [*found[:-1], (*found[-1], *chunk)] if fits else [*found, chunk]
    return tuple(found)


def in_lines(rows: Sequence[Cells], most: float) -> tuple[tuple[Cells, ...], ...]:
    """Rows of one formula in lines, each of all rows: they break where the widest of them must."""
    widest = tuple(max(column, key=lambda cell: room((cell,))) for column in zip(*rows, strict=True))
    ends = (0, *accumulate(map(len, lines(widest, most))))
    return tuple(tuple(row[start:end] for row in rows) for start, end in pairwise(ends))


def _chunks(cells: Cells, most: float) -> Iterator[Cells]:
    """As they are if they fit; else up to the next of the signs that stand in fewest brackets, before a term first."""
    ways = product(range(DEEPEST), (TERMS, BREAKS)) if room(cells) > most else ()
    pieces = next((found for depth, signs in ways if len(found := [*_pieces(cells, signs, depth)]) > 1), None)
    for piece in pieces or ():
        yield from _chunks(piece, most)
    if not pieces:
        yield cells


def _pieces(cells: Cells, signs: Sequence[str], depth: int) -> Iterator[Cells]:
    """What begins at one of these signs, in so many brackets, stays together up to the next; a target is not alone."""
    start = level = 0
    for n, cell in enumerate(cells):
        if 1 < n < len(cells) - 1 and cell.sign and cell.number in signs and level == depth:
            yield cells[start : (start := n + (cell.number == ","))]
        level += (cell.number.count("(") - cell.number.count(")")) if cell.sign else 0
    yield cells[start:]


_TEXTS = {
    "exp": ("exp(", ")"), "expm1": ("(exp(", ") − 1)"), "ln": ("ln(", ")"), "tanh": ("tanh(", ")"),
    "sigmoid": ("σ(", ")"), "softplus": ("ln(1 + exp(", "))"), "sqrt": ("√(", ")"), "square": ("(", ")²"),
    "cube": ("(", ")³"), "abs": ("|", "|"), "sign": ("sign(", ")"), "max": ("max(", ")"), "min": ("min(", ")"),
    "power": ("", ""), "sin": ("sin(", ")"), "cos": ("cos(", ")"),
}  # fmt: skip
