"""Equations as formulas: MathML for the page, LaTeX for scripts, both set by one hand from the engine's trees.

Every quantity has the colour of what it is, as a class, and in MathML its own address as `data-part`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from engine import Quantity
from engine.activations import Activation
from engine.equation import A, Apply, Equation, Number, Over, Product, Ref, Sum, Tree, quantities, total
from engine.losses import Loss
from engine.operations import behind
from engine.optimizers import Optimizer
from engine.penalties import Penalty
from engine.quantity import Index, Shifted

Role = Literal["plain", "forward", "backward", "update", "positive", "negative"]

_FORWARD = ("data", "z", "a", "x", "s", "p", "n_", "slope", "mean", "spread", "xhat", "n")
_GREEK = {
    "dz": "delta",
    "momentum": "mu",
    "decay": "rho",
    "epsilon": "epsilon",
    "beta1": "beta",
    "beta2": "beta",
    "gamma": "gamma",
    "gamma_next": "gamma",
    "beta": "beta",
    "beta_next": "beta",
    "mean": "mu",
    "spread": "sigma",
    "eps": "epsilon",
    "weight_decay": "lambda",
    "regularization_rate": "lambda",
}
_LETTERS = {
    "loss": "L",
    "penalty": "R",
    "count": "N",
    "outputs": "K",
    "m_hat": "m",
    "v_hat": "v",
    "trial": "s",
    "mask": "m",
    "gW": "g",
    "gb": "g",
    "xhat": "x",
}
_SLOPES = {"da": "a", "dn": "n", "dxhat": "xhat", "dW": "W", "db": "b", "dR": "W"}
_SLOPES |= {"dgamma": "gamma", "dbeta": "beta"}
_WAYS = {"dz_own": "xhat", "dz_mean": "mean", "dz_spread": "spread"}  # back through a normalization
_SIGNS = dict(
    zip(("delta", "eta", "mu", "rho", "epsilon", "beta", "gamma", "lambda", "sigma"), "δημρεβγλσ", strict=True)
)
_NAMELESS = ("p", "s", "q", "dR")  # that the page calls by what they are made of
_BACKWARD = ("grad", "dz", "q", "gW", "gb", "g", *_SLOPES, *_WAYS)
COUNTS = ("count", "outputs")


def role_of(kind: str) -> Role:
    """The colour of a kind of quantity."""
    if kind.endswith("_next") or "_next_" in kind:
        return "update"
    if kind in _FORWARD:
        return "forward"
    if kind in _BACKWARD:
        return "backward"
    entry = behind(kind)
    return "plain" if entry is None else "forward" if kind == entry.letter else "backward"


def slope_of(kind: str) -> str:
    """The letter of what ∂L is over in a slope of the loss; nothing for any other kind."""
    return _SLOPES.get(kind) or (kind[1:] if kind[:1] == "d" and behind(kind) else "")


class Latex:
    """LaTeX, with \\class for colours."""

    def name(self, letter: str, greek: bool = False) -> str:
        return "\\" + letter if greek else letter if len(letter) == 1 else rf"\mathit{{{letter}}}"

    def number(self, text: str) -> str:
        return text

    def sign(self, text: str) -> str:
        return {"<-": r" \leftarrow ", "neg": "-", "d": r"\partial ", " ": r"\, ", ",": ", "}.get(text, f" {text} ")

    def words(self, text: str) -> str:
        return rf"\text{{{text}}}"

    def row(self, *pieces: str) -> str:
        return "".join(pieces)

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def scripts(self, base: str, below: str, above: str) -> str:
        return base + (f"^{{{above}}}" if above else "") + (f"_{{{below}}}" if below else "")

    def root(self, inner: str) -> str:
        return rf"\sqrt{{{inner}}}"

    def sum(self, below: str) -> str:
        return rf"\sum_{below} " if below else r"\sum "

    def function(self, name: str) -> str:
        return rf"\operatorname{{{name}}}" if name in ("sign",) else "\\" + name + " "

    def fenced(self, opening: str, inner: str, closing: str) -> str:
        return f"{opening}{inner}{closing}"

    def accent(self, base: str) -> str:
        return rf"\hat {base}"

    def prime(self, base: str) -> str:
        return base + "'"

    def coloured(self, role: Role, inner: str, part: Quantity) -> str:
        return inner if role == "plain" else rf"\class{{{role}}}{{{inner}}}"


class MathML:
    """Native MathML: classes and data-part, no style."""

    def name(self, letter: str, greek: bool = False) -> str:
        return f"<mi>{_SIGNS[letter] if greek else letter}</mi>"

    def number(self, text: str) -> str:
        return f"<mn>{text}</mn>"

    def sign(self, text: str) -> str:
        shown = {"<-": "←", "neg": "−", "d": "∂", "-": "−", " ": "\N{INVISIBLE TIMES}"}.get(text, str(escape(text)))
        return f"<mi>{shown}</mi>" if text == "d" else f"<mo>{shown}</mo>"

    def words(self, text: str) -> str:
        unbroken = text.replace(" ", "\N{NO-BREAK SPACE}")
        return f"<mtext>{unbroken}</mtext>"

    def row(self, *pieces: str) -> str:
        return f"<mrow>{''.join(pieces)}</mrow>" if len(pieces) > 1 else pieces[0]

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac>{above}{below}</mfrac>"

    def scripts(self, base: str, below: str, above: str) -> str:
        if below and above:
            return f"<msubsup>{base}{below}{above}</msubsup>"
        return f"<msub>{base}{below}</msub>" if below else f"<msup>{base}{above}</msup>" if above else base

    def root(self, inner: str) -> str:
        return f"<msqrt>{inner}</msqrt>"

    def sum(self, below: str) -> str:
        return f"<munder><mo>∑</mo>{below}</munder>" if below else "<mo>∑</mo>"

    def function(self, name: str) -> str:
        return f"<mi>{name}</mi><mo>\N{FUNCTION APPLICATION}</mo>"

    def fenced(self, opening: str, inner: str, closing: str) -> str:
        return f'<mrow><mo stretchy="false">{opening}</mo>{inner}<mo stretchy="false">{closing}</mo></mrow>'

    def accent(self, base: str) -> str:
        return f'<mover accent="true">{base}<mo stretchy="false">^</mo></mover>'

    def prime(self, base: str) -> str:
        return f'<mrow>{base}<mo lspace="0" rspace="0">′</mo></mrow>'

    def coloured(self, role: Role, inner: str, part: Quantity) -> str:
        colour = "" if role == "plain" else f' class="{role}"'
        return f'<mrow{colour} data-part="{part}">{inner}</mrow>'


LATEX, MATHML = Latex(), MathML()


@dataclass(frozen=True)
class Typeset:
    """One formula being set. `layers` are names for layers that stand for any: 2 as l, 1 as l - 1."""

    set: Latex | MathML
    layers: Mapping[int, str]

    def formula(self, of: "Formula") -> list[str]:
        """A formula's lines: an equation and the equations of its named parts, a tree or a symbol by itself."""
        if isinstance(of, Quantity):
            return [self.quantity(of)]
        if isinstance(of, Tree):
            return [self.tree(of, -1)]
        if of.target.kind in _NAMELESS and 0 < len(of.target.index) < 3:
            return [self.tree(of.tree, -1)]
        arrow = "<-" if of.target.kind.endswith("_next") or of.target in quantities(of.tree) else "="
        own = self.set.row(self.quantity(of.target), self.set.sign(arrow), self.tree(of.tree, -1))
        return [own, *(line for part in of.where for line in self.formula(part))]

    def quantity(self, of: Quantity) -> str:
        """A quantity's symbol in its colour."""
        s = self.set
        if by := slope_of(of.kind):
            below = s.row(s.sign("d"), self._symbol(of.like(by)))
            inner = s.fraction(s.row(s.sign("d"), s.name("R" if of.kind == "dR" else "L")), below)
        elif of.kind == "slope":
            inner = self._placed(of, s.prime(s.name("a" if of.layer else "f")))
        elif of.kind.startswith("slope_"):
            inner = self._placed(of, s.prime(s.name(of.kind.removeprefix("slope_"))))
        elif of.kind in _WAYS:
            inner = s.scripts(
                self._symbol(of.like("dz")), "", s.fenced("(", self._symbol(Quantity(_WAYS[of.kind])), ")")
            )
        elif of.kind == "rate":
            inner = s.words("learning rate")
        else:
            inner = self._symbol(of)
        placed = of.layer or of.index
        return s.coloured(role_of(of.kind), inner, of) if placed else inner

    def _symbol(self, of: Quantity) -> str:
        s = self.set
        kind = of.kind.rpartition("_")[0] if of.kind.endswith(("_W", "_b")) else of.kind
        kind = kind.removesuffix("_next")
        base = s.name(_GREEK[kind], True) if kind in _GREEK else s.name(_LETTERS.get(kind, kind))
        if kind.endswith("hat"):
            base = s.accent(base)
        if kind in ("beta1", "beta2"):
            return s.scripts(base, s.number(kind[-1]), "")
        return self._placed(of, base)

    def _placed(self, of: Quantity, base: str) -> str:
        """Layer, unit and source below, by commas: so that only a power stands above."""
        layer = self.layers.get(of.layer) or (str(of.layer) if of.layer else "")
        places = [layer] if layer else []
        text = ",".join([*places, *map(str, of.index)])
        if (all(isinstance(i, int) for i in of.index) and layer.isdecimal()) or (not of.index and layer):
            return self.set.scripts(base, self.set.number(text), "")
        made = [self.set.number(layer)] if layer else []
        made += [self._index(i) for i in of.index]
        return self.set.scripts(base, self.set.row(*_between(made, self.set.sign(","))), "") if made else base

    def _index(self, of: Index) -> str:
        """A place, a letter for one, or one that moves with letters."""
        s = self.set
        if not isinstance(of, Shifted):
            return s.number(str(of)) if isinstance(of, int) else s.name(of)
        pieces = list[str]()
        for times, letter in of.terms:
            pieces += [s.sign("neg") if not pieces else s.sign("-")] if times < 0 else [s.sign("+")] if pieces else []
            pieces += [s.number(str(abs(times)))] if abs(times) > 1 else []
            pieces.append(s.name(letter))
        pieces += [s.sign("+" if of.offset > 0 else "-"), s.number(str(abs(of.offset)))] if of.offset else []
        return s.row(*pieces)

    def tree(self, of: Tree, level: int = 0) -> str:
        """A tree, in brackets if it binds less tightly than the level: 0 a sum, 1 a product, 2 a power, 3 a name."""
        text, own = self._made(of)
        return text if own >= level else self.set.fenced("(", text, ")")

    def _made(self, of: Tree) -> tuple[str, int]:
        match of:
            case Number(value):
                return self._number(value), 3 if value >= 0 else 0
            case Ref(quantity):
                return self.quantity(quantity), 2 if slope_of(quantity.kind) else 3
            case Sum(terms):
                return self._sum(terms), 0
            case Product(factors, over):
                return self._product(factors, over)
            case Over(how, letter, _, body):
                inner = self.set.row(self.set.sum(self.set.name(letter) if letter else ""), self.tree(body, 1))
                if how == "sum":
                    return inner, 1
                e = self.set.scripts(self.set.name("e"), "", self.tree(body))
                return self.set.row(self.set.function("ln"), self.set.sum(self.set.name(letter)), e), 1
            case Apply(function, arguments):
                return (
                    _FUNCTIONS[function](self, arguments) if function in _FUNCTIONS else self._call(function, arguments)
                )
        raise TypeError(f"no tree: {of!r}")

    def _number(self, value: float) -> str:
        if value == 0.5:
            return self.set.fraction(self.set.number("1"), self.set.number("2"))
        text = f"{abs(value):.6g}"
        return self.set.row(self.set.sign("neg"), self.set.number(text)) if value < 0 else self.set.number(text)

    def _sum(self, terms: Sequence[Tree]) -> str:
        pieces = [self.tree(terms[0], 1 if isinstance(terms[0], Apply) else 0)]
        for term in terms[1:]:
            positive = turned(term)
            pieces += [
                self.set.sign("+" if positive is None else "-"),
                self.tree(term if positive is None else positive, 1),
            ]
        return self.set.row(*pieces)

    def _product(self, factors: tuple[Tree, ...], over: tuple[Tree, ...]) -> tuple[str, int]:
        """A mean's 1/N in front, then what is a fraction by itself."""
        s, first = self.set, factors[0]
        sign = isinstance(first, Number) and first.value < 0
        rest = list(factors)
        if isinstance(first, Number) and sign:
            rest = [Number(-first.value), *factors[1:]] if first.value != -1.0 else list(factors[1:])
        counts = [each for each in over if isinstance(each, Ref) and each.quantity.kind in COUNTS]
        below = [each for each in over if each not in counts]
        pieces = []
        if counts:
            front = rest.pop(0) if isinstance(rest[0], Number) else Number(1.0)
            half = front == Number(0.5)
            under = self._row([Number(2.0), *counts] if half else counts)
            pieces.append(s.fraction(s.number("1") if half else self.tree(front), under))
        if below:
            pieces.append(s.fraction(self._row(rest, 0), self._row(below, 0)))
        elif rest:
            pieces.append(self._row(rest))
        text = s.row(*_between(pieces, s.sign(" ")))
        return (s.row(s.sign("neg"), text), 0) if sign else (text, 3 if below and not counts else 1)

    def _row(self, factors: Sequence[Tree], alone: int = 1) -> str:
        tight = 2 if len(factors) > 1 else alone
        made = [self.tree(factor, 1 if isinstance(factor, Over) else tight) for factor in factors]
        return self.set.row(*_between(made, self.set.sign(" ")))

    def _call(self, function: str, arguments: Sequence[Tree]) -> tuple[str, int]:
        s, inner = self.set, [self.tree(argument) for argument in arguments]
        short = len(arguments) == 1 and isinstance(arguments[0], Ref) and function in ("tanh", "ln")
        name = s.name(function) if len(function) == 1 else s.function(function)
        told = inner[0] if short else s.fenced("(", s.row(*_between(inner, s.sign(","))), ")")
        return s.row(name, told), 2

    def _exp(self, of: Tree) -> str:
        return self.set.scripts(self.set.name("e"), "", self.tree(of))


