"""What lit links carry, on the links: chips with products, and the stack in which they are added up at their unit.

Chips are as full as the room between the layers lets them be: factors and product in a line, in two, or the product
alone, shortly where that is needed; then the largest with the others together. What has no place clear of units,
labels and other chips is left to the rows below the drawing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, product
from math import hypot

from markupsafe import Markup

from app.draw.diagram import BOTTOM, Diagram, LinkPlace
from app.words.columns import Cell
from app.words.numbers import all_signed
from engine import Quantity

LINE = 15.0  # between the lines of a stack
EDGE, BETWEEN = 9.0, 4.0
SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8)  # of a link's way, the first that is free
ASIDE = (0.0, -8.0, 8.0)  # of it, still on the link
NEAR, ACROSS, DOWN = 340.0, 20.0, 14.0  # how far from its unit a stack may stand, and how finely a place is looked for
BESIDE, LABEL, WORD = 72.0, 68.0, 92.0  # what stands beside a unit, above and below it, and behind an output
MOST, OF_MANY = 8, 4  # chips that are told; the largest of more
TARGET = 40.0  # how far a target above its output reaches to the left of the unit's right edge
Box = tuple[float, float, float, float]  # left, top, right, bottom
Form = tuple[float, list[Markup]]  # how wide, and its lines


@dataclass(frozen=True)
class Chip:
    """What one link carries: the product, its two factors where there are any to show, and what it asks for."""

    link: Quantity
    result: Cell
    factors: tuple[Cell, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class SumLine:
    """One line of a stack: a sign, a number, and what it is; `ruled` under a rule."""

    cell: Cell
    note: str = ""
    sign: str = ""
    ruled: bool = False


@dataclass(frozen=True)
class Chips:
    """All of a moment: the chips, the unit at which they stack, its lines, and what each link carries, by its id."""

    tone: str
    unit: Quantity
    chips: tuple[Chip, ...] = ()
    lines: tuple[SumLine, ...] = ()
    width: str = ""
    carried: Mapping[str, float] = field(default_factory=dict)
    fewer: "Chips | None" = None

    @property
    def talk(self) -> int:
        """The layer whose links carry; 0 where none does."""
        return self.chips[0].link.layer if self.chips else 0

    @property
    def without_links(self) -> "Chips":
        """The stack alone, where no links are drawn that could carry anything."""
        return replace(self, chips=(), carried={}, fewer=self.fewer.without_links if self.fewer else None)


def drawn(place: Diagram, told: Chips | None, lit: frozenset[str]) -> tuple[Markup, list[Box]]:
    """Chips and stack as they stand in a drawing, and the room that they take."""
    if told is None:
        return Markup(""), []
    links = {link.id: link for layer in place.layers[1:] for link in layer.links}
    there, few = list(boxes_taken(place, lit)), told.fewer or told
    best, chosen = _best(place, [told, few], links, there)
    taken = [*there, *(box for _, box in best)]
    stack = _stacked(place, chosen, taken) or _stacked(place, few, taken)
    if not stack and (stack := _stacked(place, few, there)):
        around, _ = _best(place, [told, few], links, [*there, stack[1]])
        least = len(best) if any(chip.factors for chip in told.chips) else min(len(best), OF_MANY)
        best, stack = (around, stack) if len(around) >= least else (best, None)  # products stand in the rows below, too
    best += [stack] if stack else []
    best = best or _nearest(place, told, links, there)
    inside = Markup("").join(drawn for drawn, _ in best)
    return Markup('<g id="carried" class="{}">{}</g>').format(told.tone, inside), [box for _, box in best]


def _best(
    place: Diagram, told: Sequence[Chips], links: Mapping[str, LinkPlace], taken: Sequence[Box]
) -> tuple[list[tuple[Markup, Box]], Chips]:
    """The fullest chips that all have a place; else as many of the largest as have one, and none without the first."""
    found = list[tuple[Markup, Box]]()
    for each in told:
        there = [(chip, links[chip.link.svg_id]) for chip in each.chips if chip.link.svg_id in links]
        for form in (_in_a_line, _in_two, _alone, _shortly):
            found = _placed(place, [(link, form(chip)) for chip, link in there], taken)
            if len(found) == len(there):
                return found, each
    there.sort(key=lambda pair: -abs(pair[0].result.value))
    laid = [(link, _shortly(chip)) for chip, link in there]
    return (_placed(place, laid, taken) if _placed(place, laid[:1], taken) else []), told[-1]


def _nearest(
    place: Diagram, told: Chips, links: Mapping[str, LinkPlace], taken: Sequence[Box]
) -> list[tuple[Markup, Box]]:
    """The largest chip alone, at the free place that is nearest to its link, where none has one on its own."""
    there = [chip for chip in told.chips if chip.link.svg_id in links]
    if not there:
        return []
    chip = max(there, key=lambda chip: abs(chip.result.value))
    link, (width, rows) = links[chip.link.svg_id], _shortly(chip)
    x, y = link.path.at(0.5)
    height = 17.0 * len(rows) + 4
    ways = [(hypot(a + width / 2 - x, b + height / 2 - y), a, b) for a, b in _anywhere(place, width, height)]
    boxes = ((a, b, a + width, b + height) for far, a, b in sorted(ways) if far < NEAR / 2)
    box = next((box for box in boxes if is_free(box, taken, place)), None)
    return [(_chip(link, box, rows), box)] if box else []


def boxes_taken(place: Diagram, lit: frozenset[str]) -> Iterator[Box]:
    """Where units and their labels stand."""
    last = len(place.layers) - 1
    for layer in place.layers:
        for node in layer.nodes:
            left, right, above, below = node.left, node.end, 1.0, 1.0
            over = place.tight and layer.index != last and node.id in lit  # a lit unit's numbers, where none has room
            if (layer.labelled and not layer.beside) or over:
                half = max(node.side, 42 if place.narrow and not over else LABEL) / 2
                left, right, above, below = node.x - half, max(node.x + half, node.end), 19.0, 19.0
            elif layer.beside or node.id in lit:
                left = left - BESIDE if layer.index == last and not layer.beside else left
                right = (right if layer.beside else layer.right) + BESIDE
            if layer.index in (0, last):
                left, right = (0.0, right) if layer.index == 0 else (left, right + WORD)
            if layer.index == last and (place.over or layer.beside or not layer.labelled):
                # The target above it, the numbers beside it.
                yield node.right - TARGET, node.top - max(place.over, 7) - 12, node.right + 12, node.top
                above = below = max(below, 16.0 - node.side / 2)
            yield left, node.top - above, right, node.bottom + below


def is_free(box: Box, taken: Sequence[Box], place: Diagram) -> bool:
    left, top, right, bottom = box
    inside = left >= 2 and top >= 1 and right <= place.width - 2 and bottom <= place.height - BOTTOM + 8
    return inside and all(left >= r or right <= x or top >= b or bottom <= y for x, y, r, b in taken)


def _placed(place: Diagram, laid: list[tuple[LinkPlace, Form]], taken: Sequence[Box]) -> list[tuple[Markup, Box]]:
    """Every chip at the first place on its link that is free."""
    made = list[tuple[Markup, Box]]()
    for link, (width, rows) in laid:
        height = 17.0 * len(rows) + 4
        for aside, share in product(ASIDE, SHARES):
            x, y = link.path.at(share)
            box = x - width / 2, y - height / 2 + aside, x + width / 2, y + height / 2 + aside
            if is_free(box, [*taken, *(other for _, other in made)], place):
                made.append((_chip(link, box, rows), box))
                break
    return made


def _chip(link: LinkPlace, box: Box, rows: list[Markup]) -> Markup:
    left, top, right, bottom = box
    radius = min(11.0, (bottom - top) / 2)
    texts = (
        Markup('<text x="{:.1f}" y="{:.1f}">{}</text>').format((left + right) / 2, top + 14.5 + 17 * n, row)
        for n, row in enumerate(rows)
    )
    shape = '<g class="chip" data-of="{}"><rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{}"/>{}</g>'
    return Markup(shape).format(link.id, left, top, right - left, bottom - top, radius, Markup("").join(texts))


def _in_a_line(chip: Chip) -> Form:
    if not chip.factors:
        return _alone(chip)
    result = [_piece(chip.result), chip.mark]
    return _form([*_product(chip), "=", *result])


def _in_two(chip: Chip) -> Form:
    above, below = _form(_product(chip)), _form(["=" if chip.factors else "", _piece(chip.result), chip.mark])
    return (max(above[0], below[0]), above[1] + below[1]) if chip.factors else _alone(chip)


def _alone(chip: Chip) -> Form:
    return _form([_piece(chip.result), chip.mark])


def _shortly(chip: Chip) -> Form:
    """Its product to four digits, which is more than the drawing's units tell."""
    width, rows = _alone(replace(chip, result=replace(chip.result, number=all_signed([chip.result.value])[0])))
    return width - EDGE / 2, rows


