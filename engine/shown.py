"""How values show themselves in a notebook: small tables and a line, HTML that needs nothing from anywhere."""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from engine.arrays import Floats

_WIDE, _HIGH, _POINTS = 300, 60, 150


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; numbers with four digits."""
    titles = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = ("<tr>" + "".join(f"<td>{escape(_text(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


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
