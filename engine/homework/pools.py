"""Pools: of every window of an image the largest number, or the mean; and of a whole image."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.arrays import Flags, Floats
from engine.checks import SpecError
from engine.homework.base import Backward, Case, CaseOption, Gradients, Input, Mistake, case_of
from engine.wording import Words

Maker = Callable[[Case], Gradients]


def _size(case: Case) -> int:
    return int(case.settings["size"])


def _stride(case: Case) -> int:
    return int(case.settings["stride"]) or _size(case)


def _windows(case: Case) -> Floats:
    """(examples, channels, places down and across, the numbers of the window, row by row)."""
    side, stride = _size(case), _stride(case)
    seen = sliding_window_view(case["x"], (side, side), (2, 3))[:, :, ::stride, ::stride]
    return np.asarray(seen.reshape(*seen.shape[:4], -1))


def _only(place: Any, windows: Floats) -> Floats:
    """1 at one place of each window."""
    return np.asarray(np.arange(windows.shape[-1]) == np.asarray(place)[..., None], np.float64)


def _first(case: Case) -> Floats:
    """1 at the winner of each window, of equals the first."""
    seen = _windows(case)
    return _only(seen.argmax(-1), seen)


def _equals(case: Case) -> Flags:
    seen = _windows(case)
    return np.asarray(seen == seen.max(-1, keepdims=True))


def _handed_back(case: Case, shares: Floats, how: str = "add") -> Floats:
    """What each window gives back to its numbers, by their shares; `how` is what is done where windows overlap."""
    back, side, stride = np.zeros_like(case["x"]), _size(case), _stride(case)
    down, across = shares.shape[2:4]
    given = (np.broadcast_to(case.g[..., None], shares.shape) * shares).reshape(*shares.shape[:4], side, side)
    if how == "add":
        for i, j in np.ndindex(side, side):
            back[:, :, i : i + stride * down : stride, j : j + stride * across : stride] += given[..., i, j]
        return back
    for y, x in np.ndindex(down, across):
        place = back[:, :, y * stride : y * stride + side, x * stride : x * stride + side]
        mine = shares.reshape(given.shape)[:, :, y, x] != 0
        place[...] = np.where(mine, given[:, :, y, x], place) if how == "winner" else given[:, :, y, x]
    return back


def _dx(shares: Callable[[Case], Floats], how: str = "add") -> Maker:
    return lambda case: {"dx": _handed_back(case, shares(case), how)}


def _all(case: Case) -> Floats:
    return np.ones(_windows(case).shape)


def _mean(case: Case) -> Floats:
    return _all(case) / _size(case) ** 2


def _times(shares: Callable[[Case], Floats], factor: Callable[[Case], float]) -> Maker:
    return _dx(lambda case: shares(case) * factor(case))


def _last_winner(case: Case) -> Floats:
    seen = _windows(case)
    return _only(int(seen.shape[-1]) - 1 - seen[..., ::-1].argmax(-1), seen)


def _value_back(case: Case) -> Gradients:
    seen = _windows(case)
    return {"dx": _handed_back(case.with_upstream(seen.max(-1)), _first(case))}


def _value_as_factor(case: Case) -> Gradients:
    seen = _windows(case)
    return {"dx": _handed_back(case.with_upstream(case.g * seen.max(-1)), _first(case))}


_OVERWRITTEN: Words = (
    "Windows overlap, and a number that is in several gets back from each: add up, += in place of =, so that none is "
    "written over."
)

_MAX = (
    Mistake(
        "gave_to_all",
        "Every number of the window got it. Only the largest reached the output, so only it gets what comes back.",
        (_dx(_all),),
    ),
    Mistake(
        "shared_by_all",
        "It was shared among the window, as the mean pool does. Only the largest reached the output: it gets all.",
        (_dx(_mean),),
    ),
    Mistake(
        "equals_got_all",
        "Of equal largest numbers every one got all of it; here the first of them gets it, row by row.",
        (_dx(lambda case: _equals(case).astype(np.float64)),),
    ),
    Mistake(
        "equals_shared",
        "Equal largest numbers shared it; here the first of them gets it, row by row.",
        (_dx(lambda case: _equals(case) / _equals(case).sum(-1, keepdims=True)),),
    ),
    Mistake(
        "last_of_equals",
        "Of equal largest numbers the last got it; here the first of them gets it, row by row.",
        (_dx(_last_winner),),
    ),
    Mistake(
        "smallest",
        "The smallest number of the window got it; it is the largest that reached the output.",
        (_dx(lambda case: _only(_windows(case).argmin(-1), _windows(case))),),
    ),
    Mistake(
        "first_place",
        "The first place of every window got it; it belongs where the largest number is.",
        (_dx(lambda case: _only(np.zeros(case.g.shape), _windows(case))),),
    ),
    Mistake(
        "value_handed_back",
        "The largest number itself was handed back; what comes from above is to be.",
        (_value_back,),
    ),
    Mistake(
        "value_as_factor",
        "The largest number is no factor: it went through as it was, with slope 1.",
        (_value_as_factor,),
    ),
    Mistake("overwritten", _OVERWRITTEN, (_dx(_first, "window"), _dx(_first, "winner"))),
)

_AVERAGE = (
    Mistake(
        "share_missing",
        "Every number of the window got all of it. The output is their mean, so each gets one share.",
        (_dx(_all),),
    ),
    Mistake(
        "winner_alone",
        "The largest number got it, as in a max pool. All have a share in the mean, so all get one back.",
        (_dx(_first),),
    ),
    Mistake(
        "divided_by_side",
        "Divided by the window's side; its numbers are as many as side times side.",
        (_times(_all, lambda case: 1.0 / _size(case)),),
    ),
    Mistake(
        "divided_twice",
        "Divided twice by the count of the window's numbers.",
        (_times(_mean, lambda case: 1.0 / _size(case) ** 2),),
    ),
    Mistake("overwritten", _OVERWRITTEN, (_dx(_mean, "window"),)),
)


def _pooled(how: str) -> Callable[[Case], Floats]:
    return lambda case: np.asarray(getattr(_windows(case), how)(-1))


def _drawing(how: str) -> Callable[[np.random.Generator, Mapping[str, Any]], Case]:
    def drawn(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
        n, channels = (int(size) for size in rng.integers(1, 3, 2))
        x = rng.normal(0.0, 1.0, (n, channels, *(int(size) for size in rng.integers(5, 8, 2))))
        if how == "max":
            x[0, 0, 1, :2] = 4.0  # two equal winners, neither at the window's beginning
        size = int(settings.get("size", rng.integers(2, 4)))
        return case_of(
            _pooled(how), rng, {"x": x}, {"size": size, "stride": int(rng.integers(1, size + 1)), **settings}
        )

    return drawn


def _refuse(case: Case) -> SpecError | None:
    high, wide = case["x"].shape[2:]
    if _size(case) <= min(high, wide):
        return None
    allowed: Words = "no larger than the image, {high} x {wide}"
    return SpecError("settings.size", str(_size(case)), allowed, high=high, wide=wide)


def _cost(case: Case) -> int:
    return int(case["x"].size * _size(case) ** 2 // _stride(case) ** 2 + case["x"].size)


_X = Input("x", (("n", "channels", "height", "width"),), "The images.")
_SETTINGS = (
    CaseOption("size", "The side of the window.", 2, minimum=1, maximum=64),
    CaseOption("stride", "How many pixels the window moves from place to place; 0 stands for its size.", 0, maximum=64),
)


def _entry(
    name: str, title: Words, sentence: Words, how: str, shares: Callable[[Case], Floats], mistakes: tuple[Mistake, ...]
) -> Backward:
    return Backward(
        name,
        title,
        sentence,
        (_X,),
        ("dx",),
        _pooled(how),
        lambda case: dict(_dx(shares)(case)),
        mistakes,
        _drawing(how),
        _SETTINGS,
        refuse=_refuse,
        cost=_cost,
    )


MAX_POOL = _entry(
    "max_pool",
    "Max pool",
    "Of every window the largest number; of equals the first gets what comes back.",
    "max",
    _first,
    _MAX,
)
AVG_POOL = _entry("avg_pool", "Mean pool", "Of every window the mean of its numbers.", "mean", _mean, _AVERAGE)


# A whole image at once, and images as rows


def _spread(case: Case, over: float) -> Floats:
    return np.broadcast_to(case.g[:, :, None, None] / over, case["x"].shape).copy()


def _shared(over: Callable[[Case], float]) -> Maker:
    return lambda case: {"dx": _spread(case, over(case))}


def _places(case: Case) -> int:
    return int(case["x"][0, 0].size)


def _corner(case: Case) -> Gradients:
    dx = np.zeros_like(case["x"])
    dx[:, :, 0, 0] = case.g
    return {"dx": dx}


def _winner(case: Case) -> Gradients:
    rows = case["x"].reshape(*case["x"].shape[:2], -1)
    return {"dx": (_only(rows.argmax(-1), rows) * case.g[..., None]).reshape(case["x"].shape)}


def _draw_whole(of: Callable[[Case], Floats]) -> Callable[[np.random.Generator, Mapping[str, Any]], Case]:
    def drawn(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
        shape = tuple(int(size) for size in rng.permutation([2, 3, 4, 5]))
        return case_of(of, rng, {"x": rng.normal(0.0, 1.0, shape)}, settings)

    return drawn


def _whole(case: Case) -> Floats:
    return np.asarray(case["x"].mean((2, 3)))


GLOBAL_POOL = Backward(
    "global_pool",
    "Global mean pool",
    "Of every channel the mean of all its places.",
    (_X,),
    ("dx",),
    _whole,
    lambda case: {"dx": _spread(case, _places(case))},
    (
        Mistake(
            "share_missing",
            "Every place got all of it. The output is their mean, so each place gets one share.",
            (_shared(lambda case: 1.0),),
        ),
        Mistake(
            "divided_by_side",
            "Divided by one side of the image; its places are as many as height times width.",
            (_shared(lambda case: case["x"].shape[2]), _shared(lambda case: case["x"].shape[3])),
        ),
        Mistake(
            "divided_by_channels",
            "Divided by the number of channels, too: every channel has a mean of its own.",
            (_shared(lambda case: _places(case) * case["x"].shape[1]),),
        ),
        Mistake(
            "averaged",
            "Divided by the number of examples once too often.",
            (_shared(lambda case: _places(case) * case.n),),
        ),
        Mistake(
            "winner_alone",
            "The largest number got it, as in a max pool. All places have a share in the mean, so all get one back.",
            (_winner,),
        ),
        Mistake("first_place", "The first place got all of it; all places share it.", (_corner,)),
    ),
    _draw_whole(_whole),
)


def _rows(case: Case) -> Floats:
    return case["x"].reshape(case.n, -1)


def _channels_last(case: Case) -> Gradients:
    n, channels, high, wide = case["x"].shape
    return {"dx": np.moveaxis(case.g.reshape(n, high, wide, channels), -1, 1)}


def _columns_first(case: Case) -> Gradients:
    n, channels, high, wide = case["x"].shape
    return {"dx": case.g.reshape(n, channels, wide, high).swapaxes(2, 3)}


FLATTEN = Backward(
    "flatten",
    "Flatten",
    "Every image becomes a row: channel by channel, in it row by row. Nothing is computed.",
    (_X,),
    ("dx",),
    _rows,
    lambda case: {"dx": case.g.reshape(case["x"].shape)},
    (
        Mistake(
            "not_reshaped",
            "The numbers are right, and still a row: give them the shape of x.",
            (lambda case: {"dx": case.g},),
        ),
        Mistake("channels_last", "The row was read place by place; it goes channel by channel.", (_channels_last,)),
        Mistake(
            "columns_first", "The row was read column by column; in a channel it goes row by row.", (_columns_first,)
        ),
        Mistake(
            "examples_mixed",
            "The examples are mixed up: each row belongs to one image.",
            (
                lambda case: {"dx": case.g.reshape(case["x"].shape, order="F")},
                lambda case: {"dx": case.g.T.reshape(case["x"].shape)},
            ),
        ),
    ),
    _draw_whole(_rows),
)
