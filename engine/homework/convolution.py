"""Convolution, as networks have it: a filter laid over every place of an image, not turned.

Images are (examples, channels, height, width), filters (filters, channels, height, width).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.arrays import Floats
from engine.checks import SpecError
from engine.homework.base import Backward, Case, CaseOption, Gradients, Input, Mistake, case_of
from engine.wording import Words, said


def _stride(case: Case) -> int:
    return int(case.settings["stride"])


def _pad(case: Case) -> int:
    """So many zeros are laid round each image; "same" is half of the filter."""
    given = case.settings["padding"]
    return {"valid": 0, "same": int(case["W"].shape[2]) // 2}[given] if isinstance(given, str) else int(given)


def _padded(case: Case) -> Floats:
    pad = _pad(case)
    return np.pad(case["x"], ((0, 0), (0, 0), (pad, pad), (pad, pad)))


def _windows(case: Case, images: Floats, stride: int) -> Floats:
    """What each place looks at: (examples, channels, places down and across, filter's height and width)."""
    seen = sliding_window_view(images, case["W"].shape[2:], (2, 3))[:, :, ::stride, ::stride]
    down, across = case.g.shape[2:] if case.g.ndim == 4 else seen.shape[2:4]
    return np.asarray(seen[:, :, :down, :across])


def _forward(case: Case) -> Floats:
    seen = _windows(case.with_upstream(np.zeros(())), _padded(case), _stride(case))
    out = np.tensordot(seen, case["W"], ((1, 4, 5), (1, 2, 3)))
    return np.moveaxis(out + case["b"], -1, 1)


def _dW(case: Case, images: Floats, stride: int) -> Floats:
    return np.asarray(np.tensordot(case.g, _windows(case, images, stride), ((0, 2, 3), (0, 2, 3))))


def _handed_back(case: Case, W: Floats, stride: int) -> Floats:
    """What every place hands back to all that it looked at, added up, with the padding."""
    back = np.zeros_like(_padded(case))
    down, across = case.g.shape[2:]
    for i, j in np.ndindex(*W.shape[2:]):
        part = np.moveaxis(np.tensordot(case.g, W[:, :, i, j], (1, 0)), -1, 1)
        back[:, :, i : i + stride * down : stride, j : j + stride * across : stride] += part
    return back


def _cut(case: Case, back: Floats, first: int | None = None) -> Floats:
    """Without the padding, which is as wide as it is, or cut from another place on."""
    begin = _pad(case) if first is None else first
    high, wide = case["x"].shape[2:]
    return back[:, :, begin : begin + high, begin : begin + wide]


def _dx(case: Case, W: Floats | None = None) -> Floats:
    return _cut(case, _handed_back(case, case["W"] if W is None else W, _stride(case)))


def _backward(case: Case) -> dict[str, Floats]:
    return {"dx": _dx(case), "dW": _dW(case, _padded(case), _stride(case)), "db": case.g.sum((0, 2, 3))}


def _part(case: Case, examples: slice = slice(None), places: slice = slice(None)) -> Case:
    """The same with something coming back to some examples and places alone."""
    kept = np.zeros_like(case.g)
    kept[examples, :, places, places] = case.g[examples, :, places, places]
    return case.with_upstream(kept)


_LAST = slice(-1, None)


def _overwritten_dx(case: Case) -> Floats:
    """What is left where every place writes over what others handed back."""
    back, stride = np.zeros_like(_padded(case)), _stride(case)
    high, wide = case["W"].shape[2:]
    for i, j in np.ndindex(*case.g.shape[2:]):
        part = np.tensordot(case.g[:, :, i, j], case["W"], (1, 0))
        back[:, :, i * stride : i * stride + high, j * stride : j * stride + wide] = part
    return _cut(case, back)


def _last_filter(case: Case) -> Case:
    return case.with_upstream(case.g[:, -1:]).having(W=case["W"][-1:])


def _places(case: Case) -> Gradients:
    last = _backward(_part(case, places=_LAST))
    return {"dx": _overwritten_dx(case), "dW": last["dW"], "db": last["db"]}


def _examples(case: Case) -> Gradients:
    last = _backward(_part(case, examples=_LAST))
    return {name: last[name] for name in ("dW", "db")}


def _overwritten(case: Case) -> Gradients:
    last = _backward(_part(case, _LAST, _LAST))
    overlap = _stride(case) < max(case["W"].shape[2:])
    dx = {"dx": _overwritten_dx(_last_filter(case))} if overlap else {}
    return dx | {name: last[name] for name in ("dW", "db")}


def _each_example(case: Case) -> Gradients:
    seen = _windows(case, _padded(case), _stride(case))
    return {"dW": np.einsum("nfyx,ncyxij->nfcij", case.g, seen), "db": case.g.sum((2, 3))}


def _averaged(case: Case) -> Gradients:
    found = _backward(case)
    return {name: found[name] / case.n for name in ("dW", "db")}


def _averaged_places(case: Case) -> Gradients:
    found, places = _backward(case), case.g[0, 0].size
    return {name: found[name] / (case.n * places) for name in ("dW", "db")}


def _turned(case: Case) -> Gradients:
    return {"dx": _dx(case, case["W"][:, :, ::-1, ::-1]), "dW": _backward(case)["dW"][:, :, ::-1, ::-1]}


def _rows_for_columns(case: Case) -> Gradients:
    if case["W"].shape[2] != case["W"].shape[3]:
        return {"dW": _backward(case)["dW"].swapaxes(2, 3)}
    return {"dx": _dx(case, case["W"].swapaxes(2, 3)), "dW": _backward(case)["dW"].swapaxes(2, 3)}


def _channels_for_filters(case: Case) -> Gradients:
    made = {"dW": _backward(case)["dW"].swapaxes(0, 1)}
    filters, channels = case["W"].shape[:2]
    return made | ({"dx": _dx(case, case["W"].swapaxes(0, 1))} if filters == channels else {})


def _stride_forgotten(case: Case) -> Gradients:
    if _stride(case) == 1:
        return {}
    return {"dx": _cut(case, _handed_back(case, case["W"], 1)), "dW": _dW(case, _padded(case), 1)}


def _padding_forgotten(case: Case) -> Gradients:
    if not (pad := _pad(case)):
        return {}
    beside = np.pad(case["x"], ((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)))
    uncut = _handed_back(case, case["W"], _stride(case))
    return {"dx": _cut(case, uncut, 0), "dW": _dW(case, beside, _stride(case))}


def _not_cut(case: Case) -> Gradients:
    return {"dx": _handed_back(case, case["W"], _stride(case))} if _pad(case) else {}


def _parameter_as_factor(case: Case) -> Gradients:
    found = _backward(case)
    return {"dW": found["dW"] * case["W"], "db": found["db"] * case["b"]}


_MISTAKES = (
    Mistake(
        "filter_turned",
        "The filter was turned. A network's convolution lays it over the image as it is, forwards and for dW; on the "
        "way back each place hands its share to just the pixels that it looked at.",
        (_turned,),
    ),
    Mistake("rows_for_columns", "Rows and columns of the filter have changed places.", (_rows_for_columns,)),
    Mistake(
        "channels_for_filters",
        "Filters and channels have changed places: W is (filters, channels, height, width).",
        (_channels_for_filters,),
    ),
    Mistake(
        "stride_forgotten",
        "The stride is left out on the way back: the places looked at the image so many pixels apart.",
        (_stride_forgotten,),
    ),
    Mistake(
        "padding_forgotten",
        "The padding is left out: the first place begins outside the image, and what comes back there is cut off on "
        "every side.",
        (_padding_forgotten, _not_cut),
    ),
    Mistake(
        "places_not_summed",
        "One weight is used at many places: what comes back over all of them adds up. Here one place's share is left.",
        (_places, lambda case: {"db": case.g.sum(0)}),
    ),
    Mistake(
        "examples_not_summed",
        "One filter serves every example: its gradient is the sum over them all.",
        (_examples, _each_example),
    ),
    Mistake(
        "overwritten",
        "Each share writes over the one before, = in place of +=: of all places and examples only the last is left.",
        (_overwritten,),
    ),
    Mistake(
        "filters_not_summed",
        "Every filter looks at the image, so what they all hand back adds up. Here only the last one's share is left.",
        (lambda case: {"dx": _dx(_last_filter(case))},),
    ),
    Mistake(
        "averaged",
        "A mean in place of a sum: what comes back holds the 1/N of the loss already, and places add up, too.",
        (_averaged, _averaged_places),
    ),
    Mistake(
        "parameter_as_factor",
        "A weight or a bias is no factor of its own gradient: a weight's other factor is the pixel below it.",
        (_parameter_as_factor,),
    ),
)


def _draw(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
    n, channels, filters, kernel = (int(size) for size in rng.integers(2, 4, 4))
    high, wide = (int(size) for size in rng.integers(5, 7, 2))
    arrays = {
        "x": rng.normal(0.0, 1.0, (n, channels, high, wide)),
        "W": rng.normal(0.0, 1.0, (filters, channels, kernel, kernel)),
        "b": rng.normal(0.0, 1.0, filters),
    }
    drawn = {"stride": int(rng.integers(1, 3)), "padding": int(rng.integers(0, 2)), **settings}
    return case_of(_forward, rng, arrays, drawn)


def _refuse(case: Case) -> SpecError | None:
    given, (high, wide) = case.settings["padding"], case["W"].shape[2:]
    if given == "same" and (high != wide or high % 2 == 0):
        return SpecError("settings.padding", "same", "a number, for a filter that is not square with an odd side")
    pad, (down, across) = _pad(case), case["x"].shape[2:]
    if pad and pad >= min(high, wide):
        allowed: Words = "less than the filter's sides, {high} and {wide}"
        return SpecError("settings.padding", str(pad), allowed, high=high, wide=wide)
    if high > down + 2 * pad or wide > across + 2 * pad:
        own = said("a filter of {high} x {wide}", high=high, wide=wide)
        room: Words = "no larger than the image, {down} x {across}, with its padding"
        return SpecError("inputs.W", own, room, down=down, across=across)
    return None


def _cost(case: Case) -> int:
    n, _, down, across = case["x"].shape
    places = (down + 2 * _pad(case)) * (across + 2 * _pad(case)) // _stride(case) ** 2
    return int(n * places * case["W"].size)


CONV2D = Backward(
    "conv2d",
    "Convolution",
    "Every filter is laid over every place of the image; what lies over each other is multiplied and added up.",
    (
        Input("x", (("n", "channels", "height", "width"),), "The images."),
        Input("W", (("filters", "channels", "filter_height", "filter_width"),), "The filters, not turned."),
        Input("b", (("filters",),), "A bias a filter."),
    ),
    ("dx", "dW", "db"),
    _forward,
    _backward,
    _MISTAKES,
    _draw,
    (
        CaseOption("stride", "How many pixels the filter moves from place to place.", 1, minimum=1, maximum=16),
        CaseOption("padding", "Zeros round the image: how many on each side, or same.", 0, ("valid", "same"), 0, 16),
    ),
    refuse=_refuse,
    cost=_cost,
)