def _between(pieces: Sequence[str], sign: str) -> list[str]:
    return [piece for n, each in enumerate(pieces) for piece in ([sign, each] if n else [each])]


def turned(of: Tree) -> Tree | None:
    """What is taken away by a term of a sum; None for one that is added."""
    if isinstance(of, Number) and of.value < 0:
        return Number(-of.value)
    if isinstance(of, Product) and isinstance(of.factors[0], Number) and of.factors[0].value < 0:
        return -of
    return None


Made = tuple[str, int]


def _power(setting: Typeset, base: Tree, exponent: str) -> Made:
    return setting.set.scripts(setting.tree(base, 3), "", exponent), 2


def _choose(setting: Typeset, arguments: Sequence[Tree]) -> Made:
    left, right, yes, no = (setting.tree(argument) for argument in arguments)
    s = setting.set
    return s.row(yes, s.words(" if "), left, s.sign(">"), right, s.words(" else "), no), -1


_FUNCTIONS: dict[str, Callable[[Typeset, Sequence[Tree]], Made]] = {
    "exp": lambda s, of: (s._exp(of[0]), 2),
    "expm1": lambda s, of: (s.set.row(s._exp(of[0]), s.set.sign("-"), s.set.number("1")), 0),
    "softplus": lambda s, of: (
        s.set.row(
            s.set.function("ln"),
            s.set.fenced("(", s.set.row(s.set.number("1"), s.set.sign("+"), s._exp(of[0])), ")"),
        ),
        2,
    ),
    "sigmoid": lambda s, of: (s.set.row(s.set.name("sigma", True), s.set.fenced("(", s.tree(of[0]), ")")), 2),
    "sqrt": lambda s, of: (s.set.root(s.tree(of[0])), 3),
    "square": lambda s, of: _power(s, of[0], s.set.number("2")),
    "cube": lambda s, of: _power(s, of[0], s.set.number("3")),
    "power": lambda s, of: _power(s, of[0], s.tree(of[1])),
    "abs": lambda s, of: (s.set.fenced("|", s.tree(of[0]), "|"), 3),
    "choose": _choose,
}


