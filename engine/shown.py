"""How values show themselves in a notebook: small tables, drawings and sums, HTML that needs nothing from anywhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from html import escape
from math import floor, isfinite, log10, prod

import numpy as np

from engine.arrays import Floats, Value

_WIDE, _HIGH, _POINTS = 300, 60, 150
_COLUMN, _ROW, _UNITS = 110, 28, 8  # of the drawing of a network: of more units than these the rest is a number
_WORDS = 60  # characters of a part of a line
_VERTEX = 130  # the width of a column of a graph's drawing
_POSITIVE, _NEGATIVE = "#3a86c8", "#d9772b"  # blue and orange as on the page, between its light and its dark ones
_TERMS, _DIGITS = 4, 12  # of a sum: of more terms than these the rest is one number; decimals at most
_LEAST = 1e-8  # a number smaller than this is told by itself


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; numbers with four digits."""
    titles = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = ("<tr>" + "".join(f"<td>{escape(_text(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


class Brief(Value):
    """A dataclass that prints as a line: arrays by their shapes, without what it has not."""

    def __repr__(self) -> str:
        told = ((field.name, getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{name}={brief(each)}' for name, each in told if each is not None)})"


def brief(each: object, most: int = _WORDS) -> str:
    """A value as a part of a line: one that is long is only named."""
    if isinstance(each, np.ndarray):
        return f"array{each.shape}"
    whole = _text(each) if isinstance(each, float) else repr(each)
    return whole if len(whole) <= most else f"{type(each).__name__}(…)"


def _text(cell: object) -> str:
    if isinstance(cell, float | np.floating):
        return f"{cell:.4g}"
    return ", ".join(map(_text, cell)) if isinstance(cell, tuple) else str(cell)


def sparkline(values: Floats) -> str:
    """Values from left to right as a line between the least and the largest; of many, the means of neighbours."""
    found = [float(part.mean()) for part in np.array_split(values, max(1, min(len(values), _POINTS))) if len(part)]
    low, high = (min(found), max(found)) if found else (0.0, 0.0)
    across, up = _WIDE / max(1, len(found) - 1), (_HIGH - 4) / ((high - low) or 1.0)
    points = " ".join(f"{k * across:.1f},{_HIGH - 2 - (value - low) * up:.1f}" for k, value in enumerate(found))
    return (
        f'<svg width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
        f'aria-label="from {_text(found[0]) if found else 0} to {_text(found[-1]) if found else 0}">'
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
    )


def network_picture(
    sizes: Sequence[int], titles: Sequence[str], arcs: Mapping[int, int], weights: Sequence[Floats] = ()
) -> str:
    """A network as a drawing: a column a layer under its title, of a wide one the first units and how many there are.

    `arcs` are shortcuts, to a layer from another. With `weights`, (units, inputs) a layer, a link is as wide as its
    weight is large and has the colour of its sign; without them all are alike.
    """
    high = _ROW * min(max(sizes), _UNITS + 1) + 40
    columns = [_column(k, units, high) for k, units in enumerate(sizes)]
    between = [_strongest(W, units) for W, units in zip(weights, sizes, strict=False)]
    parts = [_link(columns, k, j, i, between) for k, j, i in _links(columns)]
    parts += [_arc(columns[source][0], columns[to][0]) for to, source in arcs.items()]
    parts += [
        f'<circle cx="{x}" cy="{y:g}" r="8" fill="Canvas" stroke="currentColor"/>' for each in columns for x, y in each
    ]
    for k, (units, title) in enumerate(zip(sizes, titles, strict=True)):
        x = columns[k][0][0]
        parts.append(f'<text x="{x}" y="12">{escape(title)}</text>')
        if units > _UNITS:
            parts.append(f'<text x="{x}" y="{high - 10}">… {units}</text>')
    return _svg(_COLUMN * len(sizes), high, f"a network of {'-'.join(map(str, sizes))} units", parts)


def graph_picture(label: str, names: Sequence[str], numbers: Sequence[str], feeds: Iterable[tuple[int, int]]) -> str:
    """Vertices in computing order, each with its name above and its numbers below, in a column behind all that feed
    it: `feeds` are pairs of places, from and to."""
    links = list(feeds)
    depths = [0] * len(names)
    for start, end in sorted(links, key=lambda link: link[1]):
        depths[end] = max(depths[end], depths[start] + 1)
    for given in set(range(len(names))) - {end for _, end in links}:  # beside the first that takes it
        depths[given] = min((depths[end] for start, end in links if start == given), default=1) - 1
    most = max(map(depths.count, depths))
    at = [
        (_VERTEX * depth + _VERTEX // 2, 34 + _ROW * (most - depths.count(depth) + 2 * depths[:k].count(depth)))
        for k, depth in enumerate(depths)
    ]
    look = 'stroke="currentColor" stroke-opacity="0.35"'
    parts = [f'<line x1="{at[i][0]}" y1="{at[i][1]}" x2="{at[j][0]}" y2="{at[j][1]}" {look}/>' for i, j in links]
    for (x, y), name, told in zip(at, names, numbers, strict=True):
        parts.append(f'<circle cx="{x}" cy="{y}" r="5" fill="Canvas" stroke="currentColor"/>')
        parts.append(f'<text x="{x}" y="{y - 10}">{escape(name)}</text>')
        parts.append(f'<text x="{x}" y="{y + 18}" font-size="9">{escape(told)}</text>')
    return _svg(_VERTEX * (1 + max(depths)), 2 * _ROW * most + 10, label, parts)


def _svg(wide: int, high: int, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
        f'role="img" aria-label="{escape(label)}" font-size="11" font-family="sans-serif" text-anchor="middle" '
        f'fill="currentColor">{"".join(parts)}</svg>'
    )


def _strongest(W: Floats, below: int) -> Floats:
    """A layer's weights as (units, units or channels below): where several lie between two, the largest in size."""
    several = W.reshape(len(W), below, -1)
    place = np.abs(several).argmax(axis=2, keepdims=True)
    return np.asarray(np.take_along_axis(several, place, axis=2)[..., 0])


Place = tuple[int, float]


def _column(k: int, units: int, high: int) -> list[Place]:
    """Where the units of a layer stand; of a wide one, those that are drawn."""
    drawn = min(units, _UNITS)
    first = 20 + (high - 20 - _ROW * (drawn + (units > _UNITS)) + _ROW) / 2
    return [(_COLUMN // 2 + _COLUMN * k, first + _ROW * j) for j in range(drawn)]


def _links(columns: Sequence[Sequence[Place]]) -> Iterator[tuple[int, int, int]]:
    return ((k, j, i) for k, above in enumerate(columns[1:]) for j in range(len(above)) for i in range(len(columns[k])))


def _link(columns: Sequence[Sequence[Place]], k: int, j: int, i: int, weights: Sequence[Floats]) -> str:
    (x0, y0), (x1, y1) = columns[k][i], columns[k + 1][j]
    look = 'stroke="currentColor" stroke-opacity="0.35"'
    if weights:
        share = abs(weights[k][j, i]) / (np.abs(weights[k]).max() or 1.0)
        look = f'stroke="{_NEGATIVE if weights[k][j, i] < 0 else _POSITIVE}" stroke-width="{0.3 + 3.7 * share:.2f}"'
    return f'<line x1="{x0}" y1="{y0:g}" x2="{x1}" y2="{y1:g}" {look}/>'


def _arc(start: Place, end: Place) -> str:
    (x0, y0), (x1, y1) = start, end
    top = min(y0, y1) - 34
    look = 'fill="none" stroke="currentColor" stroke-dasharray="3 3"'
    return f'<path d="M{x0} {y0:g}C{x0} {top:g} {x1} {top:g} {x1} {y1:g}" {look}/>'


Term = tuple[float, ...]


def summed(name: str, terms: Sequence[Term], total: float, notes: Sequence[str] = ()) -> str:
    """`name = 0.5 × 0.25 + 0.1 = 0.225`: a number as the sum of products, each with its note in brackets, with so many
    decimals that a pocket calculator comes to what is printed. Of many terms the first ones and the rest as a number.
    """
    if len(terms) > _TERMS:
        rest = sum(prod(term) for term in terms[_TERMS - 1 :])
        more = f"{len(terms) - _TERMS + 1} more"
        terms, notes = [*terms[: _TERMS - 1], (rest,)], [*(notes or [""] * len(terms))[: _TERMS - 1], more]
    finite = all(isfinite(number) for term in [*terms, (total,)] for number in term)
    if not finite or 0 < abs(total) < _LEAST:
        return f"{name} = {total:.4g}"
    if len(terms) == len(terms[0]) == 1:
        return f"{name} = {written(total)}"
    at = _decimals(total)
    digits = next((n for n in range(at, _DIGITS + 6) if _closes(terms, total, n, at)), _DIGITS + 5)
    said = [
        " × ".join(_digits(number, digits) for number in term) + (f" ({note})" if note else "")
        for term, note in zip(terms, notes or [""] * len(terms), strict=True)
    ]
    return f"{name} = {' + '.join(said).replace('+ −', '− ')} = {_digits(total, at)}"


def _closes(terms: Sequence[Term], total: float, digits: int, at: int) -> bool:
    printed = sum(prod(round(number, digits) for number in term) for term in terms)
    return _digits(printed, at) == _digits(total, at)


def written(number: float) -> str:
    """A number by itself, with four decimals, or so many that four digits of a small one are told."""
    return _digits(number, _decimals(number)) if isfinite(number) and abs(number) >= _LEAST else f"{number:.4g}"


def _decimals(number: float) -> int:
    return 4 if not number else min(_DIGITS, max(4, 3 - floor(log10(abs(number)))))


def _digits(number: float, digits: int) -> str:
    return f"{round(number, digits) + 0.0:.{digits}f}".replace("-", "−")


def lines(title: str, of: Iterable[str]) -> str:
    """Equations, one a line."""
    return f"<p>{escape(title)}</p><pre>{escape(chr(10).join(of))}</pre>"
