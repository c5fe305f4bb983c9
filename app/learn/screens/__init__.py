"""What lessons ask and show, a module each: a function for every screen, which reads what was set, puts its questions
and gives the values that its text and pictures name. All of it is done, and judged, before the text is rendered.
"""

from app.learn.screens import (
    black_box,
    circuit,
    code,
    convolution,
    deeper,
    error,
    layers,
    line,
    math,
    neuron,
    normalization,
    nudge,
    overshoot,
    pixels,
    pooling,
    residual,
    slope,
)
from app.learn.visit import Screen

SCREENS: dict[str, tuple[Screen, ...]] = {
    "error": error.SCREENS,
    "line": line.SCREENS,
    "nudge": nudge.SCREENS,
    "slope": slope.SCREENS,
    "overshoot": overshoot.SCREENS,
    "neuron": neuron.SCREENS,
    "circuit": circuit.SCREENS,
    "layers": layers.SCREENS,
    "deeper": deeper.SCREENS,
    "pixels": pixels.SCREENS,
    "code": code.SCREENS,
    "math": math.SCREENS,
    "black-box": black_box.SCREENS,
    "convolution": convolution.SCREENS,
    "pooling": pooling.SCREENS,
    "normalization": normalization.SCREENS,
    "dropout-and-shortcuts": residual.SCREENS,
}
