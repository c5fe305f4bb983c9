"""What the lesson on dropout and shortcuts asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces, residual
from app.learn.listings import run_listing
from app.learn.posing import choice_problem, number_problem
from app.learn.problems import direction_problem
from app.learn.screens.code import line_of
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed, fixed_signed, unsigned
from engine import examples_of

STEPS, EVERY = 600, 20


def some_are_out(at: Visit, head: Any) -> Values:
    """Some are out"""
    step = at.place("step", "the step", range(10))
    run, b, rate = head.run, residual.block(head.run), float(head.rate)
    kept = next(k for k, mask in enumerate(b.mask) if mask)
    a, h = b.a[kept], b.h[kept]
    guess = at.ask(
        "kept",
        number_problem(
            f"a kept unit has a = {fixed_signed(a, 4)}, and the rate is {fixed(rate, 2)}. What does it give on, h?",
            h,
            f"{fixed_signed(a, 4)} / (1 − {fixed(rate, 2)}) = {fixed_signed(h, 4)}. So the layers above receive, on "
            "average, as much as they would of all units.",
            "A share of 1 − rate is kept: those who are kept make up for the others.",
            {
                "scale": (a, "That is a. Who is kept makes up for those who are out."),
                "share": (a * (1 - rate), "Divide by the share that is kept; do not multiply."),
                "rate": (a / rate, "Divide by the share that is kept, not by the rate."),
            },
        ),
    )
    at.ask(
        "evaluated",
        choice_problem(
            f"training is over, and the network answers. What does a unit with a = {fixed_signed(a, 4)} give on?",
            f"a itself, {fixed_signed(a, 4)}",
            "Nobody is out where nobody trains. Because those who were kept were made larger, a itself is what the "
            "layers above are used to, on average.",
            {
                f"a / (1 − rate), {fixed_signed(h, 4)}": "Nobody is out now, so nobody makes up for anybody.",
                "now a, now 0": "Dropout is for training. An answer should not be a matter of luck.",
            },
        ),
    )
    now = run.after(step)
    return {"now": now, "b": residual.block(now), "told": guess.revealed or at.printing or step}


def the_same_mask_back(at: Visit, head: Any) -> Values:
    """The same mask back"""
    run, b = head.run, residual.block(head.run)
    out, kept = b.out[0], next(k for k, mask in enumerate(b.mask) if mask)
    at.ask(
        "back",
        number_problem(
            f"to h of unit {kept + 1}, which is kept, comes back {fixed_signed(b.back[kept], 4)}; the rate is "
            f"{fixed(float(head.rate), 2)}. What comes back to its a?",
            b.back_a[kept],
            f"h is a / {fixed(1 - float(head.rate), 2)}, so it comes back divided by the same: "
            f"{fixed_signed(b.back[kept], 4)} / {fixed(1 - float(head.rate), 2)} = {fixed_signed(b.back_a[kept], 4)}.",
            "What was a factor forwards is the same factor back.",
            {
                "scale": (b.back[kept], "a was made larger on the way up. So is what comes back."),
                "share": (b.back[kept] * (1 - float(head.rate)), "It was divided by the share that is kept."),
                "slope": (b.delta_block[kept], "That is δ, one step further down. First the mask, then the slope."),
            },
        ),
    )
    address = f"W2.{out + 1}.1"
    moves = at.ask("weight", direction_problem(run, address, f"a weight into unit {out + 1}, which is out"))
    moved = pieces.acted(run, {address: moves.answer}, 0.1) if moves.answer else None
    return {"b": b, "out": out, "moves": moves, "moved": moved}


def against_learning_by_heart(at: Visit, head: Any) -> Values:
    """Against learning by heart"""
    rate = at.choice("rate", "rate of dropout", head.RATES, "0")
    ends = {each: at.facts(_heavy(head, each)).after(STEPS).metrics for each, _ in head.RATES}
    most = max(float(each) for each in ends)
    plain, dropped = (ends[each]["test"].loss or 0.0 for each in ("0", f"{most:g}"))
    plain_train, dropped_train = (ends[each]["train"].loss or 0.0 for each in ("0", f"{most:g}"))
    truth = "lower" if dropped < plain else "higher"
    other = "higher" if truth == "lower" else "lower"
    at.ask(
        "test",
        choice_problem(
            f"after {STEPS} steps: with a rate of {fixed(most, 1)}, is the loss on examples it has not seen lower or "
            "higher than without dropout?",
            truth,
            f"{fixed(dropped, 3)} against {fixed(plain, 3)}, though on those it learns from it is "
            f"{fixed(dropped_train, 3)} against {fixed(plain_train, 4)}.",
            {other: "Choose the rate and compare where the test curves end."},
        ),
    )
    run = at.facts(_heavy(head, rate))
    curves = [
        (name, *_points(residual.losses(run, part, STEPS, EVERY)), kind)
        for name, part, kind in (("examples it learns from", "train", "update"), ("test", "test", "look"))
    ]
    return {"curves": curves, "large": run, "steps": STEPS, "learned": examples_of(run.state.spec).train}


def _points(series: pieces.Series) -> tuple[list[float], list[float]]:
    return list(series.xs), list(series.ys)


def _heavy(head: Any, rate: str) -> dict[str, Any]:
    """Two layers with far more weights than there are examples to learn from, with that rate of dropout."""
    each = "dense 32 relu" + (f", dropout {rate}" if float(rate) else "")
    return {**head.heavy, "layers": f"{each}, {each}"}


def used_twice(at: Visit, head: Any) -> Values:
    """Used twice"""
    run, b = head.run, residual.block(head.run)
    unit = 1 + at.place("unit", "unit", range(1, len(b.given) + 1), 1)
    over, through, total = b.back[0], b.through[0], b.total[0]
    at.ask(
        "sum",
        number_problem(
            f"to the joint of unit 1 comes back {fixed_signed(over, 4)}. Through the block, {fixed_signed(through, 4)} "
            "arrives at unit 1 of hidden 1. What comes back to it in all?",
            total,
            f"{fixed_signed(over, 4)} over the shortcut, unchanged, and {fixed_signed(through, 4)} through the block: "
            f"{fixed_signed(total, 4)}.",
            "What is used twice hears from both uses.",
            {
                "block": (through, "That is what comes through the block. And over the shortcut?"),
                "shortcut": (over, "That is what comes over the shortcut. And through the block?"),
                "product": (over * through, "They are two ways side by side, not one behind the other: they add up."),
                "mean": (total / 2, "Ways add up; nothing is averaged."),
            },
        ),
    )
    at.ask(
        "plus",
        choice_problem(
            "a joint adds what comes over the shortcut to what the block gives. To which of the two does δ go back?",
            "to both, all of it",
            "A sum changes by 1 for every 1 that either of its parts changes. So each gets all of it, and nothing is "
            "shared out.",
            {
                "to both, half each": "If one part moves by 1, by how much does the sum move?",
                "to the larger one": "That is what a maximum does. A sum follows both.",
            },
        ),
    )
    slope = 1.0 - b.given[unit - 1] ** 2
    nudged = pieces.nudges(run, f"b1.{unit}", [1e-5, -1e-5])
    told = (nudged[0].slope + nudged[1].slope) / 2
    return {"b": b, "unit": unit, "slope": slope, "nudged": told}


def the_same_in_code(at: Visit, head: Any) -> Values:
    """The same in code"""
    made, run = run_listing("residual.py"), head.run
    b = residual.block(run)
    wrong = made["W2"].T @ made["dz2"]
    at.ask(
        "missing",
        number_problem(
            "somebody writes da1 = W2.T @ dz2 and forgets the shortcut. What is da1[0] then?",
            float(wrong[0]),
            f"{fixed_signed(float(wrong[0]), 4)} in place of {fixed_signed(b.total[0], 4)}: here even the sign is "
            f"{'another' if (wrong[0] > 0) != (b.total[0] > 0) else 'the same'}. In code it is the += that is missing.",
            "Run the program to its end, and take do2[0] away from da1[0].",
            {
                "shortcut": (b.total[0], "That is with the shortcut."),
                "block": (b.back[0], "That is what comes over the shortcut. It is the other one that is left."),
            },
        ),
    )
    checked = [("loss", float(made["loss"]), run.loss)]
    checked += [(f"da1, unit {k + 1}", float(made["da1"][k]), b.total[k]) for k in range(len(b.total))]
    return {"line": line_of(at, "residual.py"), "checked": checked}


KINDS = (("no", "no shortcuts"), ("yes", "a shortcut past each"))


def _deep(head: Any, kind: str, depth: int) -> dict[str, Any]:
    """So many layers of 8 tanh, each of the later ones with a shortcut past it."""
    each = "dense 8 tanh" + (", shortcut 1" if kind == "yes" else "")
    return {**head.deep, "layers": ", ".join(["dense 8 tanh", *[each] * (depth - 1)])}


def why_deep_networks_have_them(at: Visit, head: Any) -> Values:
    """Why deep networks have them"""
    kind = at.choice("shortcuts", "the layers have", KINDS, "no")
    depth = int(at.number("depth", "hidden layers", 8, 2, 8, 1))
    plain, past = (pieces.left_over(pieces.delta_norms(at.facts(_deep(head, each, 8)))) for each, _ in KINDS)
    truth = "larger" if past > plain else "smaller"
    at.ask(
        "first",
        choice_problem(
            "eight hidden layers that start with small weights. With a shortcut past each layer, is the share of the "
            "message that reaches the first one larger or smaller?",
            truth,
            f"{unsigned(past, 3)} against {unsigned(plain, 3)} of what the last hidden layer gets.",
            {"smaller" if truth == "larger" else "larger": "Choose the shortcuts, and look at the topmost bar."},
        ),
    )
    norms = pieces.delta_norms(at.facts(_deep(head, kind, depth)))
    return {"norms": norms}


SCREENS: tuple[Screen, ...] = (
    some_are_out,
    the_same_mask_back,
    against_learning_by_heart,
    used_twice,
    the_same_in_code,
    why_deep_networks_have_them,
)