def _product(chip: Chip) -> list[str | Markup]:
    return [_piece(cell) if not cell.sign else cell.number for cell in chip.factors]


def _form(pieces: Sequence[str | Markup]) -> Form:
    text = Markup(" ").join(piece for piece in pieces if piece)
    return wide(text.striptags()) + 2 * EDGE, [text]


def _piece(cell: Cell) -> Markup:
    part = Markup(' data-part="{}"').format(cell.part) if cell.part else ""
    return Markup('<tspan class="{}"{}>{}</tspan>').format(cell.role, part, cell.number)


def wide(text: str) -> float:
    """About how wide a text stands, in numbers of even width."""
    return sum(10.4 if each in "+−×=" else 4.2 if each in " .,il’" else 7.9 for each in text)


def _stacked(place: Diagram, told: Chips, taken: Sequence[Box]) -> tuple[Markup, Box] | None:
    """The stack at the first free place round its unit: on the far side of its links, or above, below, or behind; else
    wherever there is one near it."""
    node = place.node(told.unit.layer, told.unit.unit)
    if not told.lines or node is None:
        return None
    numbers = max(wide(f"{line.sign} {line.cell.number}".strip()) for line in told.lines)
    width = numbers + max(wide(line.note) for line in told.lines) + 2 * EDGE + 6
    height = LINE * len(told.lines) + 12
    sides = [node.left - 18 - width, node.right + 18]
    far, near = sides if told.tone == "backward" else sides[::-1]
    label = BESIDE if place.layers[told.unit.layer].beside else 0.0
    rows = [node.y - height / 2 + step for step in (0, 16, -16, 32, -32, 56, -56, 84, -84, 120, -120)]
    columns = [far + (label if far > node.x else 0), far - 30, far + 30, node.x - width / 2, near]
    anywhere = sorted(_anywhere(place, width, height), key=lambda at: hypot(at[0] - far, at[1] - rows[0]))
    for left, top in chain(product(columns, rows), anywhere):
        box = left, top, left + width, top + height
        near = hypot(left + width / 2 - node.x, top + height / 2 - node.y) < NEAR
        if near and is_free(box, taken, place):
            return _stack(told, box, left + EDGE + numbers), box
    return None


