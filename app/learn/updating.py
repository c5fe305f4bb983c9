"""Questions about an update that is more than learning rate × gradient: what an optimizer remembers, how it scales, and
what regularization adds. A wrong answer is told which part of the step was left out, or overruled the gradient.
"""

from app.learn.facts import Facts
from app.learn.judging import Problem, Slip, numeric
from app.learn.problems import DOWN, STAY, UP, direction_problem, new_value_problem, written
from app.words.names import name_of
from app.words.numbers import signed
from app.words.sentences import in_words
from app.words.texts import text
from engine import OPTIMIZERS
from engine.equation import quantities
from engine.receipts import ParameterReceipt, parameter_receipt


def update_problems(facts: Facts, address: str) -> tuple[Problem, Problem] | None:
    """Which way the step moves a parameter, and where to; None of what is held, or found by trying."""
    spec, told = facts.state.spec, parameter_receipt(facts.trace, address)
    if told.frozen or OPTIMIZERS[spec.optimizer].search:
        return None
    way, number = direction_problem(facts, address), new_value_problem(facts, address)
    if spec.optimizer == "sgd" and not spec.penalized:
        return way, number
    return _way(way, facts, told), _number(number, facts, told)


def _parts(told: ParameterReceipt) -> str:
    """What moves it, part by part, and what that comes to."""
    each = (text("{value} by {part}", value=signed(part.value), part=_called(part.name)) for part in told.parts)
    return text("It moves by {change}: {parts}.", change=signed(told.next - told.now), parts=", ".join(each))


def _called(part: str) -> str:
    return in_words(f"by {part}")


def _given(facts: Facts, told: ParameterReceipt) -> str:
    """What the step starts from, and the settings of its rule, so that it can be reckoned."""
    parts = {"name": name_of(told.address), "now": signed(told.now), "gradient": signed(told.gradient)}
    rate = f"{told.learning_rate:g}"
    start = text("{name} is {now}, its gradient {gradient}, the learning rate {rate}.", rate=rate, **parts)
    memory = ", ".join(f"{name} {signed(before)}" for name, (before, _) in told.slots.items())
    remembered = text("Remembered: {memory}.", memory=memory) if memory else ""
    return " ".join(filter(None, (start, remembered, _settings(facts))))


def _settings(facts: Facts) -> str:
    """What the rule is set to, and which step it is where the rule counts them."""
    spec = facts.state.spec
    told = [f"{name.replace('beta', 'β')} {value:g}" for name, value in spec.optimizer_settings]
    if any(of.kind == "t" for line in OPTIMIZERS[spec.optimizer].steps for of in quantities(line.tree)):
        told.append(text("step {count}", count=facts.state.step + 1))
    return text("The rule: {settings}.", settings=", ".join(told)) if told else ""


def _way(asked: Problem, facts: Facts, told: ParameterReceipt) -> Problem:
    """The direction: what is told is every part, and the one that is stronger than the gradient."""
    change, why = told.next - told.now, _parts(told)
    truth = UP if change > 0 else DOWN if change < 0 else STAY
    against = [part for part in told.parts if part.name != "gradient" and part.value * change > 0]
    overruled = told.gradient * change > 0 and against
    factor = max(against, key=lambda part: abs(part.value)).name if overruled else "sign"
    slips = {option: (factor, why) for option in (UP, DOWN) if option != truth}
    if truth != STAY:
        slips[STAY] = ("size", why)
    solution = text("{why} So {way}.", why=why, way=text(truth))
    hint = _given(facts, told)
    return Problem(asked.prompt, told.address, truth, solution, hint, options=(UP, DOWN, STAY), slips=slips)


def _number(asked: Problem, facts: Facts, told: ParameterReceipt) -> Problem:
    """The value after the step, and what comes of leaving out a part of it."""
    change, entry = told.next - told.now, OPTIMIZERS[facts.state.spec.optimizer]
    how = {"optimizer": text(entry.title), "how": text(entry.sentence)}
    plain = text("That is plain gradient descent. {optimizer}: {how}", **how)
    bare = text("That is the change. Add it to the old value, {now}.", now=written(told.now))
    mistakes = []
    for part in told.parts if len(told.parts) > 1 else ():
        left_out = text("What {part} adds, {value}, is missing.", part=_called(part.name), value=signed(part.value))
        mistakes.append(Slip(told.next - part.value, part.name, left_out))
    mistakes += [
        Slip(told.now - told.learning_rate * told.gradient, "rule", plain),
        Slip(told.now - change, "sign", text("The step goes the other way. {why}", why=_parts(told))),
        Slip(change, "old value", bare),
    ]
    solution = text("{why} {now} becomes {next}.", why=_parts(told), now=signed(told.now), next=signed(told.next))
    return numeric(
        asked.prompt,
        told.address,
        told.next,
        solution,
        _given(facts, told),
        mistakes,
        max(0.05 * abs(change), 6e-5),
        6e-5,
    )
