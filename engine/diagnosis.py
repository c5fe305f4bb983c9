"""Is a gradient that somebody computed by hand right? If not, which known mistake makes exactly these numbers?

    diagnose("batch_norm", {"x": x, "gamma": gamma, "beta": beta}, upstream, {"dx": mine})

The right numbers are not told: a relative error, with two digits, is all that is said of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.checks import SpecError, number, one_of
from engine.homework import BACKWARD
from engine.homework.base import Backward, Case, Gradients, Mistake
from engine.homework.given import array, by_name, case_given, shape_of
from engine.shown import table
from engine.wording import said

TOLERANCE = 1e-6
_SAME = 1e-9  # two wrong gradients that are nearer than this are the same
_FLOOR = 1e-6  # of what comes back: a gradient smaller than that is taken for 0


@dataclass(frozen=True)
class Finding:
    """What is to be said of one gradient; `mistakes` are those that make just these numbers, more where they coincide.

    `error` is the largest difference, divided by the largest number there; `off` counts the numbers that are off.
    `unseen` names the mistakes that lead to the right numbers with these inputs; `by_one_factor` tells that all numbers
    are off by the same one. `draws` counts, of how many drawn
    inputs, those that it is said of; (1, 1) where they were given.
    """

    gradient: str
    right: bool
    error: float
    off: int
    of: int
    mistakes: tuple[Mistake, ...] = ()
    unseen: tuple[str, ...] = ()
    by_one_factor: bool = False
    draws: tuple[int, int] = (1, 1)

    @property
    def sentence(self) -> str:
        """The same in words."""
        often = "" if self.draws[0] == self.draws[1] else f" in {self.draws[0]} of {self.draws[1]} draws"
        if self.right:
            return f"{self.gradient} is right."
        if self.mistakes:
            return f"{self.gradient} is not right{often}. " + _either([mistake.sentence for mistake in self.mistakes])
        share = f"{self.off} of {self.of} numbers are off" if self.of > 1 else "it is off"
        share += ", all by one and the same factor" if self.by_one_factor else ""
        how = f"{share}, relative error {self.error:g}" if self.error else "the shape is another one"
        return f"{self.gradient} is not right{often}, and not by a mistake I know: {how}."


def _either(sentences: list[str]) -> str:
    if len(sentences) == 1:
        return sentences[0]
    return "These numbers leave it open: either " + " Or: ".join(sentences)


@dataclass(frozen=True)
class Diagnosis:
    """What was found, a finding a gradient."""

    operation: str
    findings: tuple[Finding, ...]

    @property
    def right(self) -> bool:
        """Whether all that was handed in is right."""
        return all(finding.right for finding in self.findings)

    def __getitem__(self, gradient: str) -> Finding:
        return next(finding for finding in self.findings if finding.gradient == gradient)

    def __str__(self) -> str:
        return "\n".join(finding.sentence for finding in self.findings)

    def __repr__(self) -> str:
        wrong = [finding.gradient for finding in self.findings if not finding.right]
        return f"Diagnosis({self.operation}: {', '.join(wrong) + ' not right' if wrong else 'all right'})"

    def _repr_html_(self) -> str:
        rows = [(each.gradient, "right" if each.right else "not right", each.sentence) for each in self.findings]
        return table(("gradient", "verdict", "what to look at"), rows)


@dataclass(frozen=True)
class Judge:
    """One case, with its right gradients and every wrong one that a known mistake makes of it."""

    of: Backward
    case: Case
    tolerance: float = TOLERANCE

    @cached_property
    def right(self) -> Gradients:
        """The right gradients."""
        with np.errstate(all="ignore"):
            return self.of.backward(self.case)

    @cached_property
    def wrong(self) -> tuple[tuple[Mistake, str, Floats], ...]:
        """Every wrong gradient that differs from the right one: mistake, gradient, numbers."""
        return tuple((mistake, name, each) for mistake, name, each in self._made if not self._equal(name, each))

    @cached_property
    def unseen(self) -> Mapping[str, tuple[str, ...]]:
        """By gradient the mistakes that make the right numbers here."""
        found: dict[str, dict[str, None]] = {name: {} for name in self.of.gradients}
        for mistake, name, numbers in self._made:
            if self._equal(name, numbers):
                found[name][mistake.name] = None
        return {name: tuple(names) for name, names in found.items()}

    @cached_property
    def _made(self) -> tuple[tuple[Mistake, str, Floats], ...]:
        with np.errstate(all="ignore"):
            return tuple(self._makes())

    def _makes(self) -> Iterator[tuple[Mistake, str, Floats]]:
        for mistake in self.of.known:
            for maker in mistake.makers:
                for name, numbers in maker(self.case).items():
                    if np.isfinite(numbers).all():
                        yield mistake, name, np.asarray(numbers)

    def _equal(self, name: str, numbers: Floats) -> bool:
        right = self.right[name]
        return right.shape == numbers.shape and self.apart(numbers, right) <= self.tolerance

    def apart(self, one: Floats, other: Floats) -> float:
        """The largest difference, divided by the largest number."""
        most = max(np.abs(one).max(), np.abs(other).max(), _FLOOR * np.abs(self.case.g).max())
        return float(np.abs(one - other).max() / most) if most else 0.0

    def shapes(self, name: str) -> set[tuple[int, ...]]:
        """The shapes that a gradient may be handed in with: its own, and those that mistakes give it."""
        return {self.right[name].shape, *(each.shape for _, of, each in self.wrong if of == name)}

    def finding(self, name: str, given: Floats) -> Finding:
        """What is to be said of a gradient; SpecError if no mistake explains a shape that is not its own."""
        right = self.right[name]
        same = given.shape == right.shape
        error = self.apart(given, right) if same else 0.0
        if same and error <= self.tolerance:
            return Finding(name, True, 0.0, 0, given.size, unseen=self.unseen[name])
        mistakes = self.mistakes(name, given)
        if not same and not mistakes:
            raise SpecError(f"gradients.{name}", shape_of(given), "of shape {shape}", shape=right.shape)
        off = int((np.abs(given - right) > self.tolerance * np.abs(right).max()).sum()) if same else given.size
        one = same and _by_one_factor(given, right, self.tolerance)
        return Finding(name, False, float(f"{error:.2g}"), off, given.size, mistakes, by_one_factor=one)

    def mistakes(self, name: str, given: Floats) -> tuple[Mistake, ...]:
        """The mistakes that make these numbers: the nearest, and all that coincide with it."""
        near = [
            (self.apart(given, each), mistake)
            for mistake, of, each in (*self.wrong, *self._alike(name, given))
            if of == name and each.shape == given.shape
        ]
        near = [(error, mistake) for error, mistake in near if error <= self.tolerance]
        bound = max(10 * min((error for error, _ in near), default=0.0), _SAME)
        return tuple(dict.fromkeys(mistake for error, mistake in near if error <= bound))

    def _alike(self, name: str, given: Floats) -> Iterator[tuple[Mistake, str, Floats]]:
        for mistake in self.of.known:
            if mistake.like:
                for each, numbers in mistake.like(self.case, given).items():
                    if not self._equal(each, numbers):
                        yield mistake, each, numbers


def _by_one_factor(given: Floats, right: Floats, tolerance: float) -> bool:
    size, product = float(np.vdot(right, right)), float(np.vdot(given, right))
    if given.size < 2 or not size or not product:
        return False
    return bool(np.abs(given - product / size * right).max() <= tolerance * np.abs(given).max())


def diagnose(
    operation: str,
    inputs: Mapping[str, Any],
    upstream: Any,
    gradients: Mapping[str, Any],
    *,
    tolerance: float = TOLERANCE,
    **settings: Any,
) -> Diagnosis:
    """Whether gradients are right, and if not, which mistake they come from.

    `upstream` is how the loss changes with the operation's output, in the output's shape; it may be None where the
    output is the loss itself. `gradients` are those to be judged, all or some. `settings` are the operation's own, such
    as stride=2. SpecError names what cannot be: the field, what it was and what is allowed.
    """
    return diagnosed(operation, inputs, upstream, gradients, settings, tolerance)


def diagnosed(
    operation: str, inputs: Any, upstream: Any, gradients: Any, settings: Any, tolerance: Any, most: float = inf
) -> Diagnosis:
    """The same of anything that was sent; `most` bounds the multiplications of one pass."""
    of = BACKWARD[one_of("operation", operation, tuple(BACKWARD))]
    bound = number("tolerance", tolerance, 1e-12, 0.1)
    judge = Judge(of, case_given(of, inputs, upstream, settings, most), bound)
    if not all(np.isfinite(each).all() for each in judge.right.values()):
        raise SpecError("inputs", said("these numbers"), "numbers whose gradient is finite")
    return Diagnosis(of.name, tuple(judge.finding(name, each) for name, each in handed_in(of, gradients)))


def handed_in(of: Backward, gradients: Mapping[str, Any]) -> Iterator[tuple[str, Floats]]:
    """The gradients that were handed in, checked, by name."""
    found = by_name("gradients", gradients, of.gradients)
    if not found:
        raise SpecError(
            "gradients", said("nothing"), "some of {gradients}, each an array", gradients=", ".join(of.gradients)
        )
    for name, given in found.items():
        yield name, array(f"gradients.{name}", given)
