"""What the lesson on normalization asks on each screen, and what its text and pictures show beside."""

from typing import Any

import numpy as np

from app.learn import norms, pieces
from app.learn.judging import Problem
from app.learn.listings import run_listing
from app.learn.plots import Box, plot
from app.learn.posing import choice_problem, number_problem
from app.learn.screens.code import line_of
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed, fixed_signed, unsigned
from engine.homework import BACKWARD
from engine.homework.base import Case
from engine.homework.norms import EPS

SHOWN = 3  # the example that is asked about, from 0


def _rows() -> Box:
    """Room for z above and x̂ below on one scale."""
    return plot((-4, 7), (-0.35, 1.65), 400, 200, left=26)


def whatever_the_size(at: Visit, head: Any) -> Values:
    """Whatever the size"""
    run, first = head.run, norms.ways(head.run)
    factor = at.number("factor", "weights into the unit ×", 1, 0.25, 2, 0.25)
    shift = at.number("shift", "its bias +", 0, -2, 2, 0.25)
    now = run.with_values({"W1.1.1": run["W1.1.1"] * factor, "b1.1": run["b1.1"] + shift})
    at.ask("xhat", _hat_problem(first))
    twice = norms.ways(run.with_values({"W1.1.1": 2 * run["W1.1.1"], "b1.1": 2 * run["b1.1"]}))
    alike = bool(np.allclose(twice.xhat, first.xhat, atol=1e-3))
    at.ask(
        "doubled",
        choice_problem(
            "the weights into the unit are doubled, and its bias. What becomes of its x̂?",
            "they stay" if alike else "they double",
            f"Every z doubles, so the mean does, now {fixed(twice.mean, 3)}, and the spread, {fixed(twice.spread, 3)}. "
            "What is counted in spreads stays as it was.",
            {
                "they double" if alike else "they stay": "Every z doubles. And the mean, and the spread?",
                "they halve": "The spread doubles, and what it divides?",
            },
        ),
    )
    return {"rows": _rows(), "first": first, "w": norms.ways(now)}


def _hat_problem(first: norms.NormWays) -> Problem:
    z, mean, spread, hat = first.z[SHOWN], first.mean, first.spread, first.xhat[SHOWN]
    return number_problem(
        f"the batch's mean is {fixed(mean, 3)}, its spread {fixed(spread, 3)}, and example {SHOWN + 1} has "
        f"z = {fixed(z, 1)}. What is its x̂?",
        hat,
        f"({fixed(z, 1)} − {fixed(mean, 3)}) / {fixed(spread, 3)} = {fixed_signed(hat, 3)}: so many spreads "
        f"{'below' if hat < 0 else 'above'} the mean.",
        "How far from the mean, measured in spreads?",
        {
            "spread": (z - mean, "That is how far from the mean. Now measure it in spreads."),
            "mean": (z / spread, "The mean is still in it: subtract it first."),
            "sign": (-hat, "z less the mean, in this order."),
            "order": (z - mean / spread, "First subtract, then divide."),
            "variance": ((z - mean) / spread**2, "Divided by the variance. Divide by its root, the spread."),
        },
    )


def one_nudge_moves_them_all(at: Visit, head: Any) -> Values:
    """One nudge moves them all"""
    spec, run, first = head.spec, head.run, norms.ways(head.run)
    count = len(first.z)
    example = at.place("example", "the example", range(1, count + 1), SHOWN)
    amount = at.number("nudge", "its z moves by", 0, -1.5, 1.5, 0.1)
    far = norms.ways(at.facts(norms.moved(run, spec, SHOWN, 0.6)))
    moved = sum(abs(a - b) > 1e-9 for a, b in zip(far.xhat, first.xhat, strict=True))
    answers = {1: "its own alone", count: f"all {count}", 0: "none"}
    at.ask(
        "all",
        choice_problem(
            f"one z of the batch of {count} is nudged. How many x̂ of the unit move?",
            answers[moved],
            f"Mean and spread are made of all {count} z. They move, and every x̂ is measured by them.",
            {
                text: "Watch the dots below: what are the others measured by?"
                for n, text in answers.items()
                if n != moved
            },
        ),
    )
    step = far.mean - first.mean
    at.ask(
        "mean",
        number_problem(
            f"one z of {count} moves by {fixed(0.6, 1)}. By how much does the mean move?",
            step,
            f"{fixed(0.6, 1)} / {count} = {fixed(step, 2)}: a mean of N holds a share of 1/N of each.",
            "The mean adds all of them up, and divides.",
            {
                "1/N": (0.6, "That is how far z moves. The mean holds only its share: 1/N is missing."),
                "others": (0.6 / (count - 1), f"The mean is over all {count}, the one that moves included."),
            },
        ),
    )
    now = norms.ways(at.facts(norms.moved(run, spec, example, amount)))
    return {"rows": _rows(), "first": first, "w": now, "example": example}


