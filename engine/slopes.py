"""The slope of an equation with respect to one of its numbers, by the chain rule, as an equation again."""

from functools import reduce
from operator import add

from engine.equation import Apply, Number, Product, Ref, Sum, Tree
from engine.primitives import ONE, PRIMITIVES, ZERO
from engine.quantity import Quantity

_CALLED = {"ln": "log"}  # functions that a primitive calls otherwise


def slope_of(made: Tree, by: Quantity) -> Tree:
    """How what a tree comes to changes with this number of it; its other numbers are held as they are."""
    match made:
        case Ref(quantity):
            return ONE if quantity == by else ZERO
        case Sum(terms):
            return reduce(add, [each for each in (slope_of(term, by) for term in terms) if each != ZERO] or [ZERO])
        case Product(factors, over):
            return reduce(add, [each for each in _of_factors(factors, over, by) if each != ZERO] or [ZERO])
        case Apply(function, arguments):
            local = PRIMITIVES[_CALLED.get(function, function)].slopes(arguments, made)
            ways = [(slope_of(each, by), slope) for each, slope in zip(arguments, local, strict=True)]
            return reduce(add, [inner * slope for inner, slope in ways if inner != ZERO] or [ZERO])
        case Number():
            return ZERO
    raise TypeError(f"no slope is known of {made!r}")


def _of_factors(factors: tuple[Tree, ...], over: tuple[Tree, ...], by: Quantity) -> list[Tree]:
    """What a product changes by through each of its factors, and through each number that it is divided by."""
    whole, found = Product(factors, over), list[Tree]()
    for place, factor in enumerate(factors):
        rest = reduce(lambda one, other: one * other, (*factors[:place], *factors[place + 1 :]), slope_of(factor, by))
        found.append(reduce(lambda one, other: one / other, over, rest) if slope_of(factor, by) != ZERO else ZERO)
    for divisor in over:
        inner = slope_of(divisor, by)
        found.append(-(inner * whole / divisor) if inner != ZERO else ZERO)
    return found
