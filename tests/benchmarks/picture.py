"""The engine's figures as Markdown and as one SVG picture: bars against the peers, and how cost grows."""

from collections.abc import Iterator, Sequence
from math import log10
from typing import Any

from measure import Claim, figure, sentence, table

ENGINE, PEER, TEXT, GRID = "#0877bd", "#f59322", "#333333", "#dddddd"
STRAIGHT = 0.05  # so far from a straight line is on it


def markdown(found: dict[str, Any], claims: Sequence[Claim]) -> str:
    """Every table, and which promises hold on this machine."""
    lines = ["# The engine's speed", "", sentence(found["machine"]), ""]
    if found["missing"]:
        lines += [f"Not installed, so not measured: {', '.join(found['missing'])}.", ""]
    lines += [
        "Medians of turns taken alternately in one run, processor time; float64. "
        "Every tool computes the same losses (checked).",
        "",
    ]
    lines += ["## One training step, microseconds", "", *_table(found["peers"]), ""]
    lines += ["## Inside a step, microseconds", "", *_table(found["inside"]), ""]
    lines += ["## What a page asks for, microseconds", "", *_table(found["looks"]), ""]
    lines += ["## Promises", "", *table(claims)]
    lines += ["", "## How cost grows", ""]
    for name, curve in found["growth"].items():
        points = ", ".join(f"{n}: {figure(us)}" for n, us in zip(curve["values"], curve["us"], strict=True))
        line = f"{figure(curve['fixed us'])} us + {figure(curve['us for a million'])} us for a million"
        off = [
            f"{n} ({share:+.0%})"
            for n, share in zip(curve["values"], curve["departures"], strict=True)
            if abs(share) > STRAIGHT
        ]
        departs = f"departs from it by more than {STRAIGHT:.0%} at {', '.join(off)}" if off else "everywhere on it"
        lines.append(f"- {name}: {points} us. Nearest line: {line} of parameters x examples; {departs}.")
    return "\n".join(lines) + "\n"


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    names = list(rows[0])
    yield "| " + " | ".join(names) + " |"
    yield "| --- |" + " ---: |" * (len(names) - 1)
    for row in rows:
        yield "| " + " | ".join(_cell(name, row[name]) for name in names) + " |"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int) else figure(value * 1e6)


def svg(found: dict[str, Any]) -> str:
    """One picture, 900 wide: presentation attributes alone, so that it may stand on any page."""
    parts = [*_bars(found["peers"][:4])]
    for i, (name, curve) in enumerate(found["growth"].items()):
        parts += _curve(20 + 295 * i, 366, name, curve["values"], curve["us"])
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 586" font-family="sans-serif" font-size="12" '
        f'fill="{TEXT}" role="img">\n<title>Microseconds of one training step, beside other tools, and how they grow'
        '</title>\n<rect width="900" height="586" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _bars(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield '<text x="20" y="24" font-size="15">One training step, microseconds (logarithmic)</text>'
    y = 44
    for row in rows:
        yield f'<text x="20" y="{y + 10}">{row["network"]}</text>'
        y += 16
        for name in ("engine", "naive NumPy", "PyTorch", "autograd", "scikit-learn"):
            if row[name] is not None:
                us = row[name] * 1e6
                width = max(2.0, 150 * log10(max(us, 1.0)))
                colour = ENGINE if name == "engine" else PEER
                yield f'<text x="110" y="{y + 9}" text-anchor="end">{name}</text>'
                yield f'<rect x="116" y="{y}" width="{width:.1f}" height="10" fill="{colour}"/>'
                yield f'<text x="{122 + width:.1f}" y="{y + 9}">{figure(us)}</text>'
                y += 12
        y += 6


def _curve(x: int, y: int, name: str, values: Sequence[int], us: Sequence[float]) -> Iterator[str]:
    width, height = 240, 150
    across = [log10(n) for n in values]
    top, bottom = log10(max(us)) + 0.1, log10(min(us)) - 0.1
    points = [
        (
            x + 30 + width * (a - across[0]) / (across[-1] - across[0]),
            y + 30 + height * (top - log10(u)) / (top - bottom),
        )
        for a, u in zip(across, us, strict=True)
    ]
    yield f'<text x="{x}" y="{y + 16}" font-size="15">As {name} grows</text>'
    yield f'<path d="M{x + 30} {y + 30}v{height}h{width}" fill="none" stroke="{GRID}"/>'
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    yield f'<polyline points="{path}" fill="none" stroke="{ENGINE}" stroke-width="2"/>'
    for (a, b), n, u in zip(points, values, us, strict=True):
        yield f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{ENGINE}"/>'
        yield f'<text x="{a:.1f}" y="{b - 7:.1f}" font-size="9" text-anchor="middle">{figure(u)}</text>'
        yield f'<text x="{a:.1f}" y="{y + height + 44}" font-size="9" text-anchor="middle">{n}</text>'
