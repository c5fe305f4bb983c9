"""Problems that a lesson poses with numbers of its own: one of several, a number, better or worse, the largest."""

from collections.abc import Sequence
from math import log10

from app.learn.judging import Problem, Slip, numeric
from app.learn.problems import written
from app.words.numbers import fixed
from app.words.sentences import in_words
from app.words.texts import text
from engine.probed import Nudge


def choice_problem(
    prompt: str, truth: str, solution: str, slips: dict[str, str], factors: dict[str, str] | None = None
) -> Problem:
    """One of several; `slips` says of each wrong option what to look at, `factors` names it where it has a name."""
    told = {option: ((factors or {}).get(option, "choice"), sentence) for option, sentence in slips.items()}
    if truth in told or not told:
        raise ValueError(f"the truth {truth!r} needs other options beside it, and no slip of its own")
    options = tuple(sorted((truth, *told)))
    return Problem(prompt, "choice", truth, solution, "", options=options, slips=told)


def number_problem(
    prompt: str,
    truth: float,
    solution: str,
    hint: str,
    slips: dict[str, tuple[float, str]],
    within: float | None = None,
) -> Problem:
    """A number; `slips` gives for a factor the number that comes of missing it, and what to say."""
    mistakes = [Slip(float(value), factor, sentence) for factor, (value, sentence) in slips.items()]
    return numeric(prompt, "number", truth, solution, hint, mistakes, within, within and within / 100)


def better_problem(prompt: str, before: float, after: float, hint: str = "") -> Problem:
    """Whether a loss gets better or worse; `hint` is what to look at after a wrong guess."""
    truth = "better" if after < before else "worse" if after > before else "the same"
    solution = in_words("asked better", change=after - before, before=written(before), after=written(after))
    others = {"better", "worse", "the same"} - {truth}
    return choice_problem(
        prompt,
        truth,
        solution,
        dict.fromkeys(
            sorted(others),
            text(
                "It starts at {before}. {hint}",
                before=written(before),
                hint=hint or text("Try it, and watch the loss."),
            ),
        ),
    )


def largest_problem(prompt: str, sizes: dict[str, float], what: str = "size") -> Problem:
    """Which of several quantities is the largest in absolute value."""
    ranked = sorted(sizes, key=lambda name: -abs(sizes[name]))
    first, second = ranked[:2]
    solution = text(
        "{first}: {size}, then {second}: {next}.",
        first=first,
        size=written(abs(sizes[first])),
        second=second,
        next=written(abs(sizes[second])),
    )
    slips = {
        name: text(
            "{name}: {what} {size}. There is a larger one.", name=name, what=text(what), size=written(abs(sizes[name]))
        )
        for name in ranked[1:]
    }
    return choice_problem(prompt, first, solution, slips, dict.fromkeys(slips, what))


def evenest_problem(prompt: str, left: dict[str, float]) -> Problem:
    """With which of several starts the first hidden layer's message is nearest in size to the last one's; `left` has
    first ÷ last of each.
    """
    best = min(left, key=lambda name: abs(log10(left[name])))
    others = {name: fixed(value, 2) for name, value in left.items() if name != best}
    listed = ", ".join(f"{name} {value}" for name, value in others.items())
    fades = "The message fades on the way back: first ÷ last is {value}."
    grows = "The message grows on the way back: first ÷ last is {value}."
    return choice_problem(
        prompt,
        best,
        text(
            "First ÷ last is {value}, the nearest to 1. The others: {others}.",
            value=fixed(left[best], 2),
            others=listed,
        ),
        {name: text(fades if left[name] < 1 else grows, value=value) for name, value in others.items()},
    )


def nearest_problem(prompt: str, rows: Sequence[Nudge], names: dict[float, str]) -> Problem:
    """Which of several nudges tells the slope best; `names` says how each amount is written."""
    best = min(rows, key=lambda row: abs(row.difference))
    why = {True: text("Such a long step leaves the spot."), False: text("So small a change is lost in rounding.")}
    return choice_problem(
        prompt,
        names[best.amount],
        text(
            "It is off by {difference}. A larger nudge leaves the spot where the slope is wanted; a much smaller one "
            "drowns in rounding, for a computer keeps about 16 digits.",
            difference=fixed(abs(best.difference), 2),
        ),
        {
            names[row.amount]: text(
                "It is off by {difference}. {why}",
                difference=fixed(abs(row.difference), 2),
                why=why[row.amount > best.amount],
            )
            for row in rows
            if row is not best
        },
    )
