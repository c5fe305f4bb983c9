"""What the lesson “Overshoot” asks on each screen, and what its text and pictures show beside."""

from typing import Any

from app.learn import pieces
from app.learn.posing import better_problem, choice_problem, number_problem
from app.learn.visit import Screen, Values, Visit
from app.words.numbers import fixed, short


def one_step_seen_from_the_side(at: Visit, head: Any) -> Values:
    """One step, seen from the side"""
    run, M = head.run, head.M
    rate = at.number("rate", "learning rate", 0.5, 0.05, 9, 0.05)
    bend = pieces.curvature(run, M)
    at.ask(
        "bottom",
        number_problem(
            "at which learning rate would this one step land m exactly at the bottom of the curve? Try "
            "with the slider.",
            1 / bend,
            f"{fixed(1 / bend, 3)}, which is 1 ÷ {fixed(bend, 4)}. The {fixed(bend, 4)} is the curvature: "
            "how much the slope changes as m grows by 1. Below it the step falls short, above it "
            f"overshoots; above twice that, {fixed(2 / bend, 2)}, it lands higher than it began.",
            "Make the step land where the curve is lowest.",
            {"twice": (2 / bend, "There the step lands as high as it began, on the other side. Half of that.")},
            0.08 / bend,
        ),
    )
    return {"rate": rate}


def three_times_ten_times(at: Visit, head: Any) -> Values:
    """Three times, ten times"""
    run, M, B = head.run, head.M, head.B
    three, ten = run.with_rate(3 * run.rate), run.with_rate(10 * run.rate)
    hint = (
        "On the last screen m alone came back as high as it began at a rate of "
        f"{fixed(2 / pieces.curvature(run, M), 2)}. Now b moves too; its valley bends more, and its "
        f"limit is {fixed(2 / pieces.curvature(run, B), 2)}."
    )
    tasks = [
        at.ask(
            "three",
            better_problem(
                f"one step at rate {short(three.rate)}. What does the loss do?", run.loss, three.after().loss, hint
            ),
        ),
        at.ask(
            "ten",
            better_problem(
                f"one step at rate {short(ten.rate)}. What does the loss do?", run.loss, ten.after().loss, hint
            ),
        ),
    ]
    return {"three": three, "ten": ten, "tasks": tasks}


def bounce_and_fly_off(at: Visit, head: Any) -> Values:
    """Bounce, and fly off"""
    run = head.run
    rate = at.number("rate", "learning rate", 1.7, 0.05, 3, 0.05)
    edge = 2 / pieces.sharpest(run)
    slow, wild = run.with_rate(0.95 * edge).after(60), run.with_rate(1.05 * edge).after(60)
    at.ask(
        "edge",
        choice_problem(
            "the rate is 5 % above that limit. Where is the loss after 60 steps?",
            "above the start" if wild.loss > run.loss else "below the start",
            f"It is {fixed(wild.loss, 2)}, from {fixed(run.loss, 2)} at the start, and growing. At 5 % "
            f"below the limit it is {fixed(slow.loss, 4)}.",
            {
                "below the start" if wild.loss > run.loss else "above the start": (
                    "Each step overshoots by more than it gained. A little, every time: it adds up."
                ),
                "the same": "Exactly at the limit it would bounce for ever. Above it, every bounce is higher.",
            },
        ),
    )
    return {"rate": rate, "edge": edge}


def schedules_long_steps_then_short(at: Visit, head: Any) -> Values:
    """Schedules: long steps, then short"""
    spec = head.spec
    names = {
        "constant": "constant",
        "exponential": "exponential",
        "cosine": "cosine",
        "step": "step down",
        "warmup": "warm-up",
    }
    name = at.choice("schedule", "schedule", list(names.items()), "constant")
    settings = {
        "constant": {},
        "exponential": {"decay": 0.97},
        "cosine": {"steps": 120},
        "step": {"every": 30, "factor": 0.5},
        "warmup": {"steps": 60},
    }
    noisy = {**spec, "batch_size": 2, "learning_rate": 0.6}
    plain = at.facts(noisy)
    glide = pieces.losses_of(
        at.facts({**noisy, "schedule": "exponential", "schedule_settings": settings["exponential"]}), 2, 120
    )
    flat = pieces.losses_of(plain, 2, 120)
    at.ask(
        "glide",
        choice_problem(
            "with the exponential schedule every step's rate is 3 % lower than the last. Is the loss "
            "after 120 steps lower or higher than at the constant rate?",
            "lower" if glide.ys[-1] < flat.ys[-1] else "higher",
            f"{fixed(glide.ys[-1], 4)} against {fixed(flat.ys[-1], 4)}. The long steps have done the "
            "travelling, the short ones settle.",
            {
                "higher"
                if glide.ys[-1] < flat.ys[-1]
                else "lower": "Short steps at the end average the noise away. Choose the schedule and look."
            },
        ),
    )
    return {"names": names, "name": name, "settings": settings, "noisy": noisy, "plain": plain}


SCREENS: tuple[Screen, ...] = (
    one_step_seen_from_the_side,
    three_times_ten_times,
    bounce_and_fly_off,
    schedules_long_steps_then_short,
)