def three_ways_back(at: Visit, head: Any) -> Values:
    """Three ways back"""
    spec, w = head.spec, norms.ways(head.run)
    example = at.place("example", "example", range(1, len(w.z) + 1))
    at.ask("delta", _delta_problem(w))
    delta = w.delta[SHOWN]
    same = (delta > 0) == (w.own[SHOWN] > 0)
    sign = at.ask(
        "sign",
        choice_problem(
            f"through its own x̂ alone, example {SHOWN + 1} is asked to move z {_way(w.own[SHOWN])}. And by all three "
            "ways together?",
            _way(delta),
            f"Alone {fixed_signed(w.own[SHOWN], 4)}, together {fixed_signed(delta, 4)}. "
            + ("The other two agree." if same else "The other two outvote it: the sign has turned."),
            {_way(-delta): "Look at the last bar: on which side of zero is it? Against a positive δ, down."},
        ),
    )
    ends = [end for k in range(len(w.z)) for _, begin, stop in w.bars(k) for end in (begin, stop)]
    room = 1.25 * max(map(abs, ends))
    moves = {"up": 0.1, "down": -0.1}
    acted = at.facts(norms.moved(head.run, spec, SHOWN, moves[sign.answer])) if sign.answer in moves else None
    box, nudged = plot((0, 4), (-room, room), 400, 230, left=50), norms.nudged_slope(at, spec, example)
    return {"w": w, "example": example, "nudged": nudged, "box": box, "sign": sign, "acted": acted}


def _delta_problem(w: norms.NormWays) -> Problem:
    d, hat, spread = w.back[SHOWN], w.xhat[SHOWN], w.spread
    of_mean, of_tilt, delta = w.level, hat * w.tilt, w.delta[SHOWN]
    return number_problem(
        f"to the x̂ of example {SHOWN + 1} comes back d = {fixed_signed(d, 4)}. The mean of all d is "
        f"{fixed_signed(of_mean, 4)}, its x̂ times mean(d x̂) is {fixed_signed(of_tilt, 4)}, and σ is "
        f"{fixed(spread, 4)}. What is δ, what goes on to z?",
        delta,
        f"({fixed_signed(d, 4)} − ({fixed_signed(of_mean, 4)}) − ({fixed_signed(of_tilt, 4)})) / "
        f"{fixed(spread, 4)} = {fixed_signed(delta, 4)}.",
        "Three ways: itself, less the mean, less x̂ times mean(d x̂); all divided by σ.",
        {
            "mean": ((d - of_tilt) / spread, "The way through the mean is missing."),
            "spread": ((d - of_mean) / spread, "The way through the spread is missing."),
            "both": (d / spread, "That is the way through the number alone. There are two more."),
            "sigma": (d - of_mean - of_tilt, "All three ways are there; each is divided by σ."),
            "sign": ((d + of_mean + of_tilt) / spread, "The ways through mean and spread are subtracted."),
            "times": ((d - of_mean - of_tilt) * spread, "z was divided by σ, so what comes back is, too."),
        },
    )


def _way(slope: float) -> str:
    """Against the slope."""
    return "down" if slope > 0 else "up"


COMES_BACK = (("batch", "as in this batch"), ("even", "the same to all"), ("tilted", "in proportion to x̂"))


def level_and_tilt(at: Visit, head: Any) -> Values:
    """Level and tilt"""
    run, w = head.run, norms.ways(head.run)
    kind = at.choice("back", "what comes back", COMES_BACK, "batch")
    shapes = {"batch": w, "even": norms.with_back(w, [0.06] * len(w.z))}
    shapes["tilted"] = norms.with_back(w, [0.06 * hat for hat in w.xhat])
    left = {name: max(map(abs, each.delta)) for name, each in shapes.items()}
    nothing = left["even"] < 1e-9
    at.ask(
        "even",
        choice_problem(
            "the same comes back to every x̂ of the batch. What goes on to each z?",
            "nothing" if nothing else "all of it, ÷ σ",
            "All level, no tilt, nothing beside the line. Moving every z up together would move μ along, and no x̂ at "
            "all: so there is nothing to gain.",
            {
                "all of it, ÷ σ"
                if nothing
                else "nothing": "Take the mean away, as the way through μ does. What is left?",
                "a share of 1/N": "Take the mean of them away from each of them. What is left?",
            },
        ),
    )
    slope = abs(run["db1.1"])
    at.ask(
        "bias",
        choice_problem(
            "before the normalization a bias b is added to every z. What is its gradient, the sum of all δ?",
            "zero" if slope < 1e-9 else "not zero",
            f"The {len(w.z)} δ add up to {unsigned(round(slope, 9), 4)}: a bias moves each z alike, and the mean takes "
            "that away again. That is why layers before a batch norm are often built without one: β does its work.",
            {
                "not zero"
                if slope < 1e-9
                else "zero": "A bias moves every z by the same. What does the mean do with that?"
            },
        ),
    )
    return {"w": shapes[kind], "largest": left[kind], "box": plot((-1.8, 1.8), (-0.16, 0.12), 400, 250, left=50)}