Formula = Equation | Tree | Quantity


def latex(*formulas: Formula, layers: Mapping[int, str] = {}) -> str:
    """Formulas as LaTeX, between them a comma and a space."""
    setting = Typeset(LATEX, layers)
    return r",\quad ".join(line for formula in formulas for line in setting.formula(formula))


def mathml(*formulas: Formula, layers: Mapping[int, str] = {}) -> list[Markup]:
    """Formulas as MathML, an element for each line."""
    setting = Typeset(MATHML, layers)
    return [element(line) for formula in formulas for line in setting.formula(formula)]


def penalty_of(entry: Penalty) -> Equation:
    """A penalty as it is told of all weights at once."""
    cost, rate = entry.tree, Ref(Quantity("regularization_rate"))
    return Equation(Quantity("penalty"), rate * total("", cost) if quantities(cost) else cost)


def formulas_of(entry: object) -> dict[str, str]:
    """The formulas of a table's entry as LaTeX, by the names that the catalog gives them; {} for one that has none."""
    match entry:
        case Activation():
            made = Equation(A.quantity, entry.tree, entry.where)
            slope = Equation(Quantity("dz" if entry.product else "slope"), entry.slope)
            return {"formula": latex(made), "derivative_formula": latex(slope)}
        case Loss():
            slope = Equation(Quantity("da"), entry.slope)
            return {"formula": latex(Equation(Quantity("loss"), entry.tree)), "gradient_formula": latex(slope)}
        case Penalty():
            return {
                "formula": latex(penalty_of(entry)),
                "gradient_formula": latex(Equation(Quantity("dR"), entry.slope)),
            }
        case Optimizer():
            return {"formula": latex(*entry.steps)}
    return {}


def symbol(of: Quantity) -> Markup:
    """One quantity as MathML."""
    return element(Typeset(MATHML, {}).quantity(of))


def element(inner: str) -> Markup:
    """A piece of MathML as an element of a page."""
    return Markup(f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">{inner}</math>')  # our own
