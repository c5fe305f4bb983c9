"""The walkthrough and the network's drawing for a lesson: the playground's own, at one moment of one step."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.draw.diagram import Size
from app.draw.drawing import draw
from app.draw.marks import Marks
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
    """The network drawn, and what it shows in a sentence."""

    svg: Markup
    text: str
    dense: bool = False
    """Whether its labels are too small to read on a phone."""
    targets: bool = False
    """Whether what is wanted stands beside its outputs."""


def drawing(facts: Facts, lens: str, marks: Marks | None = None, on: int = 0) -> Picture:
    """The network under a lens: weights, activations, gradients or updates.

    On a page that holds several, `on` is this one's number: it has ids of its own and so finds its own pictures.
    """
    trace, state = facts.trace, facts.state
    seen = surfaces(state) if has_surfaces(state) else None
    size: Size = "xs" if max(state.spec.network.sizes) <= FEW else "m"
    drawn = draw(
        state.spec,
        trace,
        seen,
        _LENS.get(lens, lens),
        batch=facts.example is None,
        marks=marks or Marks(),
        size=size,
        on=f"on-{on}-" if on else "",
    )
    beside = 'class="wanted"' in drawn.svg
    return Picture(drawn.svg, f"{_shape(trace)} {drawn.legend}", dense=size == "m", targets=beside)


def path_back(nodes: Sequence[str], links: Sequence[str]) -> Marks:
    """Some units and links lit, as something that goes back."""
    return Marks(lit=frozenset([*nodes, *links]), tone="backward", flow="backward")


_LENS = {"forward": "activations"}


def moment(facts: Facts, index: int, grain: Grain = "unit") -> tuple[Moment, Marks]:
    """One moment of the next step, and what it lights; what is not computed yet shows a question mark."""
    moments = walkthrough(facts.trace, grain)
    index = min(max(index, 0), len(moments) - 1)
    return moments[index], marks_of(facts.trace, moments[index], known(moments, index))


def phase_start(facts: Facts, phase: str, grain: Grain = "unit") -> int:
    """The index of a phase's first moment."""
    return next(first for name, first, _ in walkthrough(facts.trace, grain).phases if name == phase)


def phase_end(facts: Facts, phase: str, grain: Grain = "unit") -> int:
    """The index of a phase's last moment."""
    return next(first + count - 1 for name, first, count in walkthrough(facts.trace, grain).phases if name == phase)


def layer_back(facts: Facts, back: int) -> int:
    """By layers, the index of the moment when the message has come back so many layers; 0 is the loss."""
    if not back:
        return phase_end(facts, "loss", "layer")
    return moments_of(facts, "backward", facts.layers + 1 - back, "layer")[-1]


def moments_of(facts: Facts, phase: str, layer: int, grain: Grain = "unit") -> list[int]:
    """The indices of a phase's moments that are about one layer, in order."""
    return [m.index for m in walkthrough(facts.trace, grain) if m.phase == phase and m.layer == layer]


def _shape(trace: Trace) -> str:
    layers = len(trace.layers)
    sizes = trace.spec.network.sizes
    return "The network: " + ", ".join(f"{layer_name(k, layers)} {n}" for k, n in enumerate(sizes)) + "."