def the_same_in_code(at: Visit, head: Any) -> Values:
    """The same in code"""
    made = run_listing("norm.py")
    column = {name: np.asarray(made[name])[:, None] for name in ("z", "dn")}
    given = {"x": column["z"], "gamma": np.array([made["gamma"]]), "beta": np.array([made["beta"]])}
    right = BACKWARD["batch_norm"].backward(Case(given, {"eps": EPS}, column["dn"]))
    missing = float((made["d"] - made["tilt"] * made["xhat"]).sum() / made["sd"])
    at.ask(
        "sum",
        number_problem(
            'dz.sum() is 0, but for rounding. Somebody forgets "- level" in the last line. d.sum() is '
            f"{fixed_signed(float(made['d'].sum()), 3)} and sd {fixed(float(made['sd']), 4)}. What is dz.sum() then?",
            missing,
            f"x̂ adds up to 0, so the tilt adds nothing: {fixed_signed(float(made['d'].sum()), 3)} / "
            f"{fixed(float(made['sd']), 4)} = {fixed_signed(missing, 4)}. A sum that is not 0 gives the mistake away.",
            "What do the x̂ add up to? Then only d / sd is left.",
            {
                "sd": (float(made["d"].sum()), "That is d.sum(). The last line divides by sd."),
                "level": (0.0, "That is with the level taken away."),
                "sign": (-missing, "Look at the sign of d.sum()."),
            },
        ),
    )
    at.ask(
        "gain",
        choice_problem(
            "the gradient of γ is a sum over the examples. Over which of these products?",
            "dn × x̂",
            f"γ multiplied x̂, so x̂ is its other factor: {fixed_signed(float(right['dgamma'][0]), 4)} in all.",
            {
                "dn × z": "γ multiplies x after it was centred and scaled.",
                "dn × γ": "γ is no factor of its own gradient.",
                "dn alone": "That is β's: it is added, so its factor is 1.",
            },
        ),
    )
    checked = [("dgamma", float(made["dgamma"]), float(right["dgamma"][0]))]
    checked += [(f"dz, example {k + 1}", float(made["dz"][k]), float(right["dx"][k, 0])) for k in (0, SHOWN)]
    return {"line": line_of(at, "norm.py"), "checked": checked}


KINDS = (("", "none"), ("batch_norm", "batch norm"), ("layer_norm", "layer norm"))


def _deep(head: Any, kind: str, depth: int) -> dict[str, Any]:
    """So many layers of 8 sigmoids, each with that normalization."""
    each = "dense 8 sigmoid" + (f", {kind}" if kind else "")
    given = {name: value for name, value in head.deep.items() if name != "activation"}
    return {**given, "layers": ", ".join([each] * depth)}


def what_it_is_good_for(at: Visit, head: Any) -> Values:
    """What it is good for"""
    kind = at.choice("norm", "after every layer's sums", KINDS, "")
    depth = int(at.number("depth", "hidden layers", 6, 1, 8, 1))
    plain, normed = (pieces.delta_norms(at.facts(_deep(head, each, 6)))[0][1] for each in ("", "batch_norm"))
    truth = "larger" if normed > plain else "smaller"
    at.ask(
        "first",
        choice_problem(
            "six hidden layers of 8 sigmoids. With a batch norm after every layer's sums, is the δ of the first layer "
            "larger or smaller than without?",
            truth,
            f"{unsigned(normed, 3)} against {unsigned(plain, 3)}: {fixed(normed / plain, 0)} times as much.",
            {"smaller" if truth == "larger" else "larger": "Choose one and look at the topmost bar."},
        ),
    )
    return {"norms": pieces.delta_norms(at.facts(_deep(head, kind, depth)))}


SCREENS: tuple[Screen, ...] = (
    whatever_the_size,
    one_nudge_moves_them_all,
    three_ways_back,
    level_and_tilt,
    the_same_in_code,
    what_it_is_good_for,
)
