"""The walkthrough and the network's drawing for a lesson: the playground's own, at one moment of one step."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from app.draw.diagram import Size
from app.draw.drawing import Marks, draw
from app.draw.pictures import has_surfaces, surfaces
from app.explain.moments import Grain, Moment
from app.explain.walkthrough import known, walkthrough
from app.learn.facts import Facts
from app.page.frame import marks_of
from app.words.names import layer_name
from engine import Trace

FEW = 3  # units a layer, that a small frame has room for


@dataclass(frozen=True)
class Picture:
    """The network drawn, what it shows in a sentence, and the moment it is drawn at, if it is at one."""

    svg: Markup
    text: str
    moment: Moment | None = None
    dense: bool = False
    """Whether its labels are too small to read on a phone."""


def drawing(facts: Facts, lens: str, marks: Marks | None = None) -> Picture:
    """The network under a lens: weights, activations, gradients or updates."""
    trace, state = facts.trace, facts.state
    seen = surfaces(state) if has_surfaces(state) else None
    size: Size = "xs" if max(state.spec.network.sizes) <= FEW else "m"
    drawn = draw(state.spec, trace, seen, _LENS.get(lens, lens), facts.example is None, marks or Marks(), size)
    return Picture(drawn.svg, f"{_shape(trace)} {drawn.legend}", dense=size == "m")


def apart(svg: Markup, number: int) -> Markup:
    """The drawing with ids of its own, for a page that holds several: each finds its own pictures."""
    return Markup(_IDS.sub(f"on-{number}-", svg))


_IDS = re.compile(r'(?<=\bid=")|(?<=\bhref="#)|(?<=\(#)')


def path_through(facts: Facts, nodes: Sequence[str], links: Sequence[str], lens: str = "activations") -> Picture:
    """The network with some of its units and links lit, as something that goes back."""
    return drawing(facts, lens, Marks(lit=frozenset([*nodes, *links]), tone="backward", flow="backward"))


_LENS = {"forward": "activations"}


def moment(facts: Facts, index: int, lens: str, grain: Grain = "unit") -> Picture:
    """The network at one moment of its next step; what is not computed yet shows a question mark."""
    moments = walkthrough(facts.trace, grain)
    index = min(max(index, 0), len(moments) - 1)
    picture = drawing(facts, lens, marks_of(facts.trace, moments[index], known(moments, index)))
    return replace(picture, moment=moments[index])


def phase_start(facts: Facts, phase: str, grain: Grain = "unit") -> int:
    """The index of a phase's first moment."""
    return next(first for name, first, _ in walkthrough(facts.trace, grain).phases if name == phase)


def phase_end(facts: Facts, phase: str, grain: Grain = "unit") -> int:
    """The index of a phase's last moment."""
    return next(first + count - 1 for name, first, count in walkthrough(facts.trace, grain).phases if name == phase)


def moments_of(facts: Facts, phase: str, layer: int, grain: Grain = "unit") -> list[int]:
    """The indices of a phase's moments that are about one layer, in order."""
    return [m.index for m in walkthrough(facts.trace, grain) if m.phase == phase and m.layer == layer]


def _shape(trace: Trace) -> str:
    layers = len(trace.layers)
    sizes = trace.spec.network.sizes
    return "The network: " + ", ".join(f"{layer_name(k, layers)} {n}" for k, n in enumerate(sizes)) + "."
