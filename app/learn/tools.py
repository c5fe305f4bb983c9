"""What a lesson's template may call beside its visit: numbers, formulas, plots, pieces and listings."""

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from app.learn import circuits, digits, information, pieces, plots, walk
from app.learn.facts import Facts
from app.learn.lessons import number_of
from app.learn.listings import highlighted, run_listing, stops_of
from app.page.links import Link, View
from app.words.health import diverged
from app.words.maths import mathml
from app.words.names import name_of
from app.words.numbers import fixed, fixed_signed, percent, short, unsigned
from engine import Edit, Quantity


def open_in_playground(facts: Facts, values: dict[str, float] | None = None, **view: Any) -> str:
    """The address of the playground with the same spec and step, and parameters set by hand at the start."""
    edits = tuple(Edit(0, address, value) for address, value in (values or {}).items())
    return Link(facts.state.spec, edits, View(**view)).url()


def pairs(xs: tuple[float, ...], ys: tuple[float, ...]) -> list[tuple[float, float]]:
    """Two sequences side by side."""
    return list(zip(xs, ys, strict=True))


def latex(value: float, digits: int = 4) -> str:
    """A number inside a formula."""
    return unsigned(value, digits).replace("−", "-")


def column(values: Sequence[float], role: str = "") -> str:
    """Numbers one below the other, in LaTeX, in the colour of a role."""
    return matrix([[value] for value in values], role)


def row(values: Sequence[float], role: str = "") -> str:
    """Numbers side by side, in LaTeX."""
    return matrix([values], role)


def matrix(rows: Iterable[Sequence[float]], role: str = "") -> str:
    """Rows of numbers in brackets, in LaTeX; the numbers are coloured and the brackets are not."""
    kind = role or "plain"
    lines = (" & ".join(rf"\class{{{kind}}}{{{latex(value)}}}" for value in each) for each in rows)
    return r"\begin{pmatrix}" + r" \\ ".join(lines) + r"\end{pmatrix}"


def _offered(*tools: Callable[..., Any]) -> SimpleNamespace:
    """Functions as a template calls them, by their own names; nothing else of their modules."""
    return SimpleNamespace(**{tool.__name__: tool for tool in tools})


_PIECES = _offered(
    pieces.activation_at,
    pieces.activation_curve,
    pieces.article_walk,
    pieces.delta_norms,
    pieces.fit,
    pieces.ground,
    pieces.left_over,
    pieces.loss_curve,
    pieces.losses_of,
    pieces.mean_residual,
    pieces.nudges,
    pieces.paid,
    pieces.size_rows,
    pieces.walk,
)
_CIRCUITS = _offered(
    circuits.at_moment,
    circuits.gradient,
    circuits.last_moment,
    circuits.number,
    circuits.of_run,
    circuits.open_graph,
    circuits.output,
    circuits.shown,
)
_DIGITS = _offered(
    digits.agreement,
    digits.answers,
    digits.centred,
    digits.gradient_images,
    digits.ink_of,
    digits.label,
    digits.picture,
    digits.pixels_of,
    digits.share_rows,
    digits.stored,
    digits.trained_on,
    digits.weight_images,
)
_INFORMATION = _offered(
    information.at_the_ends,
    information.ends_of,
    information.exactly,
    information.plane,
    information.told,
)
_MOMENTS = _offered(
    walk.drawing,
    walk.layer_back,
    walk.moment,
    walk.moments_of,
    walk.path_back,
    walk.phase_end,
    walk.phase_start,
)
TOOLS: dict[str, Any] = {
    "latex": latex,
    "column": column,
    "row": row,
    "matrix": matrix,
    "n": fixed,
    "percent": percent,
    "s": fixed_signed,
    "sig": unsigned,
    "short": short,
    "name_of": name_of,
    "number_of": number_of,
    "diverged": diverged,
    "quantity": Quantity.parse,
    "math": mathml,
    "along": plots.along,
    "line_ends": plots.line_ends,
    "plot": plots.plot,
    "pieces": _PIECES,
    "circuits": _CIRCUITS,
    "digits": _DIGITS,
    "information": _INFORMATION,
    "moments": _MOMENTS,
    "open_url": open_in_playground,
    "highlighted": highlighted,
    "run_listing": run_listing,
    "stops_of": stops_of,
    "pairs": pairs,
    "abs": abs,
}