def _anywhere(place: Diagram, width: float, height: float) -> Iterator[tuple[float, float]]:
    """Places all over the drawing."""
    across, down = int((place.width - width) // ACROSS), int((place.height - height) // DOWN)
    return ((2 + ACROSS * n, 2 + DOWN * m) for n, m in product(range(across + 1), range(down + 1)))


def _stack(told: Chips, box: Box, edge: float) -> Markup:
    """Numbers right-aligned at `edge`, and what they are beside them."""
    left, top, right, bottom = box
    size = left, top, right - left, bottom - top
    parts = [Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="8"/>').format(*size)]
    for n, line in enumerate(told.lines):
        y = top + 17 + LINE * n
        rule = Markup('<path d="M{:.1f} {:.1f}H{:.1f}"/>').format(left + 6, y - 12, right - 6) if line.ruled else ""
        sign = f"{line.sign} " if line.sign else ""
        parts.append(_LINE.format(rule, edge, y, sign, _piece(line.cell), edge + 6, y, line.note))
    return Markup('<g class="stack">{}</g>').format(Markup("").join(parts))


_LINE = Markup(
    '<g class="line">{}<text class="sum" x="{:.1f}" y="{:.1f}">{}{}</text>'
    '<text class="note" x="{:.1f}" y="{:.1f}">{}</text></g>'
)
